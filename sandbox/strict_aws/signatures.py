"""SigV4: the credential scope of every request, and with MUSTER_SANDBOX_VERIFY=1 the proof of its signature."""

from __future__ import annotations

import hmac
import os
import time
import urllib.parse
from calendar import timegm
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import identities
from .errors import AwsError
from .http11 import Request

is_verifying: bool = os.environ.get("MUSTER_SANDBOX_VERIFY", "") not in ("", "0")
_SKEW_SECONDS = 300


@dataclass
class Scope:
    """The Authorization header, taken apart."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: list[str]
    signature: str


def scope_of(request: Request) -> Scope | None:
    """The credential scope, or nothing for an unsigned request."""
    header = request.headers.get("Authorization", "")
    if not header.startswith("AWS4-HMAC-SHA256"):
        return None
    parts = dict(p.strip().partition("=")[::2] for p in header.removeprefix("AWS4-HMAC-SHA256").split(","))
    credential = parts.get("Credential", "").split("/")
    if len(credential) != 5:
        return None
    key, date, region, service, _ = credential
    names = parts.get("SignedHeaders", "").split(";")
    return Scope(key, date, region, service.lower(), names, parts.get("Signature", ""))


class _FixedTime(SigV4Auth):  # type: ignore[misc]
    """botocore's canonicalisation, at the time and with the headers that the request names."""

    def headers_to_sign(self, request: AWSRequest):  # type: ignore[no-untyped-def]
        from http.client import HTTPMessage

        chosen = HTTPMessage()
        for name in request.context["signed_headers"]:
            for value in request.headers.get_all(name, []):
                chosen[name] = value
        return chosen

    def payload(self, request: AWSRequest) -> str:
        return str(request.context["payload"])


def check(request: Request, scope: Scope | None, service: str, protocol: str) -> None:
    """Refuses what AWS would refuse; does nothing unless verifying."""
    token = request.headers.get("X-Amz-Security-Token")
    if not is_verifying or scope is None:
        return
    if token == "EXPIRED":
        raise _expired(service, protocol)
    known = identities.secret_of(scope.access_key)
    if known is None:
        raise _unknown_key(service, protocol)
    secret, session = known
    if session is not None and token != session:
        raise _unknown_key(service, protocol)
    stamp = request.headers.get("X-Amz-Date", "")
    expected = _signature(request, scope, secret, stamp, service)
    if not hmac.compare_digest(expected, scope.signature):
        raise _mismatch(service, protocol)
    try:
        signed_at = timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError as error:
        raise _mismatch(service, protocol) from error
    limit = 900 if service == "s3" else _SKEW_SECONDS
    if abs(time.time() - signed_at) > limit:
        raise _skewed(service, protocol, stamp)
    if scope.access_key.startswith("AKIADENIED"):
        raise _denied(service, protocol)


def _signature(request: Request, scope: Scope, secret: str, stamp: str, service: str) -> str:
    import hashlib

    payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    url = "http://" + request.headers.get("Host", "") + request.target
    if service != "s3" and "?" in url:
        # botocore wants parameters decoded; it encodes and sorts them itself.
        base, _, query = url.partition("?")
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        prepared = AWSRequest(method=request.method, url=base, params=pairs)
    else:
        prepared = AWSRequest(method=request.method, url=url)
    for name in set(request.headers):
        if name not in prepared.headers:
            for value in request.headers.get_all(name, []):
                prepared.headers.add_header(name, value)
    prepared.context.update(signed_headers=scope.signed_headers, payload=payload, timestamp=stamp)
    kind = _S3Time if service == "s3" else _FixedTime
    signer = kind(Credentials(scope.access_key, secret), scope.service, scope.region)
    canonical = signer.canonical_request(prepared)
    return str(signer.signature(signer.string_to_sign(prepared, canonical), prepared))


class _S3Time(_FixedTime):
    def _normalize_url_path(self, path: str) -> str:
        return path


def _expired(service: str, protocol: str) -> AwsError:
    if service == "ec2":
        return AwsError("RequestExpired", "Request has expired.")
    code = "ExpiredTokenException" if protocol == "json" else "ExpiredToken"
    status = 400 if protocol == "json" or service == "s3" else 403
    return AwsError(code, "The security token included in the request is expired", status)


def _unknown_key(service: str, protocol: str) -> AwsError:
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service == "s3":
        return AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if protocol == "json":
        return AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")
    return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def _mismatch(service: str, protocol: str) -> AwsError:
    text = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if protocol == "json":
        return AwsError("InvalidSignatureException", text)
    return AwsError("SignatureDoesNotMatch", text, 403)


def _skewed(service: str, protocol: str, stamp: str) -> AwsError:
    if service == "ec2":
        return AwsError("RequestExpired", "Request has expired.")
    if service == "s3":
        text = "The difference between the request time and the current time is too large."
        return AwsError("RequestTimeTooSkewed", text, 403)
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    late = stamp < now
    text = (
        f"Signature expired: {stamp} is now earlier than {now}"
        if late
        else f"Signature not yet current: {stamp} is still later than {now}"
    )
    if protocol == "json":
        return AwsError("InvalidSignatureException", text)
    return AwsError("SignatureDoesNotMatch", text, 403)


def _denied(service: str, protocol: str) -> AwsError:
    if service == "ec2":
        text = "You are not authorized to perform this operation. Encoded authorization failure message: sandbox"
        return AwsError("UnauthorizedOperation", text, 403)
    who = "User: arn:aws:iam::123456789012:user/denied is not authorized to perform this operation"
    if protocol == "json":
        return AwsError("AccessDeniedException", who)
    return AwsError("AccessDenied", who, 403)
