"""What type of content a response was given: ``res.type("json")``, ``res.setHeader("Content-Type", "text/plain")``.

It is kept in the environment of the function that sets it, so that it ends with a branch; sinks of JavaScript, Python
and Go see it as ``content``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.go.builtins import CONTENT
from glasshouse.scan.interp.values import UNKNOWN, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

SETTERS = frozenset(
    "setHeader set header type contentType writeHead headers append set_header add_header send_header".split()
)
RESPONSES = frozenset(
    """express.Response http.ServerResponse fastify.Reply koa.Context hapi.Response tornado.web.RequestHandler
    http.server.BaseHTTPRequestHandler""".split()
)
SHORT = {"html": "text/html", "htm": "text/html", "txt": "text/plain", "text": "text/plain", "svg": "image/svg+xml"}
SHORT.update(xml="application/xml", xhtml="application/xhtml+xml")
DEPTH = 4  # functions inside one another


def note(frame: Frame, path: str, receiver: Value | None, given: Arguments) -> None:
    """A call that may set the type of what is answered."""
    owner, _, name = path.rpartition(".")
    if name not in SETTERS or receiver is None or frame.machine.matcher(frame).normal(owner) not in RESPONSES:
        return
    found: Value | None = None
    if name in ("type", "contentType"):
        found = named(given.pos[0]) if len(given.pos) == 1 else None
    elif name != "writeHead" and len(given.pos) == 2:
        if str(given.pos[0].const).lower() == "content-type":
            found = given.pos[1]
    elif given.pos:
        found = among(frame, given.pos[-1])
    if found is not None:
        frame.env[CONTENT] = found


def named(value: Value) -> Value:
    """``res.type("json")``: the type that a file ending stands for."""
    kind = value.const
    if kind.__class__ is not str or "/" in kind:
        return value
    kind = kind.lstrip(".").lower()
    return Value(SHORT.get(kind, f"application/{kind}"))


def among(frame: Frame, headers: Value) -> Value | None:
    """The type in an object of headers."""
    for ref in headers.refs:
        if ref.__class__ is Obj and ref.kind in attributes.CONTAINERS:
            for name, value in (frame.machine.fields(ref) or {}).items():
                if str(name).lower() == "content-type":
                    return value
    return None


def told(frame: Frame, given: Arguments) -> Arguments:
    """The arguments of a sink, with the type that was set before, here or in a function around."""
    where: Frame | None = frame
    for _ in range(DEPTH if frame.module.language == "javascript" else 1):
        if where is None:
            break
        found = where.env.get(CONTENT, UNKNOWN)
        if found is not UNKNOWN:
            return type(given)(given.pos, {**given.kw, "content": found}, given.rest)
        where = where.closure
    return given
