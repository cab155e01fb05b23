"""Linux audit logs: records as they are, and one process event per program start joined from its records."""

from __future__ import annotations

import binascii
import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.read.interface import Chunk, Input
from glasshouse.respond.read.lines import Faults, blocks, chunks
from glasshouse.words.incident import NotRead

_HEAD = re.compile(rb"(?:node=\S+ )?type=[A-Z_0-9\[\]]+ msg=audit\(")
_RECORD = re.compile(r"(?:node=(\S+) )?type=(\S+) msg=audit\((\d+\.\d+):(\d+)\): ?(.*)", re.DOTALL)
_PAIR = re.compile(r"""([\w-]+)=("[^"]*"|'[^']*'|\S+)""")
_HEX = re.compile(r"(?:[0-9A-F]{2}){2,}")
_ENCODED = frozenset({"proctitle", "cmd", "exe", "comm", "name", "cwd", "acct", "key"})
OPEN_STARTS = 1_000
"""Program starts whose records may still be coming."""


class AuditdReader:
    """``/var/log/audit/audit.log``."""

    name = "auditd"

    def recognises(self, head: bytes, name: str) -> bool:
        del name
        return _HEAD.match(head.lstrip()) is not None

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        faults = Faults(source.name, "damaged-lines", "not audit records")
        yield from chunks(source, _events(source, faults), SourceTag("linux", "auditd"))
        source.stream.seek(0)
        yield from chunks(source, _starts(source), SourceTag("linux", "", ("process_creation",)))
        yield from faults.told(0)


def _records(source: Input, faults: Faults | None) -> Iterator[tuple[dict[str, Any], int]]:
    number = 0
    for lines in blocks(source):
        for line in lines:
            number += 1
            found = _RECORD.match(line.decode("utf-8", "replace"))
            if found is None:
                if faults is not None and line.strip():
                    faults.note(number)
                continue
            node, kind, time, serial, rest = found.groups()
            event: dict[str, Any] = {"type": kind, "ts": float(time), "audit_id": serial}
            if node:
                event["node"] = event["Computer"] = node
            rest = rest.replace("\x1d", " ")
            for name, value in _PAIR.findall(rest):
                event[name] = _value(name, value)
            yield event, len(line)


def _events(source: Input, faults: Faults) -> Iterator[tuple[dict[str, Any], int]]:
    yield from _records(source, faults)


def _value(name: str, value: str) -> str:
    if value[:1] in "\"'" and len(value) > 1:
        return value[1:-1]
    if (name in _ENCODED or re.fullmatch(r"a\d+", name)) and _HEX.fullmatch(value):
        return binascii.unhexlify(value).decode("utf-8", "replace").replace("\x00", " ").strip()
    return value


def _starts(source: Input) -> Iterator[tuple[dict[str, Any], int]]:
    """Process events in Sigma's names from the records SYSCALL, EXECVE and CWD that share a serial number."""
    waiting: OrderedDict[str, dict[str, dict[str, Any]]] = OrderedDict()
    for record, _ in _records(source, None):
        kind = record["type"]
        if kind not in ("SYSCALL", "EXECVE", "CWD", "PROCTITLE"):
            continue
        waiting.setdefault(record["audit_id"], {})[kind] = record
        if len(waiting) > OPEN_STARTS:
            yield from _process(waiting.popitem(last=False)[1])
    for records in waiting.values():
        yield from _process(records)


def _process(records: dict[str, dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    call, started = records.get("SYSCALL"), records.get("EXECVE")
    if call is None or started is None:
        return
    count = int(started["argc"]) if str(started.get("argc", "")).isdigit() else 0
    words = [str(started[f"a{n}"]) for n in range(min(count, 4_096)) if f"a{n}" in started]
    event = {
        "ts": call["ts"],
        "Image": call.get("exe"),
        "CommandLine": " ".join(words),
        "ProcessId": call.get("pid"),
        "ParentProcessId": call.get("ppid"),
        "User": call.get("auid"),
        "LogonId": call.get("ses"),
        "CurrentDirectory": records.get("CWD", {}).get("cwd"),
        "Computer": call.get("node"),
    }
    yield {name: value for name, value in event.items() if value is not None}, len(event["CommandLine"])
