"""Tests of an address's host: ``if urlparse(url).hostname not in ALLOWED: return`` decides where ``url`` leads.

What is parsed and what was parsed are harmless afterwards as the address of a request and of a redirect.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import NESTING, blocks_of
from glasshouse.scan.interp import elements
from glasshouse.scan.interp.access_paths import LOOK_BACK, definition

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.values import Value

HOSTS = frozenset(["hostname", "netloc", "host", "origin"])
PROTOCOLS = frozenset(["protocol", "scheme"])
ADDRESSES = frozenset(
    """urllib.parse.urlparse() urllib.parse.urlsplit() urlparse() urlsplit() httpx.URL yarl.URL furl.furl
    rfc3986.urlparse() rfc3986.uri_reference() werkzeug.urls.url_parse() tldextract.extract() URL url.URL url.parse()
    parse-url() url-parse whatwg-url.URL java.net.URI java.net.URL java.net.URI.create() parse_url()""".split()
)
GETTERS = {"getHost": "host", "getAuthority": "host", "getScheme": "protocol", "getProtocol": "protocol"}  # of Java
PARSERS = frozenset(
    """urlparse urlsplit URL parse url_parse furl Url uri_reference urljoin url_join unquote decodeURIComponent str
    String toString trim strip lower toLowerCase create URI toURI toURL parse_url strtolower""".split()
)
OPEN = re.compile(r"(?i)(?:https?|ftp|wss?):?/{0,2}$|(?:[a-z][a-z0-9+.-]*:)?//[^/?#\\]*$")
MOVES = 8
MAX_BLOCKS = 400  # of a function, looked through for the block around another


def open_after(frame: Frame, prefix: Value) -> bool:
    """Whether what follows a prefix decides the host of an address: ``https://``, but also ``https://shop.example``."""
    parts = [prefix, *(elements.known_elements(frame, prefix, "values") or [] if prefix.refs else [])]
    return any(part.const.__class__ is str and OPEN.match(part.const) is not None for part in parts)


def is_host(frame: Frame, ins: ir.Instr) -> bool:
    """Whether an instruction reads the host of a parsed address."""
    return ins[0] == ir.ATTR and ins[4] in HOSTS and frame.val(ins[3]).path in ADDRESSES


def ruled_out(frame: Frame, ins: ir.Instr) -> int:
    """What it makes harmless that a part of a parsed address is one of the program's own: its host, its protocol."""
    part, machine = part_of(frame, ins), frame.machine
    if part in HOSTS:  # in PHP, files are read by address too
        more = machine.bit("path") if frame.module.language == "php" else 0
        return machine.bit("ssrf") | machine.bit("redirect") | more
    return machine.bit("xss") if part in PROTOCOLS else 0  # no ``javascript:`` address


def part_of(frame: Frame, ins: ir.Instr) -> str:
    """The name of the part of an address that an instruction reads."""
    if ins[0] not in (ir.ATTR, ir.CALL, ir.CALL_METHOD, ir.ITEM):
        return ""
    owner = frame.val(ins[3]).path
    if ins[0] == ir.CALL and owner == "parse_url" and len(ins[4]) == 2 and ins[4][1].__class__ is not list:
        part = frame.val(ins[4][1]).path
        return part.removeprefix("PHP_URL_").lower() if part.startswith("PHP_URL_") else ""
    if owner not in ADDRESSES:
        return ""
    if ins[0] == ir.ATTR:
        return str(ins[4])
    if ins[0] == ir.CALL_METHOD:
        return GETTERS.get(ins[4], "")
    return str(frame.val(ins[4]).const) if ins[0] == ir.ITEM else ""


def allowed(frame: Frame, block: ir.Block, position: int, ins: ir.Instr) -> None:
    """What ``ins`` (at ``position``) gave is one of the program's own values: Java's and PHP's ways to read a host."""
    mask = ruled_out(frame, ins)
    if mask:
        passed(frame, block, position, ins[4][0] if ins[0] == ir.CALL else ins[3], mask)


def read(frame: Frame, block: ir.Block, position: int, operand: Any) -> tuple[ir.Block, int, ir.Instr] | None:
    """Where an operand was read as the host or the protocol of a parsed address, if it was."""
    for _ in range(MOVES):
        block, position, ins = origin(frame, block, position, operand)
        if ins is None:
            return None
        if ins[0] == ir.MOVE:
            operand = ins[3]
        elif ins[0] == ir.CALL_METHOD and ins[4] in PARSERS and not ins[5]:
            operand = ins[3]  # ``host.lower()``
        elif ins[0] == ir.CALL and frame.val(ins[3]).path in ("$copy", "strtolower") and ins[4]:
            operand = ins[4][0]
        else:
            return (block, position, ins) if ruled_out(frame, ins) else None
    return None


def checked(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """The operand has passed a test; if it is the host of an address, that address has."""
    found = read(frame, block, position, operand)
    if found is not None:
        block, position, ins = found
        allowed(frame, block, position, ins)


def passed(frame: Frame, block: ir.Block, position: int, operand: Any, mask: int) -> None:
    """A parsed address, and what it was parsed from, lead to a host that was allowed."""
    from glasshouse.scan.interp import refine

    for _ in range(MOVES):
        refine.scrub(frame, block, position, operand, mask, 1)
        block, position, ins = origin(frame, block, position, operand)
        if ins is None:
            return
        if ins[0] in (ir.MOVE, ir.AWAIT):
            operand = ins[3]
            continue
        name, args = called(frame, ins)
        if name not in PARSERS:
            return
        if args:
            operand = args[-1] if name in ("urljoin", "url_join") else args[0]
        elif ins[0] == ir.CALL_METHOD:
            operand = ins[3]
        else:
            return


def called(frame: Frame, ins: ir.Instr) -> tuple[str, list[Any]]:
    """The last name of what an instruction calls, and what it is given by position."""
    if ins[0] == ir.CALL_METHOD:
        return ins[4], [item for item in ins[5] if item.__class__ is not list]
    if ins[0] in (ir.CALL, ir.NEW):
        return frame.val(ins[3]).path.rpartition(".")[2], [item for item in ins[4] if item.__class__ is not list]
    return "", []


def origin(frame: Frame, block: ir.Block, position: int, operand: Any) -> tuple[ir.Block, int, ir.Instr | None]:
    """The instruction that gave an operand: before it in the block, in a ``try`` there, or in the blocks around."""
    places = [(block, position)]
    if isinstance(operand, str):
        places += around(frame.fn.ir.body, block)
    for outer, index in places:
        where, ins = definition(outer, index, operand)
        if ins is not None:
            return outer, where, ins
        for before in range(index - 1, max(index - LOOK_BACK, -1), -1):
            if outer[before][0] == ir.TRY:
                body = outer[before][2]
                where, ins = definition(body, len(body), operand)
                if ins is not None:
                    return body, where, ins
    return block, -1, None


def around(body: ir.Block, block: ir.Block) -> list[tuple[ir.Block, int]]:
    """The blocks that a block is in, nearest first, each with the place in it."""
    waiting: list[tuple[ir.Block, list[tuple[ir.Block, int]]]] = [(body, [])]
    for _ in range(MAX_BLOCKS):
        if not waiting:
            break
        current, outer = waiting.pop()
        if current is block:
            return outer
        for index, ins in enumerate(current):
            if ins[0] in NESTING:
                waiting += [(inner, [(current, index), *outer]) for inner in blocks_of(ins)]
    return []
