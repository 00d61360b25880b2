"""Load balancers: interfaces that hold groups and subnets, duplicates, protection, states, health."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.elbv2.models import FakeAction, FakeLoadBalancer, FakeRule, FakeTargetGroup
from moto.elbv2.ssl_policies import SSL_POLICIES

from . import acm, clock
from .call import Call, digest, item_converter, operation, store_of
from .errors import AwsError
from .paging import page
from .wire import Params

_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-central-1": "Z215JYRZR1TBD5",
}
_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_OTHER_TYPES = {
    "deletion_protection.enabled": "false",
    "load_balancing.cross_zone.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_NETWORK = _OTHER_TYPES | {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
}
_BALANCER_ATTRIBUTES = {"application": _ATTRIBUTES, "network": _NETWORK, "gateway": _OTHER_TYPES}
_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_HTTP_GROUP_ATTRIBUTES = _GROUP_ATTRIBUTES | {
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
}
_NETWORK_GROUP_ATTRIBUTES = _GROUP_ATTRIBUTES | {
    "stickiness.type": "source_ip",
    "deregistration_delay.connection_termination.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
_GENEVE_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip_dest_ip_proto",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_failover.on_deregistration": "no_rebalance",
    "target_failover.on_unhealthy": "no_rebalance",
}
_LAMBDA_GROUP_ATTRIBUTES = {"lambda.multi_value_headers.enabled": "false"}
_RESPONSE_HEADERS = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)
_CERTIFICATE_HEADERS = {
    "x_amzn_mtls_clientcert": "X-Amzn-Mtls-Clientcert",
    "x_amzn_mtls_clientcert_issuer": "X-Amzn-Mtls-Clientcert-Issuer",
    "x_amzn_mtls_clientcert_leaf": "X-Amzn-Mtls-Clientcert-Leaf",
    "x_amzn_mtls_clientcert_serial_number": "X-Amzn-Mtls-Clientcert-Serial-Number",
    "x_amzn_mtls_clientcert_subject": "X-Amzn-Mtls-Clientcert-Subject",
    "x_amzn_mtls_clientcert_validity": "X-Amzn-Mtls-Clientcert-Validity",
    "x_amzn_tls_cipher_suite": "X-Amzn-Tls-Cipher-Suite",
    "x_amzn_tls_version": "X-Amzn-Tls-Version",
}
_LISTENER_ATTRIBUTES: dict[str, dict[str, str]] = {
    "HTTP": {"routing.http.response.server.enabled": "true"}
    | {f"routing.http.response.{h}.header_value": "" for h in _RESPONSE_HEADERS},
    "TCP": {"tcp.idle_timeout.seconds": "350"},
}
_LISTENER_ATTRIBUTES["HTTPS"] = _LISTENER_ATTRIBUTES["HTTP"] | {
    f"routing.http.request.{h}.header_name": name for h, name in _CERTIFICATE_HEADERS.items()
}
_LISTENER_ATTRIBUTES["TLS"] = _LISTENER_ATTRIBUTES["TCP"]
_PROTOCOLS = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "TLS", "UDP", "TCP_UDP"),
    "gateway": ("GENEVE",),
}

_original_rule = FakeRule.__init__


def _rule(self: Any, listener_arn: str, *arguments: Any, **named: Any) -> None:
    """moto puts a memory address into the ARN of a default rule."""
    _original_rule(self, listener_arn, *arguments, **named)
    self.arn = (
        listener_arn.replace(":listener/", ":listener-rule/")
        + "/"
        + hashlib.md5(listener_arn.encode()).hexdigest()[:16]
    )


FakeRule.__init__ = _rule  # type: ignore[method-assign]


def _target_key(group: Any, target: Any) -> str:
    """One target may be registered with several ports; with the group's own it has no port in its key."""
    port = target.get("Port")
    return str(target["Id"]) if port is None or str(port) == str(group.port) else f"{target['Id']}:{port}"


def _register(self: Any, targets: list[Any]) -> None:
    for target in targets:
        key = _target_key(self, target)
        self.targets[key] = {"Id": target["Id"], "Port": target.get("Port", self.port)}
        self.deregistered_targets.pop(key, None)
        self.terminated_targets.pop(target["Id"], None)


def _deregister(self: Any, targets: list[Any]) -> None:
    for target in targets:
        key = _target_key(self, target)
        if key in self.targets:
            self.deregistered_targets[key] = self.targets.pop(key)


def _forget_instances(self: Any, instance_ids: list[str]) -> None:
    for key, target in list(self.targets.items()):
        if target["Id"] in instance_ids:
            self.targets.pop(key)


FakeTargetGroup.register = _register  # type: ignore[method-assign]
FakeTargetGroup.deregister = _deregister  # type: ignore[method-assign]
FakeTargetGroup.deregister_terminated_instances = _forget_instances  # type: ignore[method-assign]


def backend(call: Call) -> Any:
    """moto's backend."""
    from moto.elbv2.models import elbv2_backends

    return elbv2_backends[call.account][call.region]


def _zone_of(self: Any) -> str:
    return _ZONES.get(self.arn.split(":")[3], "Z35SXDOTRQ7X7K")


FakeLoadBalancer.activate = lambda self: None  # type: ignore[method-assign]  # the state is ours


def get(call: Call, arn: str) -> Any:
    """moto's load balancer."""
    held = backend(call).load_balancers.get(arn)
    if held is None:
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{arn}]' not found")
    return held


# MARK: interfaces


def _description(balancer: Any) -> str:
    return str("ELB " + balancer.arn.partition(":loadbalancer/")[2])


def _interfaces(call: Call, balancer: Any) -> list[Any]:
    wanted = _description(balancer)
    return [e for e in call.ec2.enis.values() if e.description == wanted]


def _sync_interfaces(call: Call, balancer: Any) -> None:
    """One interface per subnet, with the groups of the load balancer, as AWS keeps them."""
    held = {e.subnet.id: e for e in _interfaces(call, balancer)}
    wanted = {s.id: s for s in balancer.subnets}
    for subnet_id in set(held) - set(wanted):
        call.ec2.enis.pop(held[subnet_id].id, None)
    groups = list(balancer.security_groups or [])
    for subnet_id, subnet in wanted.items():
        interface = held.get(subnet_id)
        if interface is None:
            address = subnet.get_available_subnet_ip(balancer)
            interface = call.ec2.create_network_interface(
                subnet, address, group_ids=groups or None, description=_description(balancer)
            )
            interface.requester_managed = True
            interface.requester_id = "amazon-elb"
            interface.status = "in-use"
            if balancer.scheme == "internet-facing":
                interface.public_ip_auto_assign = True
                interface.check_auto_public_ip()
        interface._group_set = [g for g in (call.ec2.get_security_group_from_id(i) for i in groups) if g is not None]


# MARK: load balancers


def _shown(call: Call, balancer: Any) -> Params:
    item = item_converter("elbv2", "DescribeLoadBalancers", "LoadBalancers")(balancer)
    young = store_of(call.account, call.region).is_young(balancer.arn, "load_balancer")
    item["State"] = {"Code": "provisioning" if young else "active"}
    item["CanonicalHostedZoneId"] = _zone_of(balancer)
    notes = store_of(call.account, call.region).notes(balancer.arn)
    for zone in item.get("AvailabilityZones", []):
        mapping = notes.get("mappings", {}).get(zone.get("SubnetId"), {})
        address = {k: mapping[k] for k in ("AllocationId", "PrivateIPv4Address", "IPv6Address") if k in mapping}
        zone["LoadBalancerAddresses"] = [address] if address else []
    if "pools" in notes:
        item["IpamPools"] = notes["pools"]
    if balancer.type == "network" and balancer.security_groups:
        item["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = notes.get("enforce", "on")
    return dict(item)


def _note_mappings(call: Call, arn: str, params: Params) -> None:
    mappings = {m["SubnetId"]: m for m in params.get("SubnetMappings", []) if "SubnetId" in m}
    for mapping in mappings.values():
        allocation = mapping.get("AllocationId")
        if allocation is not None and allocation not in {a.allocation_id for a in call.ec2.addresses}:
            raise AwsError("AllocationIdNotFound", f"The allocation ID '{allocation}' does not exist")
    store_of(call.account, call.region).notes(arn)["mappings"] = mappings


def _asked_subnets(call: Call, params: Params) -> list[Any]:
    from .ec2 import subnets

    wanted = [*params.get("Subnets", []), *(m["SubnetId"] for m in params.get("SubnetMappings", []) if "SubnetId" in m)]
    if not wanted:
        raise AwsError("ValidationError", "At least one subnet must be specified")
    out = []
    for subnet_id in wanted:
        try:
            out.append(subnets.get(call, subnet_id))
        except AwsError as error:
            raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist") from error
    if len({s.vpc_id for s in out}) > 1:
        raise AwsError("InvalidSubnet", "All subnets must belong to the same VPC")
    zones = [s.availability_zone for s in out]
    if len(set(zones)) != len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    return out


def _check_zones(kind: str, subnets: list[Any]) -> None:
    if kind == "application" and len({s.availability_zone for s in subnets}) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")


def _check_groups(call: Call, groups: list[str], vpc_id: str) -> None:
    for group_id in groups:
        group = call.ec2.get_security_group_from_id(group_id)
        if group is None or group.vpc_id != vpc_id:
            raise AwsError("InvalidConfigurationRequest", f"One or more security groups are invalid: {group_id}")


@operation("elbv2", "CreateLoadBalancer")
def create(call: Call) -> Params:
    from .ec2 import gateways, guards

    params = dict(call.params)
    name, kind = params["Name"], params.get("Type", "application")
    if len(name) > 32 or name.startswith(("internal-", "-")) or name.endswith("-"):
        raise AwsError(
            "ValidationError", f"Load balancer name '{name}' is not valid: at most 32 letters, digits and hyphens"
        )
    subnets = _asked_subnets(call, params)
    wanted = digest(params, ("Tags",))
    for held in backend(call).load_balancers.values():
        if held.name == name:
            if getattr(held, "asked", None) == wanted:
                return {"LoadBalancers": [_shown(call, held)]}
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    _check_zones(kind, subnets)
    vpc_id = subnets[0].vpc_id
    groups = list(params.get("SecurityGroups", []))
    _check_groups(call, groups, vpc_id)
    if kind == "application" and not groups:
        groups = [g.id for g in guards.groups_of(call, vpc_id) if g.name == "default"]
    scheme = params.get("Scheme", "internet-facing")
    if scheme == "internet-facing" and not gateways.is_attached(call, vpc_id):
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
    params["SecurityGroups"] = groups
    made = backend(call).load_balancers[call.moto(params)["LoadBalancers"][0]["LoadBalancerArn"]]
    number = int(hashlib.md5(made.arn.encode()).hexdigest()[:8], 16)
    made.dns_name = f"{'internal-' if scheme == 'internal' else ''}{name}-{number}.{call.region}.elb.amazonaws.com"
    made.attrs = dict(_BALANCER_ATTRIBUTES[made.type])
    made.asked = wanted
    _note_mappings(call, made.arn, params)
    if "IpamPools" in params:
        store_of(call.account, call.region).notes(made.arn)["pools"] = params["IpamPools"]
    store_of(call.account, call.region).bear(made.arn)
    _sync_interfaces(call, made)
    return {"LoadBalancers": [_shown(call, made)]}


@operation("elbv2", "DescribeLoadBalancers")
def describe(call: Call) -> Params:
    held = list(backend(call).load_balancers.values())
    arns, names = call.params.get("LoadBalancerArns"), call.params.get("Names")
    if arns and names:
        raise AwsError("ValidationError", "Load balancer names and ARNs cannot be given together")
    if len(arns or names or []) > 20:
        raise AwsError("ValidationError", "At most 20 load balancers can be described at once")
    if arns:
        held = [get(call, a) for a in arns]
    if names:
        absent = [n for n in names if n not in {b.name for b in held}]
        if absent:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(absent)}]' not found")
        held = [b for b in held if b.name in names]
    part, more = page(call, held, "PageSize", "Marker", 1, 400, 400)
    return {"LoadBalancers": [_shown(call, b) for b in part]} | ({"NextMarker": more} if more else {})


@operation("elbv2", "DeleteLoadBalancer")
def delete(call: Call) -> Params:
    held = backend(call).load_balancers.get(call.params["LoadBalancerArn"])
    if held is None:
        return {}
    if held.attrs.get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{held.arn}' cannot be deleted because deletion protection is enabled",
        )
    for group in backend(call).target_groups.values():
        group.load_balancer_arns = [a for a in group.load_balancer_arns if a != held.arn]
    # The interfaces outlive the load balancer and hold its groups and subnets for a while.
    left = _interfaces(call, held)

    def gone() -> None:
        for interface in left:
            call.ec2.enis.pop(interface.id, None)

    store_of(call.account, call.region).later("load_balancer", gone)
    return call.moto()


@operation("elbv2", "SetSubnets")
def set_subnets(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    subnets = _asked_subnets(call, call.params)
    _check_zones(held.type, subnets)
    held.subnets = subnets
    _note_mappings(call, held.arn, call.params)
    _sync_interfaces(call, held)
    return {"AvailabilityZones": [{"ZoneName": s.availability_zone, "SubnetId": s.id} for s in subnets]}


@operation("elbv2", "SetSecurityGroups")
def set_groups(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    groups = list(call.params["SecurityGroups"])
    _check_groups(call, groups, held.vpc_id)
    if held.type == "network" and groups and not held.security_groups:
        raise AwsError(
            "InvalidConfigurationRequest", "A network load balancer that was made without security groups gets none"
        )
    held.security_groups = groups
    enforce = call.params.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    if enforce is not None:
        if held.type != "network":
            raise AwsError("InvalidConfigurationRequest", "Only network load balancers serve PrivateLink")
        store_of(call.account, call.region).notes(held.arn)["enforce"] = enforce
    _sync_interfaces(call, held)
    return {"SecurityGroupIds": groups}


@operation("elbv2", "SetIpAddressType")
def set_address_type(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    wanted = call.params["IpAddressType"]
    if wanted != "ipv4" and not all(s.ipv6_cidr_block_associations for s in held.subnets):
        raise AwsError("InvalidSubnet", "All subnets must have an IPv6 CIDR block for dualstack")
    held.ip_address_type = wanted
    return {"IpAddressType": wanted}


@operation("elbv2", "ModifyIpPools")
def modify_pools(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    notes = store_of(call.account, call.region).notes(held.arn)
    if call.params.get("RemoveIpamPools"):
        notes.pop("pools", None)
    if "IpamPools" in call.params:
        notes["pools"] = call.params["IpamPools"]
    return {"IpamPools": notes["pools"]} if "pools" in notes else {}


@operation("elbv2", "DescribeCapacityReservation")
def describe_capacity(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    units = store_of(call.account, call.region).note(held.arn, "capacity")
    return {"MinimumLoadBalancerCapacity": {"CapacityUnits": units}} if units is not None else {}


@operation("elbv2", "ModifyCapacityReservation")
def modify_capacity(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    notes = store_of(call.account, call.region).notes(held.arn)
    if call.params.get("ResetCapacityReservation"):
        notes.pop("capacity", None)
        return {}
    wanted = call.params.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
    if wanted is None:
        raise AwsError("ValidationError", "Either MinimumLoadBalancerCapacity or ResetCapacityReservation is needed")
    if int(wanted) < 100:
        raise AwsError("InvalidConfigurationRequest", "At least 100 capacity units must be reserved")
    notes["capacity"] = int(wanted)
    return {"MinimumLoadBalancerCapacity": {"CapacityUnits": int(wanted)}}


def _changed(held: dict[str, str], usual: dict[str, str], asked: list[Params]) -> dict[str, str]:
    """Attributes with what was asked for; a key that this kind of object does not have is refused."""
    keys = [a["Key"] for a in asked]
    for key in keys:
        if key not in usual:
            raise AwsError("InvalidConfigurationRequest", f"The attribute key '{key}' is not recognized")
    if len(set(keys)) != len(keys):
        raise AwsError("InvalidConfigurationRequest", "An attribute key is specified more than once")
    return held | {a["Key"]: str(a.get("Value", "")) for a in asked}


def _told(attributes: dict[str, str]) -> Params:
    return {"Attributes": [{"Key": k, "Value": v} for k, v in sorted(attributes.items())]}


@operation("elbv2", "ModifyLoadBalancerAttributes")
def modify_attributes(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    changed = _changed(dict(held.attrs), _BALANCER_ATTRIBUTES[held.type], call.params["Attributes"])
    if held.type == "application" and changed["load_balancing.cross_zone.enabled"] != "true":
        raise AwsError(
            "InvalidConfigurationRequest", "Cross-zone load balancing is always on for application load balancers"
        )
    for kind in ("access_logs", "connection_logs"):
        if changed.get(f"{kind}.s3.enabled") == "true" and not changed.get(f"{kind}.s3.bucket"):
            raise AwsError("InvalidConfigurationRequest", "A bucket name must be specified to enable logs")
    held.attrs = changed
    return _told(changed)


@operation("elbv2", "DescribeLoadBalancerAttributes")
def describe_attributes(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    return _told({k: str(v) for k, v in held.attrs.items()})


# MARK: target groups


def _group(call: Call, arn: str) -> Any:
    held = backend(call).target_groups.get(arn)
    if held is None:
        raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
    return held


@operation("elbv2", "CreateTargetGroup")
def create_group(call: Call) -> Params:
    name = call.params["Name"]
    wanted = digest(call.params, ("Tags",))
    convert = item_converter("elbv2", "DescribeTargetGroups", "TargetGroups")
    for held in backend(call).target_groups.values():
        if held.name == name:
            if getattr(held, "asked", None) == wanted:
                return {"TargetGroups": [convert(held)]}
            raise AwsError(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
    vpc_id = call.params.get("VpcId")
    if vpc_id is not None and vpc_id not in call.ec2.vpcs:
        raise AwsError("ValidationError", f"The VPC ID '{vpc_id}' is not found")
    params = dict(call.params)
    kind, protocol = params.get("TargetType", "instance"), params.get("Protocol")
    if kind != "lambda":
        # What AWS chooses by the protocol and moto does not.
        is_http = params.get("HealthCheckProtocol", protocol) in ("HTTP", "HTTPS")
        if protocol in ("TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"):
            params.setdefault("HealthCheckProtocol", "TCP")
            is_http = params["HealthCheckProtocol"] in ("HTTP", "HTTPS")
        if is_http:
            params.setdefault("HealthCheckPath", "/")
        params.setdefault("HealthCheckTimeoutSeconds", 5 if protocol in ("HTTP", "HTTPS") else 6 if is_http else 10)
        if protocol in ("HTTP", "HTTPS"):
            params.setdefault("ProtocolVersion", "HTTP1")
    _check_health(params)
    made = call.moto(params)
    held = backend(call).target_groups[made["TargetGroups"][0]["TargetGroupArn"]]
    held.asked = wanted
    held.attributes = dict(_usual_group_attributes(held))
    if params.get("Matcher", {}).get("GrpcCode"):
        held.matcher = {"GrpcCode": params["Matcher"]["GrpcCode"]}
    return {"TargetGroups": [convert(held)]}


def _check_health(params: Params) -> None:
    interval, timeout = params.get("HealthCheckIntervalSeconds"), params.get("HealthCheckTimeoutSeconds")
    if interval is not None and timeout is not None and int(timeout) >= int(interval):
        raise AwsError("ValidationError", "Health check timeout must be smaller than the interval")
    for name in ("HealthyThresholdCount", "UnhealthyThresholdCount"):
        if name in params and not 2 <= int(params[name]) <= 10:
            raise AwsError("ValidationError", f"{name} must be between 2 and 10")


def _usual_group_attributes(group: Any) -> dict[str, str]:
    if group.target_type == "lambda":
        return _LAMBDA_GROUP_ATTRIBUTES
    if group.protocol == "GENEVE":
        return _GENEVE_GROUP_ATTRIBUTES
    return _HTTP_GROUP_ATTRIBUTES if group.protocol in ("HTTP", "HTTPS") else _NETWORK_GROUP_ATTRIBUTES


@operation("elbv2", "ModifyTargetGroup")
def modify_group(call: Call) -> Params:
    held = _group(call, call.params["TargetGroupArn"])
    _check_health(
        {
            "HealthCheckIntervalSeconds": held.health_check_interval_seconds,
            "HealthCheckTimeoutSeconds": held.health_check_timeout_seconds,
        }
        | call.params
    )
    for name, attribute in (
        ("HealthCheckProtocol", "health_check_protocol"),
        ("HealthCheckPort", "health_check_port"),
        ("HealthCheckPath", "health_check_path"),
        ("HealthCheckEnabled", "health_check_enabled"),
        ("HealthCheckIntervalSeconds", "health_check_interval_seconds"),
        ("HealthCheckTimeoutSeconds", "health_check_timeout_seconds"),
        ("HealthyThresholdCount", "healthy_threshold_count"),
        ("UnhealthyThresholdCount", "unhealthy_threshold_count"),
        ("Matcher", "matcher"),
    ):
        if name in call.params:
            setattr(held, attribute, call.params[name])
    held.asked = None
    return {"TargetGroups": [item_converter("elbv2", "DescribeTargetGroups", "TargetGroups")(held)]}


@operation("elbv2", "DescribeTargetGroupAttributes")
def describe_group_attributes(call: Call) -> Params:
    return _told(_group(call, call.params["TargetGroupArn"]).attributes)


@operation("elbv2", "ModifyTargetGroupAttributes")
def modify_group_attributes(call: Call) -> Params:
    held = _group(call, call.params["TargetGroupArn"])
    changed = _changed(held.attributes, _usual_group_attributes(held), call.params["Attributes"])
    kind = changed.get("stickiness.type")
    if kind == "app_cookie" and not changed["stickiness.app_cookie.cookie_name"]:
        raise AwsError(
            "InvalidConfigurationRequest",
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        )
    if "slow_start.duration_seconds" in changed:
        slow = int(changed["slow_start.duration_seconds"])
        if slow and not 30 <= slow <= 900:
            raise AwsError("ValidationError", "slow_start.duration_seconds must be 0 or between 30 and 900")
        if slow and changed["load_balancing.algorithm.type"] != "round_robin":
            raise AwsError("InvalidConfigurationRequest", "Slow start needs the algorithm round_robin")
    if not 0 <= int(changed.get("deregistration_delay.timeout_seconds", "0")) <= 3600:
        raise AwsError("ValidationError", "deregistration_delay.timeout_seconds must be between 0 and 3600")
    held.attributes = changed
    return _told(changed)


@operation("elbv2", "DescribeTargetGroups")
def describe_groups(call: Call) -> Params:
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("PageSize", "Marker")})["TargetGroups"]
    for group in shown:
        group["LoadBalancerArns"] = sorted(_balancers_using(call, group["TargetGroupArn"]))
    part, more = page(call, shown, "PageSize", "Marker", 1, 400, 400)
    return {"TargetGroups": part} | ({"NextMarker": more} if more else {})


@operation("elbv2", "DeleteTargetGroup")
def delete_group(call: Call) -> Params:
    arn = call.params["TargetGroupArn"]
    if arn not in backend(call).target_groups:
        return {}
    if _balancers_using(call, arn):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    return call.moto()


def _targets_of(actions: list[Any]) -> set[str]:
    out: set[str] = set()
    for action in actions or []:
        data = getattr(action, "data", action)
        if data.get("TargetGroupArn"):
            out.add(data["TargetGroupArn"])
        out |= {
            g["TargetGroupArn"]
            for g in (data.get("ForwardConfig") or {}).get("TargetGroups", [])
            if "TargetGroupArn" in g
        }
    return out


def _balancers_using(call: Call, group_arn: str) -> set[str]:
    out = set()
    for balancer in backend(call).load_balancers.values():
        for listener in balancer.listeners.values():
            used = _targets_of(listener.default_actions)
            for rule in listener.rules.values():
                used |= _targets_of(rule.actions)
            if group_arn in used:
                out.add(balancer.arn)
    return out


@operation("elbv2", "RegisterTargets")
def register(call: Call) -> Params:
    group = _group(call, call.params["TargetGroupArn"])
    for target in call.params["Targets"]:
        if group.target_type == "instance":
            _check_instance(call, group, target["Id"])
    call.moto()
    for target in call.params["Targets"]:
        store_of(call.account, call.region).bear(f"{group.arn}/{_target_key(group, target)}")
    return {}


def _check_instance(call: Call, group: Any, instance_id: str) -> None:
    from .ec2 import instances

    try:
        instance = instances.get(call, instance_id)
    except AwsError as error:
        raise AwsError("InvalidTarget", f"The following targets are not valid instances: '{instance_id}'") from error
    state = instances.state_of(call, instance)[1]
    if state != "running":
        raise AwsError(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{instance_id}'",
        )
    if instance.vpc_id != group.vpc_id:
        raise AwsError(
            "InvalidTarget", f"The following targets are not in the VPC of the target group: '{instance_id}'"
        )


@operation("elbv2", "DeregisterTargets")
def deregister(call: Call) -> Params:
    group = _group(call, call.params["TargetGroupArn"])
    known = [t for t in call.params["Targets"] if _target_key(group, t) in group.targets]
    for target in known:
        store_of(call.account, call.region).notes(f"{group.arn}/{_target_key(group, target)}")["left"] = clock.now()
    return call.moto({"TargetGroupArn": group.arn, "Targets": known}) if known else {}


@operation("elbv2", "DescribeTargetHealth")
def health(call: Call) -> Params:
    group = _group(call, call.params["TargetGroupArn"])
    store = store_of(call.account, call.region)
    leaving = {
        key: target
        for key, target in group.deregistered_targets.items()
        if clock.is_pending("load_balancer", store.note(f"{group.arn}/{key}", "left"))
    }
    is_used = bool(_balancers_using(call, group.arn))
    wanted = call.params.get("Targets") or [*group.targets.values(), *leaving.values()]
    out = []
    for target in wanted:
        key = _target_key(group, target)
        port = target.get("Port") or (group.targets.get(key) or {}).get("Port") or group.port
        check = group.health_check_port
        shown: Params = {
            "Target": {"Id": target["Id"], "Port": int(port or 80)},
            "HealthCheckPort": str(port if check == "traffic-port" else check),
        }
        if group.target_type == "lambda":
            del shown["Target"]["Port"], shown["HealthCheckPort"]
        state, reason, description = _verdict(call, group, key, target["Id"], is_used, key in leaving)
        shown["TargetHealth"] = {"State": state}
        if reason:
            shown["TargetHealth"] |= {"Reason": reason, "Description": description}
        out.append(shown)
    return {"TargetHealthDescriptions": out}


def _verdict(
    call: Call, group: Any, key: str, target_id: str, is_used: bool, is_leaving: bool
) -> tuple[str, str, str]:
    from .ec2 import instances

    if key not in group.targets:
        if is_leaving:
            return ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
        return ("unused", "Target.NotRegistered", "Target is not registered to the target group")
    if not is_used:
        return (
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        )
    if store_of(call.account, call.region).is_young(f"{group.arn}/{key}", "load_balancer"):
        return ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    if group.target_type == "instance":
        instance = call.ec2.get_instance_by_id(target_id)
        if instance is None or instances.state_of(call, instance)[1] != "running":
            return ("unused", "Target.InvalidState", "Target is in the stopped state")
    return ("healthy", "", "")


# MARK: listeners


def _shown_listener(call: Call, held: Any) -> Params:
    shown: Params = item_converter("elbv2", "DescribeListeners", "Listeners")(held)
    if shown.get("Protocol") not in ("HTTPS", "TLS"):
        shown.pop("SslPolicy", None)
        shown.pop("Certificates", None)
    else:
        shown.setdefault("SslPolicy", _DEFAULT_POLICY)
        shown["Certificates"] = [{"CertificateArn": c["CertificateArn"]} for c in shown.get("Certificates", [])[:1]]
    if shown.get("Protocol") == "HTTPS":
        mutual = store_of(call.account, call.region).note(held.arn, "mutual", {"Mode": "off"})
        shown["MutualAuthentication"] = mutual
    if not shown.get("AlpnPolicy"):
        shown.pop("AlpnPolicy", None)
    shown["DefaultActions"] = _shown_actions(held.default_actions)
    return shown


_REDIRECT = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
_SESSION = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def _shown_actions(actions: list[Any]) -> list[Params]:
    """Actions as AWS tells them: groups both ways, defaults filled in, no secret."""
    out = []
    for index, action in enumerate(actions or []):
        shown = dict(getattr(action, "data", action))
        shown.setdefault("Order", index + 1)
        if shown["Type"] == "forward":
            config = dict(shown.get("ForwardConfig") or {})
            groups = config.get("TargetGroups") or [{"TargetGroupArn": shown["TargetGroupArn"]}]
            config["TargetGroups"] = [{"Weight": 1} | g for g in groups]
            config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
            shown["ForwardConfig"] = config
            if len(groups) == 1:
                shown["TargetGroupArn"] = groups[0]["TargetGroupArn"]
            else:
                shown.pop("TargetGroupArn", None)
        if "RedirectConfig" in shown:
            shown["RedirectConfig"] = _REDIRECT | shown["RedirectConfig"]
        if "AuthenticateOidcConfig" in shown:
            hidden = ("ClientSecret", "UseExistingClientSecret")
            config = {k: v for k, v in shown["AuthenticateOidcConfig"].items() if k not in hidden}
            shown["AuthenticateOidcConfig"] = _SESSION | config
        if "AuthenticateCognitoConfig" in shown:
            shown["AuthenticateCognitoConfig"] = _SESSION | shown["AuthenticateCognitoConfig"]
        out.append(shown)
    return out


def _check_actions(call: Call, balancer: Any, actions: list[Params], before: list[Any] | None) -> None:
    """`before`: the actions that are replaced; None for a new listener or rule."""
    has_secret = any("AuthenticateOidcConfig" in getattr(a, "data", a) for a in before or [])
    if actions and actions[-1]["Type"] not in ("forward", "redirect", "fixed-response"):
        raise AwsError("InvalidLoadBalancerAction", "The last action must forward, redirect or answer")
    if len(actions) > 1 and any("Order" not in a for a in actions):
        raise AwsError("ValidationError", "An order must be specified where there are several actions")
    for action in actions:
        oidc = action.get("AuthenticateOidcConfig")
        if oidc is None:
            continue
        is_kept = str(oidc.get("UseExistingClientSecret", "false")).lower() == "true"
        if is_kept == ("ClientSecret" in oidc) or (is_kept and not has_secret):
            raise AwsError("InvalidLoadBalancerAction", "You must specify a client secret, or use the existing one")
    for arn in _targets_of(actions):
        if arn not in backend(call).target_groups:
            raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
        others = _balancers_using(call, arn) - {balancer.arn}
        if others:
            raise AwsError(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {arn}",
            )
        kind = backend(call).target_groups[arn].protocol
        is_http = kind in ("HTTP", "HTTPS", None)
        if is_http != (balancer.type == "application"):
            raise AwsError(
                "InvalidConfigurationRequest", f"Target group '{arn}' does not fit a load balancer of this type"
            )


def _balancer_of(call: Call, listener: Any) -> Any:
    return backend(call).load_balancers[listener.load_balancer_arn]


def _check_listener(call: Call, protocol: str | None, params: Params, has_certificate: bool) -> None:
    secure = protocol in ("HTTPS", "TLS")
    certificates = params.get("Certificates") or []
    if secure and not certificates and not has_certificate:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    for certificate in certificates:
        arn = certificate.get("CertificateArn", "")
        if ":acm:" in arn:
            try:
                held = acm.get(call, arn)
            except AwsError as error:
                raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found") from error
            if held.status != "ISSUED":
                raise AwsError(
                    "UnsupportedCertificate",
                    f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and be issued.",
                )
    if certificates and not secure:
        raise AwsError("InvalidConfigurationRequest", "Certificates can only be specified for HTTPS and TLS")
    policy = params.get("SslPolicy")
    if policy is not None and policy not in SSL_POLICIES:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    alpn = params.get("AlpnPolicy")
    if alpn and alpn != ["None"] and protocol != "TLS":
        raise AwsError("ALPNPolicyNotSupported", "An ALPN policy can only be specified for TLS")
    mutual = params.get("MutualAuthentication")
    if mutual is not None:
        if protocol != "HTTPS":
            raise AwsError("InvalidConfigurationRequest", "Mutual authentication needs HTTPS")
        if (mutual.get("Mode") == "verify") != ("TrustStoreArn" in mutual):
            raise AwsError("ValidationError", "A trust store belongs to the mode verify")


@operation("elbv2", "CreateListener")
def create_listener(call: Call) -> Params:
    balancer = get(call, call.params["LoadBalancerArn"])
    wanted = digest(call.params, ("Tags",))
    port = call.params.get("Port")
    for held in balancer.listeners.values():
        if str(held.port) == str(port):
            if getattr(held, "asked", None) == wanted:
                return {"Listeners": [_shown_listener(call, held)]}
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    protocol = call.params.get("Protocol")
    if protocol not in (*_PROTOCOLS[balancer.type], None):
        raise AwsError("UnsupportedProtocol", f"The protocol '{protocol}' is not supported")
    _check_listener(call, protocol, call.params, has_certificate=False)
    _check_actions(call, balancer, call.params["DefaultActions"], None)
    params = dict(call.params)
    if protocol in ("HTTPS", "TLS"):
        params.setdefault("SslPolicy", _DEFAULT_POLICY)
    made = call.moto({k: v for k, v in params.items() if k != "MutualAuthentication"})
    held = balancer.listeners[made["Listeners"][0]["ListenerArn"]]
    held.asked = wanted
    held.attributes = dict(_LISTENER_ATTRIBUTES.get(held.protocol, {}))
    if "MutualAuthentication" in params:
        store_of(call.account, call.region).notes(held.arn)["mutual"] = params["MutualAuthentication"]
    return {"Listeners": [_shown_listener(call, held)]}


def _listener(call: Call, arn: str) -> Any:
    for balancer in backend(call).load_balancers.values():
        if arn in balancer.listeners:
            return balancer.listeners[arn]
    raise AwsError("ListenerNotFound", f"One or more listeners not found: {arn}")


@operation("elbv2", "ModifyListener")
def modify_listener(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    port = call.params.get("Port")
    if port is not None:
        for other in backend(call).load_balancers[held.load_balancer_arn].listeners.values():
            if other is not held and str(other.port) == str(port):
                raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    balancer = _balancer_of(call, held)
    protocol = call.params.get("Protocol", held.protocol)
    if protocol not in _PROTOCOLS[balancer.type]:
        raise AwsError("UnsupportedProtocol", f"The protocol '{protocol}' is not supported")
    _check_listener(call, protocol, call.params, has_certificate=bool(held.certificates))
    actions = call.params.get("DefaultActions")
    if actions is not None:
        _check_actions(call, balancer, actions, held.default_actions)
        held.default_actions = [FakeAction(a) for a in actions]
        held._default_rule[0].actions = held.default_actions
    held.asked = None
    held.port = port if port is not None else held.port
    if protocol != held.protocol:
        held.protocol = protocol
        held.attributes = dict(_LISTENER_ATTRIBUTES.get(protocol, {}))
        if protocol not in ("HTTPS", "TLS"):
            held.certificate, held.certificates = None, []
    if call.params.get("Certificates"):
        # The listener's own is exchanged; the additional ones stay.
        own = call.params["Certificates"][0]["CertificateArn"]
        more = [c for c in map(acm._arn_of, held.certificates[1:]) if c != own]
        held.certificate, held.certificates = own, [own, *more]
    if "SslPolicy" in call.params:
        held.ssl_policy = call.params["SslPolicy"]
    if "AlpnPolicy" in call.params:
        held.alpn_policy = [p for p in call.params["AlpnPolicy"] if p != "None"]
    if "MutualAuthentication" in call.params:
        store_of(call.account, call.region).notes(held.arn)["mutual"] = call.params["MutualAuthentication"]
    return {"Listeners": [_shown_listener(call, held)]}


@operation("elbv2", "DescribeListeners")
def describe_listeners(call: Call) -> Params:
    arns = call.params.get("ListenerArns")
    if not arns and "LoadBalancerArn" not in call.params:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    if arns:
        held = [_listener(call, a) for a in arns]
    else:
        held = list(get(call, call.params["LoadBalancerArn"]).listeners.values())
    part, more = page(call, [_shown_listener(call, h) for h in held], "PageSize", "Marker", 1, 400, 400)
    return {"Listeners": part} | ({"NextMarker": more} if more else {})


@operation("elbv2", "AddListenerCertificates")
def add_certificates(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    _check_listener(call, held.protocol, {"Certificates": call.params["Certificates"]}, has_certificate=True)
    known = {acm._arn_of(c) for c in held.certificates}
    fresh = [c for c in call.params["Certificates"] if c.get("CertificateArn") not in known]
    if fresh:
        call.moto({"ListenerArn": held.arn, "Certificates": fresh})
    return {
        "Certificates": [
            {"CertificateArn": c["CertificateArn"], "IsDefault": False} for c in call.params["Certificates"]
        ]
    }


@operation("elbv2", "RemoveListenerCertificates")
def remove_certificates(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    gone = {c["CertificateArn"] for c in call.params["Certificates"]}
    own = [acm._arn_of(c) for c in held.certificates[:1]]
    if gone & set(own):
        raise AwsError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    held.certificates = own + [c for c in map(acm._arn_of, held.certificates[1:]) if c not in gone]
    return {}


@operation("elbv2", "DescribeListenerCertificates")
def describe_certificates(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    shown = [{"CertificateArn": acm._arn_of(c), "IsDefault": i == 0} for i, c in enumerate(held.certificates)]
    part, more = page(call, shown, "PageSize", "Marker", 1, 400, 400)
    return {"Certificates": part} | ({"NextMarker": more} if more else {})


@operation("elbv2", "DescribeListenerAttributes")
def describe_listener_attributes(call: Call) -> Params:
    return _told(_listener(call, call.params["ListenerArn"]).attributes)


@operation("elbv2", "ModifyListenerAttributes")
def modify_listener_attributes(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    held.attributes = _changed(
        held.attributes, _LISTENER_ATTRIBUTES.get(held.protocol, {}), call.params["Attributes"]
    )
    return _told(held.attributes)


@operation("elbv2", "DeleteListener")
def delete_listener(call: Call) -> Params:
    held = _listener(call, call.params["ListenerArn"])
    _balancer_of(call, held).listeners.pop(held.arn)
    return {}


# MARK: rules


def _rules(call: Call) -> dict[str, tuple[Any, Any]]:
    """All rules with their listeners, by ARN."""
    out: dict[str, tuple[Any, Any]] = {}
    for balancer in backend(call).load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                out[rule.arn] = (rule, listener)
    return out


def _rule_of(call: Call, arn: str) -> tuple[Any, Any]:
    held = _rules(call).get(arn)
    if held is None:
        raise AwsError("RuleNotFound", f"One or more rules not found: {arn}")
    return held


_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
}


def _shown_rule(rule: Any) -> Params:
    conditions = []
    for condition in rule.conditions or []:
        shown = dict(condition)
        config = shown.get(_CONFIGS.get(shown.get("Field", ""), ""), {})
        # Hosts and paths come back both ways.
        if shown.get("Field") in ("host-header", "path-pattern"):
            shown.setdefault("Values", config.get("Values", []))
            shown.setdefault(_CONFIGS[shown["Field"]], {"Values": shown["Values"]})
        conditions.append(shown)
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": conditions,
        "Actions": _shown_actions(rule.actions),
        "IsDefault": rule.is_default,
    }


def _check_conditions(conditions: list[Params]) -> None:
    count = 0
    for condition in conditions:
        field = condition.get("Field")
        if field not in _CONFIGS:
            raise AwsError("InvalidConfigurationRequest", f"Condition field '{field}' is not valid")
        configs = [c for c in _CONFIGS.values() if c in condition]
        if configs not in ([], [_CONFIGS[field]]):
            raise AwsError("InvalidConfigurationRequest", f"A condition on '{field}' has {configs[0]}")
        config = condition.get(_CONFIGS[field], {})
        values = config.get("Values") or condition.get("Values") or []
        if not values:
            raise AwsError("InvalidConfigurationRequest", "A condition value must be specified")
        if field == "http-header" and not config.get("HttpHeaderName"):
            raise AwsError("InvalidConfigurationRequest", "The name of the header must be specified")
        count += len(values)
    if count > 5:
        raise AwsError("TooManyConditionValues", "A rule may have 5 condition values at most")


@operation("elbv2", "CreateRule")
def create_rule(call: Call) -> Params:
    listener = _listener(call, call.params["ListenerArn"])
    priority = int(call.params["Priority"])
    if not 1 <= priority <= 50000:
        raise AwsError("ValidationError", "The priority must be between 1 and 50000")
    if any(str(r.priority) == str(priority) for r in listener.rules.values()):
        raise AwsError("PriorityInUse", f"The specified priority '{priority}' is in use")
    if len(listener.rules) > 100:
        raise AwsError("TooManyRules", "The maximum number of rules has been reached")
    _check_conditions(call.params["Conditions"])
    _check_actions(call, _balancer_of(call, listener), call.params["Actions"], None)
    made = call.moto(dict(call.params) | {"Priority": priority})
    return {"Rules": [_shown_rule(listener.rules[made["Rules"][0]["RuleArn"]])]}


@operation("elbv2", "DescribeRules")
def describe_rules(call: Call) -> Params:
    arns = call.params.get("RuleArns")
    if bool(arns) == ("ListenerArn" in call.params):
        raise AwsError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
    if arns:
        held = [_rule_of(call, a)[0] for a in arns]
    else:
        listener = _listener(call, call.params["ListenerArn"])
        held = sorted(listener.rules.values(), key=lambda r: (r.is_default, 0 if r.is_default else int(r.priority)))
    part, more = page(call, [_shown_rule(r) for r in held], "PageSize", "Marker", 1, 400, 400)
    return {"Rules": part} | ({"NextMarker": more} if more else {})


@operation("elbv2", "ModifyRule")
def modify_rule(call: Call) -> Params:
    rule, listener = _rule_of(call, call.params["RuleArn"])
    if rule.is_default:
        raise AwsError("OperationNotPermitted", "The default rule is changed with its listener")
    conditions, actions = call.params.get("Conditions"), call.params.get("Actions")
    if not conditions and not actions:
        raise AwsError("ValidationError", "Either conditions or actions must be specified")
    if conditions:
        _check_conditions(conditions)
        rule.conditions = conditions
    if actions:
        _check_actions(call, _balancer_of(call, listener), actions, rule.actions)
        rule.actions = [FakeAction(a) for a in actions]
    return {"Rules": [_shown_rule(rule)]}


@operation("elbv2", "SetRulePriorities")
def set_priorities(call: Call) -> Params:
    asked = {p["RuleArn"]: int(p["Priority"]) for p in call.params["RulePriorities"]}
    if len(set(asked.values())) != len(call.params["RulePriorities"]):
        raise AwsError("InvalidConfigurationRequest", "A priority or a rule is specified twice")
    held = {arn: _rule_of(call, arn) for arn in asked}
    for arn, (rule, listener) in held.items():
        if rule.is_default:
            raise AwsError("OperationNotPermitted", "The default rule has no priority")
        for other in listener.rules.values():
            if other.arn not in asked and str(other.priority) == str(asked[arn]):
                raise AwsError("PriorityInUse", f"The specified priority '{asked[arn]}' is in use")
    for arn, (rule, _) in held.items():
        rule.priority = asked[arn]
    return {"Rules": [_shown_rule(rule) for rule, _ in held.values()]}


@operation("elbv2", "DeleteRule")
def delete_rule(call: Call) -> Params:
    rule, listener = _rule_of(call, call.params["RuleArn"])
    if rule.is_default:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be deleted")
    listener.remove_rule(rule.arn)
    return {}


# MARK: tags


def _known(call: Call, arn: str) -> None:
    if ":targetgroup/" in arn:
        _group(call, arn)
    elif ":listener-rule/" in arn:
        _rule_of(call, arn)
    elif ":listener/" in arn:
        _listener(call, arn)
    else:
        get(call, arn)


@operation("elbv2", "DescribeTags")
def describe_tags(call: Call) -> Params:
    arns = call.params["ResourceArns"]
    if len(arns) > 20:
        raise AwsError("ValidationError", "At most 20 resources can be described at once")
    for arn in arns:
        _known(call, arn)
    held = backend(call).tagging_service
    return {
        "TagDescriptions": [
            {
                "ResourceArn": arn,
                "Tags": [{"Key": k, "Value": v} for k, v in held.get_tag_dict_for_resource(arn).items()],
            }
            for arn in arns
        ]
    }


@operation("elbv2", "AddTags")
def add_tags(call: Call) -> Params:
    held = backend(call).tagging_service
    for arn in call.params["ResourceArns"]:
        _known(call, arn)
        if len(held.get_tag_dict_for_resource(arn) | {t["Key"]: "" for t in call.params["Tags"]}) > 50:
            raise AwsError("TooManyTags", "You've reached the limit on the number of tags per resource")
    for arn in call.params["ResourceArns"]:
        held.tag_resource(arn, call.params["Tags"])
    return {}


@operation("elbv2", "RemoveTags")
def remove_tags(call: Call) -> Params:
    held = backend(call).tagging_service
    for arn in call.params["ResourceArns"]:
        _known(call, arn)
        held.untag_resource_using_names(arn, call.params["TagKeys"])
    return {}
