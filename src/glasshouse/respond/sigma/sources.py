"""Sigma log sources as routes: which Windows channels and event ids, or which other source, a rule looks at.

Windows categories exist twice: as Sysmon events, whose field names are Sigma's own, and as events of the Windows audit
policy with other names.  A rule gets both routes.  Sources: Sysmon's event schema, Microsoft's description of
security events 4688, 4657 and 5156, and the service table that pySigma ships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glasshouse.respond.sigma.ir import Route

SYSMON = "microsoft-windows-sysmon/operational"
SYSMON_LINUX = "linux-sysmon/operational"

SYSMON_IDS: dict[str, tuple[str, ...]] = {
    "process_creation": ("1",),
    "file_change": ("2",),
    "network_connection": ("3",),
    "sysmon_status": ("4", "16"),
    "process_termination": ("5",),
    "driver_load": ("6",),
    "image_load": ("7",),
    "create_remote_thread": ("8",),
    "raw_access_thread": ("9",),
    "process_access": ("10",),
    "file_event": ("11",),
    "registry_add": ("12",),
    "registry_delete": ("12",),
    "registry_set": ("13",),
    "registry_rename": ("14",),
    "registry_event": ("12", "13", "14"),
    "create_stream_hash": ("15",),
    "pipe_created": ("17", "18"),
    "wmi_event": ("19", "20", "21"),
    "dns_query": ("22",),
    "file_delete": ("23", "26"),
    "clipboard_capture": ("24",),
    "process_tampering": ("25",),
    "file_block_executable": ("27",),
    "file_block_shredding": ("28",),
    "file_executable_detected": ("29",),
    "sysmon_error": ("255",),
}

_POWERSHELL = ("microsoft-windows-powershell/operational", "powershellcore/operational")
_CLASSIC = ("windows powershell",)

EVENT_LOG_CATEGORIES: dict[str, Route] = {
    "ps_module": Route(channels=_POWERSHELL, event_ids=("4103",)),
    "ps_script": Route(channels=_POWERSHELL, event_ids=("4104",)),
    "ps_classic_start": Route(channels=_CLASSIC, event_ids=("400",)),
    "ps_classic_provider_start": Route(channels=_CLASSIC, event_ids=("600",)),
    "ps_classic_script": Route(channels=_CLASSIC, event_ids=("800",)),
}

_PROCESS_4688 = {
    "Image": "NewProcessName",
    "ParentImage": "ParentProcessName",
    "ProcessId": "NewProcessId",
    "ParentProcessId": "ProcessId",
    "User": "SubjectUserName",
    "LogonId": "SubjectLogonId",
    "IntegrityLevel": "MandatoryLabel",
}
_REGISTRY_4657 = {"Image": "ProcessName", "Details": "NewValue", "EventType": "OperationType"}
_NETWORK_5156 = {
    "Image": "Application",
    "SourceIp": "SourceAddress",
    "SourcePort": "SourcePort",
    "DestinationIp": "DestAddress",
    "DestinationPort": "DestPort",
    "ProcessId": "ProcessID",
}

AUDIT: dict[str, Route] = {
    "process_creation": Route(channels=("security",), event_ids=("4688",), fields=_PROCESS_4688),
    "registry_add": Route(channels=("security",), event_ids=("4657",), fields=_REGISTRY_4657),
    "registry_set": Route(channels=("security",), event_ids=("4657",), fields=_REGISTRY_4657),
    "registry_delete": Route(channels=("security",), event_ids=("4657",), fields=_REGISTRY_4657),
    "registry_event": Route(channels=("security",), event_ids=("4657",), fields=_REGISTRY_4657),
    "network_connection": Route(channels=("security",), event_ids=("5156",), fields=_NETWORK_5156),
}


def routes(
    product: str, service: str, category: str, services: Mapping[str, Sequence[str]]
) -> tuple[tuple[Route, ...], str]:
    """The routes of a log source, or none and the reason why no log we read carries it.

    ``services`` maps a Windows service to its channel or channels.
    """
    product, service, category = product.lower(), service.lower(), category.lower()
    if product == "windows":
        return _windows(service, category, services)
    if not (product or service or category):
        return (), "the rule names no log source"
    found = [Route(product=product, service=service, category=category)]
    if product == "linux" and category in SYSMON_IDS and not service:
        found.append(Route(channels=(SYSMON_LINUX,), event_ids=SYSMON_IDS[category]))
    return tuple(found), ""


def _windows(service: str, category: str, services: Mapping[str, Sequence[str]]) -> tuple[tuple[Route, ...], str]:
    if category:
        found = []
        if category in SYSMON_IDS:
            found.append(Route(channels=(SYSMON,), event_ids=SYSMON_IDS[category]))
        if category in AUDIT:
            found.append(AUDIT[category])
        if category in EVENT_LOG_CATEGORIES:
            found.append(EVENT_LOG_CATEGORIES[category])
        found.append(Route(product="windows", service=service, category=category))
        return tuple(found), ""
    if not service:
        return (Route(product="windows"),), ""
    channels = services.get(service)
    if channels is None:
        return (Route(product="windows", service=service),), ""
    names = [channels] if isinstance(channels, str) else channels
    return (Route(channels=tuple(name.lower() for name in names)),), ""
