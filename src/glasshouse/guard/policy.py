"""The policy set as files: which are in force, their hash, and what their annotations say.

The core rules always hold.  An organisation's own ``policies/*.cedar`` in the Glasshouse home take the place of the
shipped defaults.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from glasshouse.words.errors import PolicyError
from glasshouse.words.named_file import read_named

SHIPPED = Path(__file__).parent / "policies"
CORE, DEFAULTS, SCHEMA = "core.cedar", "defaults.cedar", "schema.cedarschema"
MAX_POLICY_BYTES = 1_000_000
MAX_POLICY_FILES = 200

_ANNOTATION = re.compile(r'@(\w+)\("((?:[^"\\]|\\.)*)"\)')
_POLICY_HEAD = re.compile(r'((?:^@\w+\("(?:[^"\\]|\\.)*"\)\n)+)(?:permit|forbid) \(', re.MULTILINE)


class PolicyFile(msgspec.Struct, frozen=True):
    """One file of policies: its name, for messages, and its text."""

    name: str
    text: str


class PolicyNote(msgspec.Struct, frozen=True):
    """What a policy says about itself.  ``asks`` marks a rule that people's approval overcomes."""

    id: str
    asks: bool = False
    reason: str = ""
    hint: str = ""


class Policies(msgspec.Struct, frozen=True):
    """A policy set.  ``hash`` (SHA-256 over names and texts) names it in decisions, approvals and the log."""

    files: tuple[PolicyFile, ...]
    schema: str
    hash: str

    def text(self) -> str:
        """All policies as one text."""
        return "\n".join(file.text for file in self.files)

    @property
    def shipped(self) -> bool:
        """Whether this is exactly the set that ships with Glasshouse."""
        return self.hash == shipped_policies().hash


@functools.lru_cache(maxsize=1)
def shipped_policies() -> Policies:
    """The set that ships with Glasshouse."""
    return policy_set([PolicyFile(name, (SHIPPED / name).read_text("utf-8")) for name in (CORE, DEFAULTS)])


def load_policies(folder: Path | None) -> Policies:
    """The set in force for a folder of the organisation's own policies; without one, the shipped set."""
    if folder is None or not folder.is_dir():
        return shipped_policies()
    paths = sorted(folder.glob("*.cedar"))[: MAX_POLICY_FILES + 1]
    if not paths:
        return shipped_policies()
    if len(paths) > MAX_POLICY_FILES:
        raise PolicyError(f"more than {MAX_POLICY_FILES} policy files", where=str(folder))
    return policy_set([PolicyFile(CORE, (SHIPPED / CORE).read_text("utf-8")), *(_read(path) for path in paths)])


def policy_set(files: list[PolicyFile]) -> Policies:
    """A set of these files with the shipped schema."""
    schema = (SHIPPED / SCHEMA).read_text("utf-8")
    total = hashlib.sha256()
    for file in (*files, PolicyFile(SCHEMA, schema)):
        total.update(f"{len(file.name)}:{file.name}:{len(file.text)}:".encode() + file.text.encode())
    return Policies(tuple(files), schema, total.hexdigest())


def shipped_notes() -> tuple[PolicyNote, ...]:
    """The annotations of the shipped set, read without loading Cedar; `cedar.notes` reads those of any set."""
    found = []
    for file in shipped_policies().files:
        for head in _POLICY_HEAD.finditer(file.text):
            said = dict(_ANNOTATION.findall(head.group(1)))
            found.append(note_of(said))
    return tuple(found)


def note_of(said: Mapping[str, str]) -> PolicyNote:
    """A policy's annotations as a note."""
    asks = said.get("effect") == "ask"
    return PolicyNote(said.get("id", ""), asks, said.get("reason", ""), said.get("hint", ""))


def _read(path: Path) -> PolicyFile:
    try:
        data = read_named(path, MAX_POLICY_BYTES)
        if not 0 < len(data) <= MAX_POLICY_BYTES:
            raise PolicyError(f"empty, or larger than {MAX_POLICY_BYTES:,} bytes", where=str(path))
        return PolicyFile(path.name, data.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"cannot read the policy file: {error}", where=str(path)) from error
