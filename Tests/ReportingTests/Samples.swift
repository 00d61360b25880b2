// The plans, drifts and events that the goldens show: small ones, with one of each thing.
import MusterModel

func address(_ text: String) -> Address { Address(text) ?? Address(stack: "broken", type: "test", name: text) }

func place(_ path: String, _ line: Int, _ column: Int = 5) -> Place { Place(path: path, line: line, column: column) }

let scope = ProviderScope(provider: "aws", account: "123456789012", region: "us-east-1", endpoint: "aws")

func output(_ of: String, _ name: String = "id") -> Value {
    .deferred(Deferred(.output(OutputReference(address(of), name))))
}

func secret(_ name: String) -> MusterModel.Expression {
    .secret(SecretReference(name: name, source: "env:\(name.uppercased())"))
}

let bootScriptBefore = """
    #!/bin/sh
    set -eu
    mkdir -p /var/lib/rancher
    docker pull rancher/server:v1.6.29
    docker run -d --restart=unless-stopped \\
      -p 8080:8080 -p 9345:9345 \\
      rancher/server:v1.6.29 \\
      --db-host db.internal --db-user rancher
    logger "rancher server started"
    exit 0

    """

let bootScriptAfter: Value = .deferred(
    Deferred(
        .template([
            .literal(
                .string(
                    """
                    #!/bin/sh
                    set -eu
                    mkdir -p /var/lib/rancher
                    docker pull rancher/server:v1.6.30
                    docker run -d --restart=unless-stopped \\
                      -p 8080:8080 -p 9345:9345 \\
                      rancher/server:v1.6.30 \\
                      --db-host
                    """ + " ")),
            .output(OutputReference(address("prod/rancher-rds:aws.db_instance/main"), "address")),
            .literal(" --db-user rancher --db-pass "), secret("db_password"),
            .literal("\nlogger \"rancher server started\"\nexit 0\n"),
        ])))

let policyBefore =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::backups/*"}]}"#
let policyAfter =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}"#

/// One of each: every action, every way in which values are shown.
func samplePlan() -> Plan {
    let vpc = address("vpc:aws.vpc/main")
    let vpcLink = WhyLink(
        address: vpc, argument: "cidr_block", text: "cidr_block cannot be changed in place",
        place: place("specs/vpc.yaml", 14))
    let control = address("prod/rancher:aws.instance/prod-rancherctl1")
    return Plan(
        workspace: "tastycidr", lineage: "6c1f", id: "5d41402abc4b2a76",
        changes: [
            ResourceChange(
                address: control, action: .update, reason: .argumentsChanged,
                attributes: [
                    AttributeChange(
                        path: "instance_type", before: "m5.large", after: "m5.xlarge",
                        place: place("specs/rancher.yaml", 33)),
                    AttributeChange(
                        path: "security_groups", before: ["sg-0aaa", "sg-0bbb"], after: ["sg-0bbb", "sg-0ccc"],
                        place: place("specs/rancher.yaml", 35)),
                    AttributeChange(
                        path: "tags", before: ["Name": "prod-rancherctl1", "Owner": "ops", "Stage": "old"],
                        after: ["Name": "prod-rancherctl1", "Owner": "platform team", "CostCenter": "0042"]),
                    AttributeChange(path: "user_data", before: .string(bootScriptBefore), after: bootScriptAfter),
                    AttributeChange(path: "monitoring", before: true, after: nil),
                ],
                id: "i-0123456789abcdef0",
                hazards: [Hazard(.downtime, control, "It is stopped while its instance_type changes.")],
                place: place("specs/rancher.yaml", 31)),
            ResourceChange(
                address: address("prod/rancher:aws.dns_record/rancher.tastycidr.net"), action: .read,
                reason: .notInState, place: place("specs/rancher.yaml", 9)),
            ResourceChange(
                address: address("prod/rancher:aws.iam_role_policy/backup"), action: .update,
                reason: .argumentsChanged,
                attributes: [
                    AttributeChange(path: "policy", before: .string(policyBefore), after: .string(policyAfter))
                ],
                id: "prod-rancher/backup",
                hazards: [
                    Hazard(
                        .iamWidening, address("prod/rancher:aws.iam_role_policy/backup"),
                        "Allows s3:PutObject, and every resource instead of arn:aws:s3:::backups/*.")
                ],
                place: place("specs/rancher.yaml", 50)),
            ResourceChange(
                address: address("prod/rancher-rds:aws.db_instance/main"), action: .update,
                reason: .argumentsChanged,
                attributes: [
                    AttributeChange(
                        path: "password", before: .null, after: .deferred(Deferred(secret("db_password"))),
                        isHidden: true)
                ],
                id: "prod-rancher", place: place("specs/rancher-rds.yaml", 8),
                notes: ["The password of the running database is replaced."]),
            ResourceChange(
                address: address("prod/security-groups:aws.security_group/legacy"), action: .delete,
                reason: .notInSpec, id: "sg-0dead"),
            ResourceChange(
                address: address("prod/security-groups:aws.security_group_rule/sgr-0f00"), action: .delete,
                reason: .foreignChild(parent: address("prod/security-groups:aws.security_group/prod-rds")),
                id: "sgr-0f00"),
            ResourceChange(
                address: address("prod/security-groups:aws.security_group_rule/web-443"), action: .create,
                reason: .notInState,
                attributes: [
                    AttributeChange(path: "cidr_ipv4", before: nil, after: "0.0.0.0/0"),
                    AttributeChange(path: "from_port", before: nil, after: 443),
                    AttributeChange(path: "ip_protocol", before: nil, after: "tcp"),
                    AttributeChange(path: "to_port", before: nil, after: 443),
                ],
                hazards: [
                    Hazard(
                        .publicExposure, address("prod/security-groups:aws.security_group_rule/web-443"),
                        "Opens port 443 to the whole internet.")
                ],
                place: place("specs/security-groups.yaml", 21)),
            ResourceChange(
                address: address("vpc:aws.eip/nat-old"), action: .forget, reason: .removedBlock, id: "eipalloc-01"),
            ResourceChange(
                address: address("vpc:aws.eip/nat-b"), action: .move, reason: .argumentsChanged, id: "eipalloc-02",
                place: place("specs/vpc.yaml", 40), previousAddress: address("vpc:aws.eip/nat-a")),
            ResourceChange(
                address: address("vpc:aws.internet_gateway/main"), action: .adopt, reason: .importBlock,
                id: "igw-0123", place: place("specs/vpc.yaml", 3)),
            ResourceChange(
                address: address("vpc:aws.subnet/prod-a"), action: .replaceCreateFirst,
                reason: .cannotUpdate(["vpc_id"]),
                why: [WhyLink(address: vpc, text: "aws.vpc/main is replaced"), vpcLink],
                attributes: [
                    AttributeChange(
                        path: "vpc_id", before: "vpc-0a1b2c3d", after: output("vpc:aws.vpc/main"),
                        forcesReplacement: true, place: place("specs/vpc.yaml", 20))
                ],
                id: "subnet-0abc", place: place("specs/vpc.yaml", 20)),
            ResourceChange(
                address: address("vpc:aws.subnet/prod-c"), action: .create, reason: .gone,
                attributes: [
                    AttributeChange(path: "availability_zone", before: nil, after: "us-east-1c"),
                    AttributeChange(path: "cidr_block", before: nil, after: "10.1.3.0/24"),
                    AttributeChange(path: "map_public_ip_on_launch", before: nil, after: false),
                    AttributeChange(
                        path: "tags", before: nil,
                        after: ["Name": "prod-c", "ManagedBy": "muster", "kubernetes.io/role/elb": "1"]),
                    AttributeChange(path: "vpc_id", before: nil, after: output("vpc:aws.vpc/main")),
                ],
                place: place("specs/vpc.yaml", 24)),
            ResourceChange(
                address: vpc, action: .replaceDeleteFirst, reason: .cannotUpdate(["cidr_block"]), why: [vpcLink],
                attributes: [
                    AttributeChange(
                        path: "cidr_block", before: "10.0.0.0/16", after: "10.1.0.0/16", forcesReplacement: true,
                        place: place("specs/vpc.yaml", 14))
                ],
                id: "vpc-0a1b2c3d",
                hazards: [
                    Hazard(.irreversible, vpc, "The network vpc-0a1b2c3d is deleted with all that is still in it.")
                ],
                place: place("specs/vpc.yaml", 13)),
        ],
        steps: [
            Step(
                id: 0, address: control, operation: .update, target: "i-0123456789abcdef0",
                desired: ["instance_type": "m5.xlarge"], prior: ["instance_type": "m5.large"], version: 3,
                fingerprint: "f1", scope: scope)
        ],
        outputs: [
            OutputChange(
                stack: "prod/rancher", name: "rancher_fqdn", before: "rancher.old.net",
                after: "rancher.tastycidr.net"),
            OutputChange(stack: "vpc", name: "vpc_id", before: nil, after: output("vpc:aws.vpc/main")),
        ],
        drift: [
            Drift(
                address: control, kind: .changed, id: "i-0123456789abcdef0",
                attributes: [AttributeChange(path: "monitoring", before: nil, after: true)]),
            Drift(
                address: address("vpc:aws.route_table/public"), kind: .changed, id: "rtb-01",
                attributes: [AttributeChange(path: "tags", before: ["Name": "public"], after: ["Name": "x"])],
                place: place("specs/vpc.yaml", 60)),
        ],
        unchangedCount: 41,
        reliesOn: [Reliance(address: address("vpc:aws.route_table/public"), version: 2, fingerprint: "aa")],
        notes: ["The secret db_password could not be read; it is assumed to be unchanged."],
        configurations: ["vpc": ProviderConfiguration(region: "us-east-1")], scopes: ["vpc": scope])
}

func sampleDrift() -> [Drift] {
    [
        Drift(
            address: address("prod/security-groups:aws.security_group/prod-rds"), kind: .changed, id: "sg-0aaa",
            attributes: [
                AttributeChange(
                    path: "description", before: "managed by muster", after: "do not touch",
                    place: place("specs/security-groups.yaml", 12)),
                AttributeChange(
                    path: "tags", before: ["Name": "prod-rds", "Owner": "ops"], after: ["Name": "prod-rds"],
                    place: place("specs/security-groups.yaml", 14)),
            ],
            place: place("specs/security-groups.yaml", 11)),
        Drift(
            address: address("prod/security-groups:aws.security_group_rule/sgr-0f00"), kind: .foreign,
            id: "sgr-0f00",
            attributes: [
                AttributeChange(path: "cidr_ipv4", before: nil, after: "203.0.113.7/32"),
                AttributeChange(path: "from_port", before: nil, after: 3306),
            ],
            place: place("specs/security-groups.yaml", 11)),
        Drift(
            address: address("vpc:aws.subnet/prod-a"), kind: .gone, id: "subnet-0abc",
            place: place("specs/vpc.yaml", 20)),
        Drift(
            address: address("prod/rancher:aws.instance/prod-rancherctl1"), kind: .changed, id: "i-0123",
            attributes: [
                AttributeChange(
                    path: "instance_type", before: "m5.large", after: "t3.nano",
                    place: place("specs/rancher.yaml", 33)),
                AttributeChange(
                    path: "security_groups", before: ["sg-1", "sg-2"], after: ["sg-2", "sg-3"],
                    place: place("specs/rancher.yaml", 35)),
                AttributeChange(
                    path: "user_data", before: .deferred(Deferred(secret("token"))), after: nil, isHidden: true),
            ],
            place: place("specs/rancher.yaml", 31)),
    ]
}
