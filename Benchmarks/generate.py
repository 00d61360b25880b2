#!/usr/bin/env python3
"""Writes workspaces of many resources, in muster's language or as the same in Terraform's.

usage: generate.py SHAPE COUNT DIRECTORY [--terraform]

Shapes, each of COUNT resources:
  groups   one VPC; COUNT / 3 security groups, each with two rules that refer to its neighbours (COUNT = 3k + 1)
  flat     elastic IPs without any reference
  chain    elastic IPs, each with a tag that takes the id of the one before
  pairs    elastic IPs, every second with a tag that takes the id of the one before
  hub      one VPC, and security groups that are all in it
  mutual   one VPC, and pairs of security groups that name each other (COUNT = 4k + 1)
  used     like `groups`, with an instance in each group (COUNT = 4k + 1)
  replaced the same with another description for each group, which AWS cannot change: it replaces what `used` made

Only `groups` is written for Terraform.
"""
import pathlib
import sys

HEADER = """\
workspace: benchmark
region: us-east-1
state: muster.db
tags: { ManagedBy: muster }
stacks:
  one: one.yaml
"""
VPC = "vpc:\n  main: { cidr_block: 10.0.0.0/16 }\n"


def groups(count):
    number = count // 3
    yield VPC + "security_groups:\n"
    for index in range(number):
        before, after = (index - 1) % number, (index + 1) % number
        yield (
            f"  group-{index}:\n    vpc: main\n    ingress:\n"
            f"      - {{ port: 8080, from: [group-{before}] }}\n"
            f"      - {{ port: 9090, from: [group-{after}] }}\n"
        )


def addresses(count, previous):
    yield "resources:\n  aws.eip:\n"
    for index in range(count):
        tags = f', Previous: "${{aws.eip[\'ip-{index - 1}\'].id}}"' if previous(index) else ""
        yield f"    ip-{index}: {{ domain: vpc, tags: {{ Number: \"{index}\"{tags} }} }}\n"


def hub(count):
    yield VPC + "resources:\n  aws.security_group:\n"
    for index in range(count - 1):
        yield f"    group-{index}: {{ name: group-{index}, vpc_id: main }}\n"


def mutual(count):
    yield VPC + "security_groups:\n"
    for index in range((count - 1) // 4):
        for one, other in (("a", "b"), ("b", "a")):
            yield (
                f"  group-{index}-{one}:\n    vpc: main\n    ingress:\n"
                f"      - {{ port: 8080, from: [group-{index}-{other}] }}\n"
            )


def used(count, description=""):
    number = count // 4
    yield VPC + "security_groups:\n"
    for index in range(number):
        before, after = (index - 1) % number, (index + 1) % number
        yield (
            f"  group-{index}:\n    vpc: main\n{description}    ingress:\n"
            f"      - {{ port: 8080, from: [group-{before}] }}\n"
            f"      - {{ port: 9090, from: [group-{after}] }}\n"
        )
    yield "resources:\n  aws.instance:\n"
    for index in range(number):
        yield (
            f"    node-{index}: {{ ami: ami-0f8bce65, instance_type: m5.large, "
            f"vpc_security_group_ids: [group-{index}] }}\n"
        )


def replaced(count):
    return used(count, "    description: Replaced\n")


SHAPES = {
    "groups": groups,
    "flat": lambda count: addresses(count, lambda index: False),
    "chain": lambda count: addresses(count, lambda index: index > 0),
    "pairs": lambda count: addresses(count, lambda index: index % 2 == 1),
    "hub": hub,
    "mutual": mutual,
    "used": used,
    "replaced": replaced,
}

TERRAFORM_HEADER = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
  default_tags {
    tags = { ManagedBy = "terraform" }
  }
}
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
"""


def terraform_groups(count):
    number = count // 3
    yield TERRAFORM_HEADER
    for index in range(number):
        yield (
            f'resource "aws_security_group" "group-{index}" {{\n'
            f'  name   = "group-{index}"\n  vpc_id = aws_vpc.main.id\n}}\n'
        )
        for port, neighbour in ((8080, (index - 1) % number), (9090, (index + 1) % number)):
            yield (
                f'resource "aws_vpc_security_group_ingress_rule" "group-{index}-{port}" {{\n'
                f"  security_group_id            = aws_security_group.group-{index}.id\n"
                f"  referenced_security_group_id = aws_security_group.group-{neighbour}.id\n"
                f'  ip_protocol                  = "tcp"\n  from_port = {port}\n  to_port   = {port}\n}}\n'
            )


def generate(shape, count, directory, terraform=False):
    """Writes a workspace into a directory, which is made if it is missing."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if terraform:
        (directory / "main.tf").write_text("".join(terraform_groups(count)))
    else:
        (directory / "muster.yaml").write_text(HEADER)
        (directory / "one.yaml").write_text("".join(SHAPES[shape](count)))


def main(arguments):
    terraform = "--terraform" in arguments
    arguments = [argument for argument in arguments if argument != "--terraform"]
    if len(arguments) != 3 or arguments[0] not in SHAPES or (terraform and arguments[0] != "groups"):
        sys.exit(__doc__)
    generate(arguments[0], int(arguments[1]), arguments[2], terraform)


if __name__ == "__main__":
    main(sys.argv[1:])
