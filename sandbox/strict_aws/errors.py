"""Errors as AWS answers them, and the translation of what moto raises."""

from __future__ import annotations

from xml.sax.saxutils import escape


class AwsError(Exception):
    """An error answer: the service's code, its text and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def not_implemented(service: str, operation: str, why: str = "") -> AwsError:
    """What the sandbox cannot do. Not a 5xx that a client would try again: 501."""
    detail = f" ({why})" if why else ""
    return AwsError("NotImplemented", f"The sandbox does not implement {service} {operation}{detail}.", 501)


def render(error: AwsError, protocol: str, service: str, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """The answer on the wire, in the shape of the service's protocol."""
    if protocol == "json":
        import json

        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        return error.status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}, body
    code, text = escape(error.code), escape(error.message)
    kind = "Receiver" if error.status >= 500 else "Sender"
    if protocol == "ec2":
        xml = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif service == "s3":
        xml = f"<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{request_id}</RequestId></Error>"
    else:
        xml = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{text}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return error.status, {"Content-Type": "text/xml"}, ('<?xml version="1.0" encoding="UTF-8"?>\n' + xml).encode()
