"""The things an event names: host, processes, logon sessions, users, addresses, files, domains, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from glasshouse.respond.engine.texts import Event, lookup, text
from glasshouse.words.incident import Entity, EntityKind

MAX_NAME = 300
HOST_FIELDS = ("Computer", "host.name", "hostname", "device.hostname", "node", "HostName", "recipientAccountId")
NOBODY = frozenset({"", "-", "n/a", "null", "none", "0", "0x0", "{00000000-0000-0000-0000-000000000000}",
                    "00000000-0000-0000-0000-000000000000", "::", "0.0.0.0", "127.0.0.1", "::1", "localhost"})  # noqa: S104  # fmt: skip

# field -> (kind, whether it is unique only on its host, role)
_FIELDS: tuple[tuple[str, EntityKind, bool, str], ...] = (
    ("ProcessGuid", "process", True, "self"),
    ("ParentProcessGuid", "process", True, "parent"),
    ("SourceProcessGUID", "process", True, "self"),
    ("SourceProcessGuid", "process", True, "self"),
    ("TargetProcessGUID", "process", True, "target"),
    ("TargetProcessGuid", "process", True, "target"),
    ("LogonGuid", "session", True, ""),
    ("LogonId", "session", True, ""),
    ("SubjectLogonId", "session", True, ""),
    ("TargetLogonId", "session", True, "target"),
    ("User", "user", False, ""),
    ("SourceUser", "user", False, ""),
    ("TargetUser", "user", False, "target"),
    ("SubjectUserName", "user", False, ""),
    ("TargetUserName", "user", False, "target"),
    ("AccountName", "user", False, ""),
    ("UserPrincipalName", "user", False, ""),
    ("UserId", "user", False, ""),
    ("userIdentity.arn", "user", False, ""),
    ("actor.user.uid", "user", False, ""),
    ("actor.user.name", "user", False, ""),
    ("actor.alternateId", "user", False, ""),
    ("userIdentity.accessKeyId", "key", False, ""),
    ("api.token.uid", "key", False, ""),
    ("actor.session.uid", "session", False, ""),
    ("SourceIp", "address", False, "source"),
    ("DestinationIp", "address", False, "destination"),
    ("IpAddress", "address", False, "source"),
    ("SourceAddress", "address", False, "source"),
    ("DestAddress", "address", False, "destination"),
    ("sourceIPAddress", "address", False, "source"),
    ("src_endpoint.ip", "address", False, "source"),
    ("dst_endpoint.ip", "address", False, "destination"),
    ("ClientIP", "address", False, "source"),
    ("id.orig_h", "address", False, "source"),
    ("id.resp_h", "address", False, "destination"),
    ("QueryName", "domain", False, ""),
    ("DestinationHostname", "domain", False, ""),
    ("TargetFilename", "file", True, ""),
    ("ImageLoaded", "file", True, ""),
    ("ServiceName", "service", True, ""),
)
_SHELL_FIELDS = ("ContextInfo", "Message", "Data", "Payload")
_SHELL_HOST = re.compile(r"Host ?I[dD] {0,4}= {0,4}([0-9a-fA-F-]{36})")
_SHELL_TEXT = 20_000
_BY_FIELD: dict[str, tuple[EntityKind, bool, str]] = {name: (kind, local, role) for name, kind, local, role in _FIELDS}


def host_of(event: Event) -> str:
    """The host an event comes from, lower case, without the domain; empty when it names none."""
    for name in HOST_FIELDS:
        found = text(lookup(event, name))
        if found is not None:
            return short_host(found)
    return ""


def short_host(name: str) -> str:
    """``WS1.corp.example`` and ``ws1`` are one host; an address stays whole."""
    low = name.strip().lower()[:MAX_NAME]
    return low if low.replace(".", "").isdigit() else low.partition(".")[0]


def entities_of(event: Event, host: str) -> tuple[Entity, ...]:
    """The entities of an event, the host first, without repetition."""
    found: dict[Entity, None] = {}
    if host:
        found[Entity("host", host)] = None
    for name, kind, local, role in _FIELDS:
        value = lookup(event, name)
        if value is not None:
            for each in _entity(kind, value, host if local else "", role):
                found[each] = None
    found.update(dict.fromkeys(_numbered_processes(event, host)))
    if "powershell" in str(event.get("Channel", "")).lower():
        found.update(dict.fromkeys(_shell(event, host)))
    return tuple(found)


def _shell(event: Event, host: str) -> Iterator[Entity]:
    """The PowerShell that logged an event: its own identifier, and the process that wrote the record."""
    for field in _SHELL_FIELDS:
        found = _SHELL_HOST.search((text(event.get(field)) or "")[:_SHELL_TEXT])
        if found is not None:
            yield Entity("process", f"powershell {found[1].lower()}", host, "self")
            break
    number = text(event.get("ProcessID"))  # of the record, not of its data: as the XML's Execution element has it
    if number is not None and number.isdigit() and number not in NOBODY:
        yield Entity("process", f"pid {int(number)}", host, "self")


def entity_of(field: str, value: str, host: str) -> Entity | None:
    """The entity that a field's value names, when the field names one."""
    known = _BY_FIELD.get(field)
    if known is None:
        return None
    return next(iter(_entity(known[0], value, host if known[1] else "", known[2])), None)


def _entity(kind: EntityKind, value: Any, scope: str, role: str) -> Iterator[Entity]:
    name = (text(value) or "").strip().lower()[:MAX_NAME]
    if kind == "user":
        name = name.rpartition("\\")[2]
    if kind in ("process", "session"):
        name = name.strip("{}")
    if kind == "address":
        name = name.removeprefix("::ffff:")
    if name not in NOBODY:
        yield Entity(kind, name, scope, role)


def _numbered_processes(event: Event, host: str) -> Iterator[Entity]:
    """Processes by number, which logs without identifiers share with those that have them; they are used again."""
    new, old = text(event.get("NewProcessId")), text(event.get("ProcessId"))
    if new is not None:
        pairs = [(new, "self"), (old, "parent")]
    else:
        pairs = [(old, "self"), (text(event.get("ParentProcessId")), "parent")]
        pairs.append((text(event.get("SourceProcessId")), "self"))
    for number, role in pairs:
        if number is not None and number not in NOBODY:
            try:
                yield Entity("process", f"pid {int(number, 0)}", host, role)
            except ValueError:
                continue
