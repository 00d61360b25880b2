"""ACM: issued once the validation record is in one of our zones, not deletable while a listener uses it."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.acm.models import CertBundle

from . import clock
from .call import Call, digest, operation
from .errors import AwsError
from .wire import Params

_HOUR = 3600.0
_USUAL_OPTIONS = {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}


def _backend(call: Call) -> Any:
    from moto.acm.models import acm_backends

    return acm_backends[call.account][call.region]


def _keep_waiting(self: Any) -> None:
    """moto issues certificates by the clock alone."""


CertBundle.check = _keep_waiting  # type: ignore[method-assign]


def get(call: Call, arn: str) -> Any:
    """moto's certificate, issued if it may be by now."""
    held = _backend(call)._certificates.get(arn)
    if held is None:
        raise AwsError("ResourceNotFoundException", f"Could not find certificate {arn}.")
    _settle(call, held)
    return held


def _names(held: Any) -> list[str]:
    return [held.common_name, *(n for n in getattr(held, "asked_names", []) if n != held.common_name)]


def record_for(arn: str, domain: str) -> Params:
    """The validation record of a domain; `*.x` and `x` share one."""
    base = domain.removeprefix("*.")
    left = hashlib.md5(f"{base}".encode()).hexdigest()
    right = hashlib.md5(f"{arn.split(':')[4]}{base}".encode()).hexdigest()
    return {"Name": f"_{left}.{base}.", "Type": "CNAME", "Value": f"_{right}.acm-validations.aws."}


def _settle(call: Call, held: Any) -> None:
    if held.status != "PENDING_VALIDATION" or getattr(held, "validation", "DNS") != "DNS":
        return
    from moto.route53.models import route53_backends

    wanted = [record_for(held.arn, n) for n in _names(held)]
    present: set[tuple[str, str]] = set()
    for zone in route53_backends[call.account]["aws"].zones.values():
        for (name, kind, _), record in getattr(zone, "records").items():  # ours, see route53.py
            if kind == "CNAME":
                present |= {(name, v["Value"].rstrip(".") + ".") for v in record.get("ResourceRecords", [])}
    if all((w["Name"], w["Value"]) in present for w in wanted):
        since = getattr(held, "validated_at", None)
        if since is None:
            held.validated_at = since = clock.now()
        if not clock.is_pending("certificate", since):
            held.status = "ISSUED"


def users_of(call: Call, arn: str) -> list[str]:
    """The load balancers whose listeners use a certificate."""
    from moto.elbv2.models import elbv2_backends

    regions = dict.get(elbv2_backends, call.account)
    backend = dict.get(regions, call.region) if regions is not None else None
    out: list[str] = []
    for balancer in backend.load_balancers.values() if backend is not None else ():
        for listener in balancer.listeners.values():
            if any(_arn_of(c) == arn for c in listener.certificates or []):
                out.append(balancer.arn)
    return sorted(set(out))


def _arn_of(certificate: Any) -> str:
    return str(certificate.get("CertificateArn") if isinstance(certificate, dict) else certificate)


@operation("acm", "RequestCertificate")
def request(call: Call) -> Params:
    params = call.params
    token = params.get("IdempotencyToken")
    wanted = digest(params, ("IdempotencyToken", "Tags"))
    if token is not None:
        for arn, held in _backend(call)._certificates.items():
            made = getattr(held, "token", None)
            if made is not None and made[:2] == (token, wanted) and clock.now() - made[2] < _HOUR:
                return {"CertificateArn": arn}
    made_arn = call.moto({k: v for k, v in params.items() if k != "IdempotencyToken"})["CertificateArn"]
    held = _backend(call)._certificates[made_arn]
    held.cert_options = _USUAL_OPTIONS | (params.get("Options") or {})
    held.asked_names = list(params.get("SubjectAlternativeNames") or [])
    held.validation = params.get("ValidationMethod", "DNS")
    held.token = (token, wanted, clock.now())
    held.key_algorithm = params.get("KeyAlgorithm", "RSA_2048")
    call.store.bear(made_arn)
    return {"CertificateArn": made_arn}


@operation("acm", "ImportCertificate")
def import_certificate(call: Call) -> Params:
    arn = call.params.get("CertificateArn")
    if arn is None:
        return call.moto()
    held = get(call, arn)
    if held.type != "IMPORTED":
        raise AwsError("ValidationException", f"The certificate {arn} was not imported.")
    if "Tags" in call.params:
        raise AwsError("ValidationException", "Tagging is not permitted on re-import.")
    tags = held.tags
    call.moto()
    # moto makes a new object, without what the old one had.
    _backend(call)._certificates[arn].tags = tags
    return {"CertificateArn": arn}


@operation("acm", "DescribeCertificate")
def describe(call: Call) -> Params:
    held = get(call, call.params["CertificateArn"])
    shown = call.moto()["Certificate"]
    names = _names(held)
    shown |= {"Status": held.status, "SubjectAlternativeNames": names, "InUseBy": users_of(call, held.arn)}
    shown["KeyAlgorithm"] = getattr(held, "key_algorithm", shown.get("KeyAlgorithm", "RSA_2048"))
    if held.type == "AMAZON_ISSUED":
        method = getattr(held, "validation", "DNS")
        options = []
        for name in names:
            option: Params = {"DomainName": name, "ValidationDomain": name, "ValidationMethod": method}
            option["ValidationStatus"] = "SUCCESS" if held.status == "ISSUED" else "PENDING_VALIDATION"
            if method == "DNS" and not call.store.is_young(held.arn, "certificate"):
                option["ResourceRecord"] = record_for(held.arn, name)
            options.append(option)
        shown["DomainValidationOptions"] = options
    if held.status != "ISSUED":
        for absent in ("IssuedAt", "NotBefore", "NotAfter", "Serial"):
            shown.pop(absent, None)
    return {"Certificate": shown}


@operation("acm", "ListCertificates")
def listing(call: Call) -> Params:
    params = call.params
    for held in _backend(call)._certificates.values():
        _settle(call, held)
    includes = dict(params.get("Includes") or {})
    includes.setdefault("keyTypes", ["RSA_2048"])  # AWS lists no other unless asked
    shown = []
    for summary in call.moto({k: v for k, v in params.items() if k in ("CertificateStatuses",)})[
        "CertificateSummaryList"
    ]:
        held = _backend(call)._certificates[summary["CertificateArn"]]
        summary["KeyAlgorithm"] = getattr(held, "key_algorithm", summary.get("KeyAlgorithm", "RSA_2048"))
        if summary["KeyAlgorithm"].replace("-", "_") not in includes["keyTypes"]:
            continue
        summary["InUse"] = bool(users_of(call, held.arn))
        names = _names(held)
        summary["SubjectAlternativeNameSummaries"] = names
        summary["HasAdditionalSubjectAlternativeNames"] = False
        if held.status != "ISSUED":
            for absent in ("IssuedAt", "NotBefore", "NotAfter"):
                summary.pop(absent, None)
        shown.append(summary)
    size = params.get("MaxItems", 1000)
    if not 1 <= size <= 1000:
        raise AwsError(
            "ValidationException",
            f"Value '{size}' at 'maxItems' failed to satisfy constraint: Member must have value from 1 to 1000",
        )
    start = 0
    if "NextToken" in params:
        if not str(params["NextToken"]).isdigit():
            raise AwsError("ValidationException", "Invalid NextToken.")
        start = int(params["NextToken"])
    out: Params = {"CertificateSummaryList": shown[start : start + size]}
    if start + size < len(shown):
        out["NextToken"] = str(start + size)
    return out


@operation("acm", "DeleteCertificate")
def delete(call: Call) -> Params:
    held = get(call, call.params["CertificateArn"])
    users = users_of(call, held.arn)
    if users:
        raise AwsError("ResourceInUseException", f"Certificate {held.arn} in account {call.account} is in use.")
    return call.moto()


@operation("acm", "UpdateCertificateOptions")
def update_options(call: Call) -> Params:
    held = get(call, call.params["CertificateArn"])
    wanted = call.params["Options"]
    if wanted.get("Export", held.cert_options.get("Export", "DISABLED")) != held.cert_options.get("Export", "DISABLED"):
        raise AwsError("ValidationException", "The export option cannot be changed.")
    held.cert_options = dict(held.cert_options) | wanted
    return {}
