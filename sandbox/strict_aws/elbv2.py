"""Load balancers: interfaces that hold groups and subnets, duplicates, protection, states, health."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.elbv2.models import FakeLoadBalancer, FakeRule
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
    return dict(item)


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
    made.attrs = dict(_ATTRIBUTES if made.type == "application" else _OTHER_TYPES)
    made.asked = wanted
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
    _sync_interfaces(call, held)
    return {"AvailabilityZones": [{"ZoneName": s.availability_zone, "SubnetId": s.id} for s in subnets]}


@operation("elbv2", "SetSecurityGroups")
def set_groups(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    groups = list(call.params["SecurityGroups"])
    _check_groups(call, groups, held.vpc_id)
    held.security_groups = groups
    _sync_interfaces(call, held)
    return {"SecurityGroupIds": groups}


@operation("elbv2", "DescribeLoadBalancerAttributes")
def describe_attributes(call: Call) -> Params:
    held = get(call, call.params["LoadBalancerArn"])
    return {"Attributes": [{"Key": k, "Value": str(v)} for k, v in sorted(held.attrs.items())]}


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
    made = call.moto()
    backend(call).target_groups[made["TargetGroups"][0]["TargetGroupArn"]].asked = wanted
    return made


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
        store_of(call.account, call.region).bear(f"{group.arn}/{target['Id']}")
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
    known = [t for t in call.params["Targets"] if t["Id"] in group.targets]
    for target in known:
        store_of(call.account, call.region).notes(f"{group.arn}/{target['Id']}")["left"] = clock.now()
    return call.moto({"TargetGroupArn": group.arn, "Targets": known}) if known else {}


@operation("elbv2", "DescribeTargetHealth")
def health(call: Call) -> Params:
    from .ec2 import instances

    group = _group(call, call.params["TargetGroupArn"])
    store = store_of(call.account, call.region)
    is_used = bool(_balancers_using(call, group.arn))
    leaving = [
        {"Id": i, "Port": t["Port"]}
        for i, t in group.deregistered_targets.items()
        if clock.is_pending("load_balancer", store.note(f"{group.arn}/{i}", "left"))
    ]
    wanted = call.params.get("Targets") or [{"Id": i} for i in group.targets] + leaving
    out = []
    for target in wanted:
        held = group.targets.get(target["Id"])
        port = target.get("Port") or (held or {}).get("Port") or group.port
        shown: Params = {"Target": {"Id": target["Id"], "Port": int(port or 80)}, "HealthCheckPort": str(port)}
        if held is None:
            draining = any(t["Id"] == target["Id"] for t in leaving)
            reason = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
            absent = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
            verdict = reason if draining else absent
        elif not is_used:
            verdict = (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            )
        elif store.is_young(f"{group.arn}/{target['Id']}", "load_balancer"):
            verdict = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
        else:
            verdict = ("healthy", "", "")
            if group.target_type == "instance":
                instance = call.ec2.get_instance_by_id(target["Id"])
                if instance is None or instances.state_of(call, instance)[1] != "running":
                    verdict = ("unused", "Target.InvalidState", "Target is in the stopped state")
        shown["TargetHealth"] = {"State": verdict[0]}
        if verdict[1]:
            shown["TargetHealth"] |= {"Reason": verdict[1], "Description": verdict[2]}
        out.append(shown)
    return {"TargetHealthDescriptions": out}


# MARK: listeners


def _shown_listener(shown: Params) -> Params:
    if shown.get("Protocol") not in ("HTTPS", "TLS"):
        shown.pop("SslPolicy", None)
        shown.pop("Certificates", None)
    else:
        shown.setdefault("SslPolicy", _DEFAULT_POLICY)
        shown["Certificates"] = [{"CertificateArn": c["CertificateArn"]} for c in shown.get("Certificates", [])[:1]]
    return shown


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
    policy = params.get("SslPolicy")
    if policy is not None and policy not in SSL_POLICIES:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    for arn in _targets_of(params.get("DefaultActions") or []):
        if arn not in backend(call).target_groups:
            raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")


@operation("elbv2", "CreateListener")
def create_listener(call: Call) -> Params:
    balancer = get(call, call.params["LoadBalancerArn"])
    wanted = digest(call.params, ("Tags",))
    port = call.params.get("Port")
    for held in balancer.listeners.values():
        if str(held.port) == str(port):
            if getattr(held, "asked", None) == wanted:
                return {"Listeners": [_shown_listener(item_converter("elbv2", "DescribeListeners", "Listeners")(held))]}
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    protocol = call.params.get("Protocol")
    _check_listener(call, protocol, call.params, has_certificate=False)
    params = dict(call.params)
    if protocol in ("HTTPS", "TLS"):
        params.setdefault("SslPolicy", _DEFAULT_POLICY)
    made = call.moto(params)
    for shown in made["Listeners"]:
        balancer.listeners[shown["ListenerArn"]].asked = wanted
        _shown_listener(shown)
    return made


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
    _check_listener(
        call, call.params.get("Protocol", held.protocol), call.params, has_certificate=bool(held.certificates)
    )
    held.asked = None
    made = call.moto()
    made["Listeners"] = [_shown_listener(s) for s in made.get("Listeners", [])]
    return made


@operation("elbv2", "DescribeListeners")
def describe_listeners(call: Call) -> Params:
    arns = call.params.get("ListenerArns")
    if arns:
        for arn in arns:
            _listener(call, arn)
    elif "LoadBalancerArn" in call.params:
        get(call, call.params["LoadBalancerArn"])
    else:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    shown = call.moto({k: v for k, v in call.params.items() if k not in ("PageSize", "Marker")})["Listeners"]
    part, more = page(call, [_shown_listener(s) for s in shown], "PageSize", "Marker", 1, 400, 400)
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
