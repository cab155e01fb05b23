"""Nested JSON events made flat under the names that Sigma rules use: Windows as XML-to-JSON, ECS, OCSF.

Everything else keeps its own nesting: rules for CloudTrail and other clouds name fields by path.
"""

from __future__ import annotations

import re
from typing import Any

from glasshouse.respond.read.ocsf_process import PROCESS_ACTIVITY, is_launch, process_launch

ECS_FIELDS: dict[str, str] = {
    "process.executable": "Image",
    "process.command_line": "CommandLine",
    "process.working_directory": "CurrentDirectory",
    "process.pid": "ProcessId",
    "process.entity_id": "ProcessGuid",
    "process.parent.executable": "ParentImage",
    "process.parent.command_line": "ParentCommandLine",
    "process.parent.pid": "ParentProcessId",
    "process.parent.entity_id": "ParentProcessGuid",
    "process.pe.original_file_name": "OriginalFileName",
    "process.pe.company": "Company",
    "process.pe.description": "Description",
    "process.pe.product": "Product",
    "process.pe.imphash": "Imphash",
    "user.name": "User",
    "file.path": "TargetFilename",
    "dll.path": "ImageLoaded",
    "registry.path": "TargetObject",
    "registry.data.strings": "Details",
    "source.ip": "SourceIp",
    "source.port": "SourcePort",
    "destination.ip": "DestinationIp",
    "destination.port": "DestinationPort",
    "destination.domain": "DestinationHostname",
    "dns.question.name": "QueryName",
    "host.name": "Computer",
    "host.hostname": "Computer",
    "powershell.file.script_block_text": "ScriptBlockText",
    "winlog.channel": "Channel",
    "winlog.computer_name": "Computer",
    "winlog.provider_name": "Provider_Name",
    "winlog.event_id": "EventID",
    "winlog.record_id": "EventRecordID",
    "event.code": "EventID",
    "event.provider": "Provider_Name",
}
ECS_PREFIXES = ("winlog.event_data.", "winlog.user_data.")
_DATA = re.compile(r'<Data Name="([^"]{1,200})"(?:\s*/>|>([^<]*)</Data>)')
MAX_DEPTH = 16


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """The event itself when it is flat already, or a flat one."""
    if "Channel" in event:
        data = event.get("EventData")
        if data is not None:
            _sentinel(event, data)
        return event
    inner = event.get("Event")
    if type(inner) is dict and "System" in inner:
        return windows(inner)
    if "winlog" in event or "winlog.channel" in event or ("ecs" in event and "event" in event):
        return ecs(event)
    if event.get("class_uid") == PROCESS_ACTIVITY and is_launch(event):
        return process_launch(event)
    source = event.get("_source")
    if type(source) is dict:  # a hit of a search
        return flat(source)
    if "System" in event and ("EventData" in event or "UserData" in event):
        return windows(event)
    return event


def _sentinel(event: dict[str, Any], data: Any) -> None:
    """Fields of ``EventData`` beside the others: a nested object, or XML kept as text."""
    if type(data) is dict:
        for name, value in data.items():
            event.setdefault(name, value)
    elif type(data) is str and data.startswith("<EventData"):
        for name, value in _DATA.findall(data[:200_000]):
            if value:
                event.setdefault(name, _unescaped(value))


def _unescaped(text: str) -> str:
    import html

    return html.unescape(text)


def windows(event: dict[str, Any]) -> dict[str, Any]:
    """A Windows event as its XML turned to JSON, flat."""
    found: dict[str, Any] = {}
    system = event.get("System")
    if type(system) is dict:
        for name, value in system.items():
            _system(name, value, found)
    for part in ("EventData", "UserData"):
        data = event.get(part)
        if type(data) is dict:
            _leaves(data, found, 0)
    return found


def _system(name: str, value: Any, found: dict[str, Any]) -> None:
    attributes = _attributes(value)
    if name == "Provider":
        found["Provider_Name"] = attributes.get("Name")
        found["Provider_Guid"] = attributes.get("Guid")
    elif name == "TimeCreated":
        found["TimeCreated"] = attributes.get("SystemTime")
    elif name == "Execution":
        found["ProcessID"] = attributes.get("ProcessID")
        found["ThreadID"] = attributes.get("ThreadID")
    elif name == "Security":
        found["UserID"] = attributes.get("UserID")
    elif name == "Correlation":
        found["ActivityID"] = attributes.get("ActivityID")
    elif type(value) is dict:
        text = value.get("#text")
        found[name] = text if text is not None else value.get("text", value.get("_text"))
    else:
        found[name] = value


def _attributes(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        return {}
    inner = value.get("#attributes") or value.get("_attributes")
    return inner if type(inner) is dict else {key.removeprefix("@"): each for key, each in value.items()}


def _leaves(node: dict[str, Any], found: dict[str, Any], depth: int) -> None:
    for name, value in node.items():
        if name in ("#attributes", "_attributes"):
            continue
        if type(value) is dict:
            text = value.get("#text")
            if text is not None:
                found[name] = text
            elif depth < MAX_DEPTH:
                _leaves(value, found, depth + 1)
        elif value is not None:
            found.setdefault(name, value)


def ecs(event: dict[str, Any]) -> dict[str, Any]:
    """An event of the Elastic Common Schema under Sigma's names; its own names stay beside them."""
    found: dict[str, Any] = {}
    _paths(event, "", found, 0)
    for name, value in list(found.items()):
        for prefix in ECS_PREFIXES:
            if name.startswith(prefix):
                found[name[len(prefix) :]] = value
    for name, sigma in ECS_FIELDS.items():
        value = found.get(name)
        if value is not None and sigma not in found:
            found[sigma] = value
    return found


def _paths(node: dict[str, Any], prefix: str, found: dict[str, Any], depth: int) -> None:
    for name, value in node.items():
        if type(value) is dict and depth < MAX_DEPTH:
            _paths(value, f"{prefix}{name}.", found, depth + 1)
        elif value is not None:
            found[prefix + name] = value
