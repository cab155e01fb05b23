"""Which log an event comes from, told by its fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.read.ocsf_process import is_launch, source_of

Event = dict[str, Any]
UNKNOWN = SourceTag()
SYSMON_LINUX = "linux-sysmon/operational"
MAX_KNOWN = 50_000

_AZURE = {
    "auditlogs": "auditlogs",
    "signinlogs": "signinlogs",
    "noninteractiveusersigninlogs": "signinlogs",
    "administrative": "activitylogs",
    "riskyusers": "riskdetection",
    "userriskevents": "riskdetection",
}
_M365 = {
    "exchange": "exchange",
    "securitycompliancecenter": "threat_management",
    "azureactivedirectory": "audit",
    "threatintelligence": "threat_detection",
}


def _has(*names: str) -> Callable[[Event], bool]:
    return lambda event: all(name in event for name in names)


def _azure(event: Event) -> SourceTag:
    category = str(event.get("category") or event.get("Category") or "").lower()
    return SourceTag("azure", _AZURE.get(category, "activitylogs"))


def _m365(event: Event) -> SourceTag:
    return SourceTag("m365", _M365.get(str(event.get("Workload", "")).lower(), "audit"))


def _ocsf(event: Event) -> SourceTag:
    """OCSF events of the gateway and the ledger; others by class: process activity as process creation."""
    metadata = event.get("metadata")
    product = metadata.get("product") if isinstance(metadata, dict) else None
    name = str(product.get("name", "")) if isinstance(product, dict) else str(product or "")
    if name.lower() == "glasshouse":
        return SourceTag("glasshouse", "gateway", ("ocsf",))
    if is_launch(event):
        return source_of(event)
    return SourceTag("ocsf", "", ("ocsf",))


_SHAPES: tuple[tuple[Callable[[Event], bool], Callable[[Event], SourceTag]], ...] = (
    (_has("class_uid"), _ocsf),
    (_has("eventSource", "eventName"), lambda _: SourceTag("aws", "cloudtrail")),
    (_has("protoPayload"), lambda _: SourceTag("gcp", "gcp.audit")),
    (_has("Workload", "Operation"), _m365),
    (_has("operationName", "category"), _azure),
    (_has("OperationName", "Category", "TenantId"), _azure),
    (_has("actor", "published", "eventType"), lambda _: SourceTag("okta", "okta")),
    (_has("auditID", "verb", "stage"), lambda _: SourceTag("kubernetes", "audit", ("application",))),
    (_has("action", "actor", "_document_id"), lambda _: SourceTag("github", "audit")),
    (_has("id.orig_h", "id.resp_h"), lambda event: SourceTag("zeek", str(event.get("_path", "")))),
    (_has("id_orig_h", "id_resp_h"), lambda event: SourceTag("zeek", str(event.get("_path", "")))),
    (_has("logtype", "node_id", "logdata"), lambda _: SourceTag("opencanary", "", ("application",))),
    (_has("cs-method", "c-uri"), lambda _: SourceTag("", "", ("proxy", "webserver"))),
    (_has("cs-method", "cs-uri-stem"), lambda _: SourceTag("", "", ("webserver",))),
    (_has("Image", "CommandLine"), lambda _: SourceTag("", "", ("process_creation",))),
)


class Classifier:
    """Tells the log source of events; ``unknown`` counts those that no rule can be routed to.

    ``otherwise`` is the product and service of events that cannot be told.
    """

    def __init__(self, otherwise: tuple[str, str] = ("", "")) -> None:
        self.unknown = 0
        self._otherwise = SourceTag(*otherwise) if any(otherwise) else None
        self._windows: dict[tuple[Any, Any], SourceTag] = {}

    def tag(self, event: Event) -> SourceTag:
        """The source of one event."""
        channel = event.get("Channel")
        if channel is not None:
            number = event.get("EventID")
            try:
                return self._windows[channel, number]
            except KeyError:
                return self._remember(channel, number)
            except TypeError:  # a hostile event: a list or object where a name belongs
                return self._remember(str(channel), str(number))
        for known, make in _SHAPES:
            if known(event):
                return make(event)
        if self._otherwise is not None:
            return self._otherwise
        self.unknown += 1
        return UNKNOWN

    def _remember(self, channel: Any, number: Any) -> SourceTag:
        name = str(channel).lower()
        product = "linux" if name == SYSMON_LINUX else "windows"
        tag = SourceTag(product, "", (), name, str(number))
        if len(self._windows) < MAX_KNOWN:
            self._windows[channel, number] = tag
        return tag
