"""Specs that several tests start from."""

# Every kind that a network has.
NETWORK = """
vpc:
  main:
    cidr_block: 10.0.0.0/16
    enable_dns_hostnames: true
    internet_gateway: true
    subnets:
      public-a: { cidr_block: 10.0.0.0/24, availability_zone: us-east-1a, map_public_ip_on_launch: true, route_table: public, network_acl: public }
      public-b: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1b, map_public_ip_on_launch: true, route_table: public, network_acl: public }
      prod-a: { cidr_block: 10.0.16.0/20, availability_zone: us-east-1a, route_table: private }
      prod-b: { cidr_block: 10.0.32.0/20, availability_zone: us-east-1b, route_table: private }
    nat_gateways:
      a: { subnet: public-a }
    route_tables:
      public: { routes: [{ destination: 0.0.0.0/0, to: internet_gateway }] }
      private: { routes: [{ destination: 0.0.0.0/0, to: "nat:a" }] }
    network_acls:
      public:
        ingress: [{ rule_number: 100, action: allow, protocol: all, cidr_block: 0.0.0.0/0 }]
        egress: [{ rule_number: 100, action: allow, protocol: all, cidr_block: 0.0.0.0/0 }]
    endpoints:
      s3: { service: s3, route_tables: [private] }
"""

NETWORK_COUNT = {
    "vpcs": 1,
    "subnets": 4,
    "internet gateways": 1,
    "NAT gateways": 1,
    "elastic IPs": 1,
    "route tables": 2,
    "associations": 4,
    "routes": 2,
    "network ACLs": 1,
    "network ACL rules": 2,
    "endpoints": 1,
}

SMALL_VPC = """
vpc:
  main: { cidr_block: 10.0.0.0/16 }
"""

# Groups that name each other.
PAIR = """
security_groups:
  alb:
    vpc: main
    description: in front
    ingress: [{ port: 443, from: [203.0.113.0/24] }]
    egress: [{ port: 8080, to: [node] }]
  node:
    vpc: main
    description: behind
    ingress: [{ port: 8080, from: [alb], description: user interface }]
    egress: []
"""

# ZONE stands for the id of the seeded zone.
IDENTITY = """
iam:
  node:
    assume_role: ec2.amazonaws.com
    description: What a node may do
    inline_policies:
      read:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Action: ["s3:GetObject"], Resource: "*" }]
    managed_policies: ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
key_pairs:
  operator:
    public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt+7gcOqNWHkPsH0UC9EjgNGoTDi operator
dns:
  vpn.tastycidr.net: { type: A, ttl: 60, zone: ZONE, value: 198.51.100.7 }
"""
