"""Fields that a log lacks but its values imply, so that one rule serves Sysmon and the Windows audit policy."""

from __future__ import annotations

from typing import Any

from glasshouse.respond.engine.route import SourceTag

DEFENDER = "microsoft-windows-windows defender/operational"

INTEGRITY = {
    "S-1-16-0": "Untrusted",
    "S-1-16-4096": "Low",
    "S-1-16-8192": "Medium",
    "S-1-16-8448": "MediumPlus",
    "S-1-16-12288": "High",
    "S-1-16-16384": "System",
}
_HIVES = (
    ("\\registry\\machine\\system\\controlset001", "HKLM\\System\\CurrentControlSet"),
    ("\\registry\\machine", "HKLM"),
    ("\\registry\\user", "HKU"),
)
_OPERATIONS = {"%%1904": "SetValue", "%%1905": "SetValue", "%%1906": "DeleteValue"}


def enrich(tag: SourceTag, events: list[dict[str, Any]]) -> None:
    """Adds fields to the events of one source, in place; names that exist are left alone."""
    if tag.channel == DEFENDER:
        for event in events:
            _without_spaces(event)
    if tag.channel != "security":
        return
    if tag.event_id == "4688":
        for event in events:
            label = event.get("MandatoryLabel")
            if type(label) is str and label in INTEGRITY:
                event["MandatoryLabel"] = INTEGRITY[label]
    elif tag.event_id == "4657":
        for event in events:
            _registry(event)


def _without_spaces(event: dict[str, Any]) -> None:
    """Defender writes ``Threat Name``; rules ask for ``ThreatName``."""
    for name in [name for name in event if " " in name]:
        event.setdefault(name.replace(" ", ""), event[name])


def _registry(event: dict[str, Any]) -> None:
    name = event.get("ObjectName")
    if type(name) is str and "TargetObject" not in event:
        low = name.lower()
        for prefix, hive in _HIVES:
            if low.startswith(prefix):
                name = hive + name[len(prefix) :]
                break
        value = event.get("ObjectValueName")
        event["TargetObject"] = f"{name}\\{value}" if value else name
    operation = event.get("OperationType")
    if type(operation) is str and operation in _OPERATIONS:
        event["OperationType"] = _OPERATIONS[operation]
