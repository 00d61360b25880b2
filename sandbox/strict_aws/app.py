"""From an HTTP request to an answer: log, faults, signatures, our handlers, and moto for the rest."""

from __future__ import annotations

import io
import json
import threading
import time
import traceback
import urllib.parse
import uuid
from dataclasses import dataclass
from typing import Any

from . import call as calls
from . import clock, errors, faults, identities, journal, machines, seeds, signatures, validity, wire
from .errors import AwsError
from .http11 import Answer, Request

# Signing name → botocore's name, for the services that are handled here. Anything else goes to moto as it is.
SERVICES: dict[str, tuple[str, str]] = {
    "ec2": ("ec2", "ec2"),
    "iam": ("iam", "query"),
    "sts": ("sts", "query"),
    "route53": ("route53", "rest-xml"),
    "ssm": ("ssm", "json"),
    "acm": ("acm", "json"),
    "autoscaling": ("autoscaling", "query"),
    "elasticloadbalancing": ("elbv2", "query"),
    "rds": ("rds", "query"),
    "elasticache": ("elasticache", "query"),
    "sns": ("sns", "query"),
    "ecr": ("ecr", "json"),
    "tagging": ("resourcegroupstaggingapi", "json"),
    "monitoring": ("cloudwatch", "query"),
}
_JSON_TARGETS = {
    "AmazonSSM": "ssm",
    "CertificateManager": "acm",
    "AmazonEC2ContainerRegistry": "ecr",
    "ResourceGroupsTaggingAPI": "tagging",
}
_UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
_HTML_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center>"
    b"<hr><center>proxy</center></body></html>"
)

# One request at a time: moto's models are not safe to change from several threads, and answers stay explainable.
_world = threading.RLock()


@dataclass
class _Intake:
    """What is known of a request before it is parsed."""

    request: Request
    scope: signatures.Scope | None
    service: str
    protocol: str
    operation: str = "?"
    flat: dict[str, Any] | None = None
    params: dict[str, Any] | None = None


def handle(request: Request) -> Answer:
    """Answers one request."""
    if request.path.startswith("/muster-sandbox/"):
        return _control(request)
    started = time.time()
    request_id = str(uuid.uuid4())
    intake = _recognise(request)
    error: AwsError | None = None
    answer: Answer
    code: str | None
    try:
        _parse(intake)
    except AwsError as refused:
        error = refused
    invalid = _invalid(intake)
    if invalid:
        error = AwsError(validity.CODE, f"{intake.service} {intake.operation}: {'; '.join(invalid)}")
    fault = faults.take(intake.service, intake.operation)
    if fault is not None and fault.delay:
        time.sleep(fault.delay)
    spoiled = _spoil(fault, intake, request_id) if fault is not None else None
    if spoiled is not None and fault is not None and fault.when == "before":
        answer = spoiled
        code = fault.code if fault.kind == "error" else fault.kind
    else:
        try:
            if error is not None:
                raise error
            answer = _answer(intake, request_id)
            code = _error_code(answer) if answer.status >= 400 else None
        except AwsError as refused:
            code = refused.code
            answer = Answer(*errors.render(refused, intake.protocol, intake.service, request_id))
        except Exception as failure:
            # A fault of ours: told in server.log and to the client, and never a 500 that is tried again.
            traceback.print_exc()
            told = errors.not_implemented(
                intake.service, intake.operation, f"failed: {type(failure).__name__}: {failure}"
            )
            code = told.code
            answer = Answer(*errors.render(told, intake.protocol, intake.service, request_id))
        if spoiled is not None and fault is not None:
            answer, code = spoiled, f"lost: {code or 'ok'}"
    answer.headers.setdefault("x-amzn-RequestId", request_id)
    scope = intake.scope
    journal.write(
        {
            "time": started,
            "seconds": round(time.time() - started, 6),
            "service": intake.service,
            "operation": intake.operation,
            "parameters": intake.flat or {},
            "status": 0 if answer.reset else answer.status,
            "error": code,
            "invalid": invalid,
            "region": scope.region if scope else None,
            "signing_name": scope.service if scope else None,
            "access_key": scope.access_key if scope else None,
            "bytes": len(request.body),
            "connection": request.connection,
            "user_agent": request.headers.get("User-Agent"),
            "request_id": request_id,
        }
    )
    return answer


def _invalid(intake: _Intake) -> list[str]:
    """What AWS's own model has against the request, where that is asked for."""
    request = intake.request
    if not validity.is_on() or not validity.concerns(request.headers.get("User-Agent")):
        return []
    name = intake.scope.service if intake.scope else ""
    service, protocol = validity.MORE_SERVICES.get(name, (intake.service, intake.protocol))
    return validity.check(service, protocol, request.method, request.target, request.headers, request.body)


def _error_code(answer: Answer) -> str:
    text = answer.body.decode("utf-8", "replace")
    if "<Code>" in text:
        return text.partition("<Code>")[2].partition("</Code>")[0]
    return str(answer.headers.get("x-amzn-ErrorType") or answer.headers.get("X-Amzn-ErrorType") or answer.status)


def _recognise(request: Request) -> _Intake:
    """Whose request this is, from the credential scope, the target or the version."""
    scope = signatures.scope_of(request)
    name: str | None = scope.service if scope else None
    target = request.headers.get("X-Amz-Target", "")
    if name is None and target:
        name = _JSON_TARGETS.get(target.partition(".")[0].split("_")[0])
    if name is None and request.path.startswith("/2013-04-01/"):
        name = "route53"
    if name is None and b"Action=" in request.body:
        version = urllib.parse.parse_qs(request.body.decode("utf-8", "replace")).get("Version", [""])[0]
        for signing, (service, _) in SERVICES.items():
            if wire.service_model(service).api_version == version:
                name = signing
                break
    # CloudWatch speaks three protocols; what is not a form is moto's.
    is_form = b"Action=" in request.body or request.method == "GET"
    if name in SERVICES and (name != "monitoring" or is_form):
        service, protocol = SERVICES[name]
        return _Intake(request, scope, service, protocol)
    protocol = "json" if target else "query"
    return _Intake(request, scope, name or "s3", protocol, operation=_moto_operation(request))


def _moto_operation(request: Request) -> str:
    target = request.headers.get("X-Amz-Target", "")
    if target:
        return target.rpartition(".")[2]
    if request.body.startswith(b"Action=") or b"&Action=" in request.body:
        return urllib.parse.parse_qs(request.body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    return f"{request.method} {request.path}"


def _parse(intake: _Intake) -> None:
    request, service, protocol = intake.request, intake.service, intake.protocol
    if service not in {s for s, _ in SERVICES.values()}:
        return
    if protocol == "rest-xml":
        path = urllib.parse.urlsplit(request.path).path
        intake.operation, intake.params = wire.parse_rest(
            service, request.method, path, request.query, request.headers, request.body
        )
        intake.flat = journal.flatten(intake.params)
    elif protocol == "json":
        intake.operation = request.headers.get("X-Amz-Target", "?").rpartition(".")[2]
        try:
            intake.params = json.loads(request.body or b"{}")
        except ValueError as error:
            raise AwsError("SerializationException", f"The request body is not JSON: {error}") from error
        intake.flat = journal.flatten(intake.params)
        if wire.operation_model(service, intake.operation) is None:
            raise AwsError("UnknownOperationException", f"{service} has no operation {intake.operation}.")
    else:
        text = request.body.decode("utf-8", "replace") or request.query
        flat = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        intake.operation = flat.get("Action", "?")
        intake.flat = {k: v for k, v in flat.items() if k not in ("Action", "Version")}
        model = wire.operation_model(service, intake.operation)
        if "Action" not in flat:
            raise AwsError("MissingAction", "The request is missing an action.")
        if flat.get("Version") != wire.service_model(service).api_version:
            raise AwsError("NoSuchVersion", f"{service} wants Version={wire.service_model(service).api_version}.")
        if model is None:
            raise AwsError("InvalidAction", f"The action {intake.operation} is not valid for this web service.")
        intake.params = wire.parse_form(model, flat, protocol)
    model = wire.operation_model(service, intake.operation)
    assert model is not None and intake.params is not None
    absent = wire.missing(model, intake.params)
    if absent is not None:
        code = "MissingParameter" if service in ("ec2", "rds", "elasticache") else "ValidationError"
        raise AwsError(code, f"The request must contain the parameter {absent}")


def _answer(intake: _Intake, request_id: str) -> Answer:
    scope = intake.scope
    if scope is None and intake.operation not in _UNSIGNED and intake.service != "s3":
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    with _world:
        signatures.check(intake.request, scope, intake.service, intake.protocol)
        access_key = scope.access_key if scope else "AKIAEXAMPLE"
        account = identities.account_of(access_key)
        if intake.params is None:
            return _moto_whole(intake, account)
        region = scope.region if scope else "us-east-1"
        call = calls.Call(intake.service, intake.operation, intake.params, account, region, access_key)
        if intake.service == "ec2" and intake.params.get("DryRun"):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        result = call.run()
        return Answer(*wire.write(intake.service, intake.operation, intake.protocol, result, request_id))


_moto_application: Any = None


def _moto_whole(intake: _Intake, account: str) -> Answer:
    """Services without an overlay: moto's own server application."""
    global _moto_application
    if _moto_application is None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        _moto_application = DomainDispatcherApplication(create_backend_app)
    request = intake.request
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote(request.path, "latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_X_MOTO_ACCOUNT_ID": account,
    }
    for name, value in request.headers.items():
        environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
    started: list[Any] = []
    try:
        body = b"".join(_moto_application(environ, lambda status, headers, *_: started.extend((status, headers))))
    except Exception as error:
        why = f"moto failed: {type(error).__name__}: {error}"
        raise errors.not_implemented(intake.service, intake.operation, why) from error
    status = int(started[0].split()[0])
    headers = {n: v for n, v in started[1] if n.lower() not in ("connection", "date", "server")}
    if status == 500 and body.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise errors.not_implemented(intake.service, intake.operation)
    return Answer(status, headers, body)


def _spoil(fault: faults.Fault, intake: _Intake, request_id: str) -> Answer | None:
    if fault.kind == "delay":
        return None
    if fault.kind == "reset connection":
        return Answer(0, reset=True)
    if fault.kind == "html page":
        return Answer(fault.status if fault.status != 503 else 502, {"Content-Type": "text/html"}, _HTML_PAGE)
    error = AwsError(fault.code, fault.message, fault.status)
    return Answer(*errors.render(error, intake.protocol, intake.service, request_id))


# MARK: control


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value, default=str).encode())


def _machine(method: str, identifier: str, request: Request) -> Answer:
    with _world:
        if method == "GET":
            found = machines.one(identifier)
            return _json(found, 404 if found is None else 200)
        try:
            are_due = bool(json.loads(request.body)["goodbyes"])
        except (ValueError, TypeError, KeyError):
            return _json({"error": 'want {"goodbyes": true or false}'}, 400)
        if not machines.say_goodbyes(identifier, are_due):
            return _json({"error": f"there is no {identifier}"}, 404)
    return _json({"ok": True})


def _control(request: Request) -> Answer:
    """`/muster-sandbox/…`: what AWS does not have."""
    match request.method, request.path.removeprefix("/muster-sandbox/"):
        case "GET", "health":
            return _json({"ok": True})
        case "GET", "log":
            return _json(journal.entries())
        case "POST", "log/reset":
            journal.reset()
        case "GET", "invalid":
            if not validity.is_on():
                return _json({"error": "requests are not checked: start it with MUSTER_SANDBOX_VALIDATE=1"}, 409)
            return _json(validity.refused())
        case "POST", "invalid/reset":
            validity.forget()
        case "GET", "faults":
            return _json(faults.pending())
        case "POST", "faults":
            try:
                faults.order(json.loads(request.body or b"[]"))
            except (ValueError, TypeError) as error:
                return _json({"error": str(error)}, 400)
        case "POST", "faults/reset":
            faults.reset()
        case "POST", "clock":
            try:
                clock.advance(float(json.loads(request.body)["advance"]))
            except (ValueError, TypeError, KeyError):
                return _json({"error": 'want {"advance": seconds}'}, 400)
        case "GET", "machines":
            with _world:
                return _json(machines.listed())
        case method, path if path.startswith("machines/"):
            return _machine(method, path.removeprefix("machines/"), request)
        case "POST", "reset":
            with _world:
                seeds.reset()
            journal.reset()
            faults.reset()
        case _:
            return _json({"error": f"no {request.method} {request.path} here"}, 404)
    return _json({"ok": True})
