"""Syslog text, RFC 3164 and RFC 5424; the program names the service, so that rules for sshd see sshd's lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.times import seconds
from glasshouse.respond.read.interface import CHUNK_EVENTS, Chunk, Input
from glasshouse.respond.read.lines import Faults, blocks
from glasshouse.words.incident import NotRead

_OLD = re.compile(
    r"(?:<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\S+) (\S+) "
    r"([^\s:\[]+)(?:\[(\d+)\])?: ?(.*)",
    re.DOTALL,
)
_NEW = re.compile(r"<\d{1,3}>1 (\S+) (\S+) (\S+) (\S+) (\S+) (?:-|\[.*?\]) ?(.*)", re.DOTALL)
_SERVICES = {"sshd": "sshd", "sudo": "sudo", "cron": "cron", "crond": "cron", "vsftpd": "vsftpd", "clamd": "clamav",
             "clamav": "clamav", "named": "named", "auditd": "auditd", "guacd": "guacamole"}  # fmt: skip
_AUTH = frozenset({"sshd", "sudo", "su", "login", "systemd-logind", "passwd", "useradd", "usermod"})


class SyslogReader:
    """Lines of syslog."""

    name = "syslog"

    def recognises(self, head: bytes, name: str) -> bool:
        del name
        lines = [line for line in head.decode("utf-8", "replace").split("\n")[:20] if line.strip()]
        return bool(lines) and sum(_parsed(line) is not None for line in lines) * 2 > len(lines)

    def read(self, source: Input) -> Iterator[Chunk | NotRead]:
        faults = Faults(source.name, "damaged-lines", "not syslog")
        gathered: dict[SourceTag, list[dict[str, Any]]] = {}
        number = count = 0
        for lines in blocks(source):
            for line in lines:
                number += 1
                event = _parsed(line.decode("utf-8", "replace").rstrip("\r"))
                if event is None:
                    if line.strip():
                        faults.note(number)
                    continue
                tag = _tag(event["program"])
                event["line"] = number
                events = gathered.setdefault(tag, [])
                events.append(event)
                if len(events) >= CHUNK_EVENTS:
                    yield Chunk(source.name, count, gathered.pop(tag), len(events) * 200, tag)
                    count += len(events)
        for tag, events in gathered.items():
            yield Chunk(source.name, count, events, len(events) * 200, tag)
            count += len(events)
        yield from faults.told(count)


def _tag(program: str) -> SourceTag:
    service = _SERVICES.get(program, "auth" if program in _AUTH else "syslog")
    return SourceTag("linux", service, ("auth",) if program in _AUTH else ())


def _parsed(line: str) -> dict[str, Any] | None:
    found = _NEW.match(line)
    if found is not None:
        when, host, program, pid, _, message = found.groups()
    else:
        found = _OLD.match(line)
        if found is None:
            return None
        when, host, program, pid, message = found.groups()
    event: dict[str, Any] = {"Computer": host, "program": program.rpartition("/")[2].lower(), "message": message}
    if pid and pid != "-":
        event["ProcessId"] = pid
    time = seconds(when) if when[0].isdigit() else _without_year(when)
    if time is not None:
        event["ts"] = time
    return event


def _without_year(when: str) -> float | None:
    """RFC 3164 dates carry no year: 1972 stands in (a leap year), so that order and distances within a file hold."""
    try:
        return datetime.strptime(f"1972 {when}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
