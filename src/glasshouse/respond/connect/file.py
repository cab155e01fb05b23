"""``file``: the approved step as a JSON file in a folder that other tools watch."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from glasshouse.respond.connect.interface import safe_name
from glasshouse.words.errors import ConnectorError
from glasshouse.words.plan import ApprovedStep, StepResult


class FileConnector:
    """Writes ``<step id>.json`` at once, readable by the owner only; one that exists is not written again."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        if not folder.is_absolute():
            raise ConnectorError("folder must be an absolute path", hint="Fix connectors.toml.")
        self._folder = folder

    def describe(self, approved: ApprovedStep) -> str:
        """The file that would be written."""
        return f"write {self._folder / approved.step.id}.json for {safe_name(approved)}"

    def carry_out(self, approved: ApprovedStep) -> StepResult:
        """Writes the file."""
        safe_name(approved)
        place = self._folder / f"{approved.step.id}.json"
        part = self._folder / f".{approved.step.id}.part"
        try:
            if place.exists():
                return StepResult(approved.step.id, self.name, True, f"{place} was there already")
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(msgspec.json.format(msgspec.json.encode(approved)))
            os.replace(part, place)
        except OSError as error:
            raise ConnectorError(f"cannot write {place}: {error.strerror}", where=approved.step.id) from error
        return StepResult(approved.step.id, self.name, True, f"wrote {place}")
