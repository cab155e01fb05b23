"""OCSF process activity (class 1007) under the names that Sigma rules use; the event's own names stay beside them."""

from __future__ import annotations

from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.texts import lookup

PROCESS_ACTIVITY, LAUNCH = 1007, 1
_SYSMON = "microsoft-windows-sysmon/operational"
_FIELDS = (
    ("Computer", "device.hostname", "device.name"),
    ("Image", "process.file.path", "process.path"),
    ("CommandLine", "process.cmd_line"),
    ("CurrentDirectory", "process.working_directory"),
    ("ProcessId", "process.pid"),
    ("ProcessGuid", "process.uid"),
    ("IntegrityLevel", "process.integrity"),
    ("User", "process.user.name", "actor.user.name"),
    ("LogonId", "process.session.uid", "actor.session.uid"),
    ("OriginalFileName", "process.file.internal_name"),
    ("Company", "process.file.company_name"),
    ("Product", "process.file.product.name"),
    ("Description", "process.file.desc"),
    ("ParentImage", "process.parent_process.file.path", "actor.process.file.path"),
    ("ParentCommandLine", "process.parent_process.cmd_line", "actor.process.cmd_line"),
    ("ParentProcessId", "process.parent_process.pid", "actor.process.pid"),
    ("ParentProcessGuid", "process.parent_process.uid", "actor.process.uid"),
)
_SYSTEMS = {100: "windows", 200: "linux", 300: "macos"}
_HASHES = {1: "MD5", 2: "SHA1", 3: "SHA256"}
MAX_HASHES = 8


def is_launch(event: dict[str, Any]) -> bool:
    """Whether the event says that a process was started."""
    return event.get("class_uid") == PROCESS_ACTIVITY and event.get("activity_id") == LAUNCH


def process_launch(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the fields of a process start."""
    for name, *places in _FIELDS:
        for place in places:
            value = lookup(event, place)
            if isinstance(value, str | int) and value != "":
                event.setdefault(name, str(value))
                break
    hashes = lookup(event, "process.file.hashes")
    if isinstance(hashes, list):
        named = [
            f"{_HASHES[each['algorithm_id']]}={each['value']}"
            for each in hashes[:MAX_HASHES]
            if isinstance(each, dict) and each.get("algorithm_id") in _HASHES and isinstance(each.get("value"), str)
        ]
        if named:
            event.setdefault("Hashes", ",".join(named))
    return event


def source_of(event: dict[str, Any]) -> SourceTag:
    """Rules for process creation on the system that the event names; on Windows those that read Sysmon's event 1."""
    kind = lookup(event, "device.os.type_id")
    product = _SYSTEMS.get(kind, "") if isinstance(kind, int) else ""
    if not product:
        product = str(lookup(event, "device.os.type") or "").lower()
    if product == "windows":
        return SourceTag("windows", "", ("process_creation",), _SYSMON, "1")
    return SourceTag(product if product in _SYSTEMS.values() else "", "", ("process_creation",))
