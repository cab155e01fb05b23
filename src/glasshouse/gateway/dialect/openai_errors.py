"""How the OpenAI dialects word an error."""

from __future__ import annotations

import msgspec

from glasshouse.gateway.dialect.interface import ErrorKind

_TYPES: dict[ErrorKind, str] = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "invalid_request_error",
    "rate_limit": "rate_limit_error",
    "budget": "insufficient_quota",
    "withheld": "permission_error",
    "stopped": "permission_error",
    "approval": "permission_error",
    "upstream": "server_error",
    "timeout": "server_error",
    "closed": "server_error",
    "overloaded": "server_error",
    "internal": "server_error",
}


def error_body(kind: ErrorKind, message: str, code: str) -> bytes:
    """The body of an error answer."""
    error = {"message": message, "type": _TYPES[kind], "param": None, "code": code}
    return msgspec.json.encode({"error": error})
