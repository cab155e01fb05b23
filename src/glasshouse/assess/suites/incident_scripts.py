"""Made-up recordings of attacks and of ordinary work, and fleets of them, from the scripts in data/.

The scripts were written by the authors of the rules for this purpose; nothing was recorded anywhere.  A fleet plays
them on a few hosts at once.  As in life, whatever somebody starts on a host hangs below one shell of theirs, and
services of the host below one process; apart from these, recordings share nothing but what a script repeats.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).parent / "data" / "incident_scripts.yaml"
SYSMON, SHELL = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-PowerShell/Operational"
PACE = 0.4  # how much the pauses of recordings differ: the spread of their logarithm
START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
_PLACE = "C:\\Windows\\System32\\"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event: a program starts, or a started one does something, or a log says something."""

    at: float
    start: str = ""
    by: str = ""
    image: str = ""
    line: str = ""
    connect: str = ""
    to: str = ""
    port: int = 0
    set: str = ""
    key: str = ""
    value: str = ""
    open: str = ""
    target: str = ""
    rights: str = ""
    trace: str = ""
    script: str = ""
    text: str = ""
    log: str = ""
    id: int = 0
    fields: dict[str, str | int] = {}


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attack and the techniques (without sub-techniques) that it shows, or ordinary work."""

    id: str
    steps: tuple[Step, ...]
    techniques: tuple[str, ...] = ()
    ordinary: bool = False


class Condition(msgspec.Struct, frozen=True):
    """How recordings share a fleet: how many start within how many hours on how many hosts, and how slow they are."""

    name: str
    recordings: int = 24
    hosts: int = 6
    hours: float = 8.0
    slow: float = 1.0
    one_user: bool = False


class Played(msgspec.Struct, frozen=True):
    """The events of a fleet in order of time, the recording that each is from, and the script of each recording."""

    events: tuple[dict[str, Any], ...]
    recording: tuple[int, ...]
    scripts: tuple[Script, ...]


@lru_cache(maxsize=1)
def scripts() -> tuple[Script, ...]:
    """The scripts as they ship."""
    import yaml

    return tuple(msgspec.convert(yaml.load(FILE.read_bytes(), yaml.CSafeLoader), list[Script]))


def play(condition: Condition, seed: int, chosen: tuple[Script, ...] = ()) -> Played:
    """A fleet that depends on nothing but the condition, the seed and the scripts."""
    generator = random.Random(f"{condition.name} {seed}")  # noqa: S311 - to be repeated
    known = chosen or scripts()
    picked = tuple(known[n % len(known)] for n in generator.sample(range(condition.recordings), condition.recordings))
    rows: list[tuple[float, int, dict[str, Any]]] = []
    for number, script in enumerate(picked):
        host = f"ws{generator.randrange(condition.hosts)}"
        user = "dana" if condition.one_user else f"user{generator.randrange(2)}-{host}"
        begin, pace = generator.uniform(0, 3600 * condition.hours), condition.slow * generator.lognormvariate(0, PACE)
        recording = _Recording(generator, host, user, seed)
        rows += [(begin + pace * step.at, number, recording.event(step)) for step in script.steps]
    rows.sort(key=lambda row: row[:2])
    events = tuple({**event, "TimeCreated": _time(at)} for at, _, event in rows)
    return Played(events, tuple(number for _, number, _ in rows), picked)


def _time(at: float) -> str:
    return (START + dt.timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Recording:
    """The identifiers and made-up words of one recording."""

    def __init__(self, generator: random.Random, host: str, user: str, seed: int) -> None:
        self._host, self._user, self._seed = host, user, seed
        self._session = f"0x{int(self._fixed('session', user).replace('-', '')[:6], 16):x}"
        self._drawn = {
            "<user>": user,
            "<host>": host,
            "<word>": "".join(generator.choices("bcdfghklmnprstvz", k=7)),
            "<address>": f"203.0.113.{generator.randrange(1, 255)}",
        }
        self._processes: dict[str, dict[str, str]] = {
            "explorer": self._process("explorer", "C:\\Windows\\explorer.exe", "explorer.exe"),
            "services": self._process("services", f"{_PLACE}services.exe", "services.exe"),
        }
        self._number = generator.randrange(1, 1 << 30)

    def _fixed(self, *names: str) -> str:
        """An identifier that every recording on this host has in common."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, " ".join((str(self._seed), self._host, *names))))

    def _process(self, name: str, image: str, line: str) -> dict[str, str]:
        own = self._fixed(name, self._user if name == "explorer" else "")
        return {"guid": f"{{{own}}}", "pid": str(4 * (1 + int(own[:4], 16) % 4_000)), "image": image, "line": line}

    def _started(self, step: Step) -> dict[str, Any]:
        parent = self._processes[step.by or "explorer"]
        self._number += 1
        own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._host} {self._number}"))
        image = self._filled(step.image)
        image = image if "\\" in image else _PLACE + image
        number = str(4 * (1 + int(own[:4], 16) % 4_000))
        made = {"guid": f"{{{own}}}", "pid": number, "image": image, "line": self._filled(step.line)}
        self._processes[step.start] = made
        return {
            **self._by(made, 1),
            "CommandLine": made["line"],
            "ParentProcessGuid": parent["guid"],
            "ParentProcessId": parent["pid"],
            "ParentImage": parent["image"],
            "ParentCommandLine": parent["line"],
            "LogonId": "0x3e7" if step.by == "services" else self._session,
            "User": "NT AUTHORITY\\SYSTEM" if step.by == "services" else f"CORP\\{self._user}",
        }

    def _by(self, process: dict[str, str], event: int, channel: str = SYSMON) -> dict[str, Any]:
        named = {"ProcessGuid": process["guid"], "ProcessId": process["pid"], "Image": process["image"]}
        return {"Channel": channel, "EventID": event, "Computer": f"{self._host}.corp.example", **named}

    def event(self, step: Step) -> dict[str, Any]:
        """The event of a step, without its time."""
        if step.start:
            return self._started(step)
        if step.connect:
            to = {"DestinationIp": self._filled(step.to), "DestinationPort": str(step.port), "Initiated": "true"}
            return self._by(self._processes[step.connect], 3) | to
        if step.set:
            named = {"TargetObject": self._filled(step.key), "Details": self._filled(step.value)}
            return self._by(self._processes[step.set], 13) | {"EventType": "SetValue", **named}
        if step.open:
            one = self._processes[step.open]
            aimed = {"TargetImage": step.target, "GrantedAccess": step.rights, "CallTrace": step.trace}
            source = {"SourceProcessGUID": one["guid"], "SourceProcessId": one["pid"], "SourceImage": one["image"]}
            return {"Channel": SYSMON, "EventID": 10, "Computer": f"{self._host}.corp.example", **source, **aimed}
        if step.script:
            said = {"ScriptBlockText": self._filled(step.text), "ProcessID": self._processes[step.script]["pid"]}
            return {"Channel": SHELL, "EventID": 4104, "Computer": f"{self._host}.corp.example", **said}
        fields = {name: self._filled(each) if isinstance(each, str) else each for name, each in step.fields.items()}
        if "SubjectUserName" in fields:
            fields["SubjectLogonId"] = self._session
        return {"Channel": step.log, "EventID": step.id, "Computer": f"{self._host}.corp.example", **fields}

    def _filled(self, text: str) -> str:
        for name, value in self._drawn.items():
            text = text.replace(name, value)
        return text
