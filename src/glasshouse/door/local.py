"""The door for commands on this machine: no set-up, scope = what the command line names, owner = the user.

    with local_passage("code.scan", targets, os.environ, describes="scan src") as passage:
        results = list(passage.watched(engine()))
        passage.conclude()          # before anything is shown; leaving the block does it too
    passage.receipt_file            # a proof that `glasshouse verify` accepts

With ``GLASSHOUSE_KEY`` in the environment the act runs under that key's engagement instead, and its scope and policy
hold.  ``GLASSHOUSE_APPROVAL`` names an approved request that the act redeems.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glasshouse.access.local import local_caller
from glasshouse.door.door import Door
from glasshouse.door.home import Home
from glasshouse.door.log import RestingLog
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.errors import AccessError, CredentialError, DoorClosedError
from glasshouse.words.party import Caller

if TYPE_CHECKING:
    from glasshouse.door.passage import Passage

KEY, APPROVAL, ENGAGEMENT = "GLASSHOUSE_KEY", "GLASSHOUSE_APPROVAL", "GLASSHOUSE_ENGAGEMENT"
_USER = re.compile(r"[^A-Za-z0-9._-]+")


class LocalPassage:
    """An act of a command under way: results are counted as they pass and shown when the outcome is recorded."""

    def __init__(self, door: Door, passage: Passage[Any]) -> None:
        self._door, self._passage = door, passage

    def watched(self, results: Iterable[Any]) -> Iterator[Any]:
        """The engine's results as they come; a halt ordered meanwhile stops them (`StoppedError`)."""
        return self._passage.watched(results)

    def count(self, name: str, number: int) -> None:
        """A total worth searching the log by, such as ``findings``."""
        self._passage.counts[name] = number

    def add_events(self, events: Sequence[bytes]) -> None:
        """Further OCSF events (findings), sealed with the outcome."""
        self._passage.events += events

    def record(self, kind: str, body: bytes) -> int:
        """Keeps a record of the act's result as an entry of its own; the index of that entry."""
        return self._door.record(kind, self._passage.admission.caller, body).index

    def decide_release(self, model: str, tiers: Sequence[int], *, passed: bool, reason: str) -> None:
        """Blocks a model for engagements of these tiers, or lifts the block; writes only what changes."""
        from glasshouse.door.releases import release, withhold

        if not tiers or (passed and not self._door.directory.halts()):
            return
        caller, now = self._passage.admission.caller, self._door.now()
        if passed:
            release(self._door.tables, model, tiers, now)
        else:
            withhold(self._door.tables, model, tiers, reason, caller.id, now)

    def approvers(self, approval: str) -> tuple[str, ...]:
        """Who took part in the approved request that this act redeems: the requester first, then those who approved."""
        request = self._door.waiting.get(approval)
        yes = [vote.approver for vote in request.votes if vote.verdict == "approve"]
        return tuple(dict.fromkeys([request.terms.requester, *yes]))

    def conclude(self) -> None:
        """Records the outcome; nothing may be shown before."""
        self._passage.conclude()

    @property
    def entry(self) -> int:
        """The index of the outcome entry."""
        assert self._passage.receipt is not None, "the act has not ended"
        return self._passage.receipt.index

    @property
    def receipt_file(self) -> Path:
        """Where the receipt is, once the act has ended: a proof that `glasshouse verify` accepts."""
        return self._door.home.receipts / f"{self.entry}.tlog-proof"

    def write_receipt(self) -> None:
        """Writes the receipt into the home."""
        file = self.receipt_file
        try:
            file.parent.mkdir(exist_ok=True, mode=0o700)
            file.write_text(self._passage.proof(), encoding="utf-8")
        except OSError as error:
            why = f"the receipt cannot be written: {error.strerror}"
            raise DoorClosedError(
                why, where=str(file), hint=f"`glasshouse log prove {self.entry}` makes it."
            ) from error


@contextmanager
def local_passage(
    capability: str,
    targets: Sequence[Target],
    environ: Mapping[str, str],
    *,
    describes: str = "",
    input_digest: str = "",
) -> Iterator[LocalPassage]:
    """Leads a command's act through the door.

    Raises `DeniedError`, `ApprovalNeededError` or `DoorClosedError` before anything is done.  What the block raises is
    recorded as the outcome and goes on.
    """
    resting: list[RestingLog] = []

    def opened(home: Home) -> RestingLog:
        resting.append(RestingLog(home))
        return resting[0]

    with Door.open(environ, log=opened) as door:
        caller = command_caller(door, targets, environ)
        act = Act(capability, tuple(targets), caller.engagement.id, input_digest, describes)
        circumstances = Circumstances(approval=environ.get(APPROVAL, ""))
        passage: Passage[Any] = door.passage(caller, act, circumstances)
        with passage:
            resting[0].rest()
            local = LocalPassage(door, passage)
            yield local
        local.write_receipt()


def command_caller(door: Door, targets: Sequence[Target], environ: Mapping[str, str]) -> Caller:
    """Who runs a command: the holder of ``GLASSHOUSE_KEY``, or the user of this machine on these targets."""
    key, wanted = environ.get(KEY, ""), environ.get(ENGAGEMENT, "")
    if KEY in environ and not key:  # a script whose key is missing must not run under the user's own name instead
        raise CredentialError(f"{KEY} is set but empty", hint=f"Set it to a key, or unset it to run as {user_name()}.")
    caller = door.resolve(key) if key else local_caller(user_name(), targets)
    if wanted and caller.engagement.id != wanted:
        hint = f"Set {KEY} to a key of that engagement." if not key else "Use the key of that engagement."
        raise AccessError(f"this runs under engagement {caller.engagement.id}, not {wanted}", hint=hint)
    return caller


def user_name() -> str:
    """The name of the OS user, from the password database (an environment variable proves nothing)."""
    import pwd

    try:
        return _USER.sub("-", pwd.getpwuid(os.getuid()).pw_name)[:64]
    except KeyError:
        return str(os.getuid())


def code_targets(paths: Iterable[Path]) -> tuple[Target, ...]:
    """The folders and files of a command line as targets: real paths, so that a link leads out of no scope."""
    return tuple(Target("code", _named(path)) for path in paths)


def file_targets(paths: Iterable[Path]) -> tuple[Target, ...]:
    """The same for input files that are not code."""
    return tuple(Target("file", _named(path)) for path in paths)


def _named(path: Path) -> str:
    """The real path as text that can be recorded: bytes that are no UTF-8 are written out."""
    return os.fsencode(os.path.realpath(path)).decode("utf-8", "backslashreplace")
