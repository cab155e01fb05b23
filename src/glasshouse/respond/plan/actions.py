"""The actions a plan may propose: what each needs, does, costs, and how it is taken back.

Countermeasures are techniques of MITRE D3FEND, mitigations of ATT&CK, by id.
"""

from __future__ import annotations

import msgspec

from glasshouse.words.incident import EntityKind
from glasshouse.words.plan import Phase


class Action(msgspec.Struct, frozen=True):
    """One kind of step; texts may use ``{target}`` and ``{host}``."""

    id: str
    phase: Phase
    kinds: tuple[EntityKind, ...]
    title: str
    blast_radius: str
    precondition: str
    rollback: str
    hours: int
    tactics: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    mitigations: tuple[str, ...] = ()
    countermeasures: tuple[str, ...] = ()
    severities: tuple[str, ...] = ("medium", "high", "critical")


_SPREADS = ("lateral-movement", "command-and-control", "exfiltration", "impact", "credential-access")

ACTIONS: tuple[Action, ...] = (
    Action(
        "isolate-host", "contain", ("host",), "Cut {target} off from the network, save for its management",
        "{target} and everything it serves is unreachable; people who work on it cannot go on.",
        "{target} is no domain controller or gateway without a stand-in, and the management channel works.",
        "Lift the isolation of {target}.", 24, tactics=_SPREADS, mitigations=("M1030",), countermeasures=("D3-NI",),
        severities=("high", "critical"),
    ),
    Action(
        "disable-account", "contain", ("user",), "Disable the account {target}",
        "{target} cannot log on; jobs and services that run as {target} fail.",
        "{target} is not the last administrator and runs no service that must not stop.",
        "Enable the account {target} again.", 24,
        tactics=("credential-access", "lateral-movement", "privilege-escalation", "initial-access"),
        mitigations=("M1026", "M1018"), countermeasures=("D3-AL",), severities=("high", "critical"),
    ),
    Action(
        "revoke-sessions", "contain", ("user",), "End every session of {target}",
        "{target} has to log on again everywhere; unsaved work in remote sessions is kept by the systems.",
        "The identity provider is reachable.", "{target} logs on again.", 12,
        tactics=("credential-access", "lateral-movement", "initial-access", "persistence"),
        mitigations=("M1036",), countermeasures=("D3-ANCI", "D3-ST"),
    ),
    Action(
        "deactivate-key", "contain", ("key",), "Deactivate the key {target}",
        "Everything that authenticates with {target} stops working.",
        "The owner of {target} is known and told.", "Activate the key {target} again.", 24,
        mitigations=("M1026",), countermeasures=("D3-CE",),
    ),
    Action(
        "block-address", "contain", ("address",), "Block traffic to and from {target}",
        "Services behind {target} are out of reach; a shared address hits others too.",
        "{target} is no address of our own and not shared with a service that is needed.",
        "Remove the block of {target}.", 72,
        mitigations=("M1037",), countermeasures=("D3-OTF", "D3-ITF"),
    ),
    Action(
        "block-domain", "contain", ("domain",), "Answer no DNS queries for {target}",
        "No machine can resolve {target}.", "{target} is not needed by a service of ours.",
        "Remove {target} from the list.", 72, tactics=("command-and-control", "exfiltration", "initial-access"),
        mitigations=("M1021",), countermeasures=("D3-DNSDL",),
    ),
    Action(
        "collect-evidence", "preserve", ("host",), "Collect memory, logs and volatile state of {target}",
        "{target} is slower for some minutes; nothing on it is changed.",
        "There is room for the collection outside {target}.",
        "Nothing to take back: delete the collection when it is no longer needed.", 12,
        mitigations=("M1047",),
    ),
    Action(
        "hold-logs", "preserve", ("account", "service"), "Keep the logs of {target} from being deleted",
        "Storage is used up to the end of the hold.", "The log store is reachable.",
        "Lift the hold.", 24, mitigations=("M1029",),
    ),
    Action(
        "quarantine-file", "eradicate", ("file",), "Move {target} on {host} into quarantine",
        "Programs on {host} that need {target} fail.", "{target} is no part of the operating system.",
        "Put {target} back from quarantine.", 48, mitigations=("M1049",), countermeasures=("D3-CQ",),
        tactics=("execution", "persistence", "defense-evasion", "command-and-control"),
        severities=("high", "critical"),
    ),
    Action(
        "terminate-process", "eradicate", ("process",), "End the process {target} on {host} and its children",
        "What the process had in memory is lost, evidence too.",
        "The evidence of {host} has been collected.", "", 4, mitigations=("M1040",), countermeasures=("D3-PT",),
        tactics=("execution", "command-and-control", "credential-access"), severities=("high", "critical"),
    ),
    Action(
        "remove-service", "eradicate", ("service",), "Stop and delete the service {target} on {host}",
        "What {target} does on {host} ends.", "{target} is in no list of services that belong there.", "", 48,
        techniques=("T1543", "T1569"), mitigations=("M1026",), countermeasures=("D3-OE",),
    ),
    Action(
        "reset-credentials", "eradicate", ("user",), "Set new secrets for {target}",
        "Every device and job that knows the old secret of {target} fails until it is told the new one.",
        "The account has been disabled or its sessions have been ended.", "", 48,
        tactics=("credential-access",), mitigations=("M1027",), countermeasures=("D3-CRO", "D3-RIC"),
        severities=("high", "critical"),
    ),
    Action(
        "restore-logging", "recover", ("host",), "Turn logging and protection on {target} back on",
        "{target} writes more logs.", "The evidence of {target} has been collected.",
        "Restore the configuration of {target} from before this step.", 48,
        techniques=("T1562", "T1070"), mitigations=("M1022", "M1029"), countermeasures=("D3-RC",),
    ),
    Action(
        "rebuild-host", "recover", ("host",), "Set {target} up anew from a trusted image",
        "Everything on {target} that is not backed up is lost.",
        "The evidence of {target} has been collected and its data is backed up.", "", 168,
        tactics=("impact", "credential-access", "privilege-escalation"), mitigations=("M1053",),
        countermeasures=("D3-RDI", "D3-RS"), severities=("critical",),
    ),
)  # fmt: skip
