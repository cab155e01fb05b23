"""The Glasshouse home: where log, store, keys and policies are, and the pseudonyms that stand for names in the log."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from glasshouse.access.secrets import read_or_make
from glasshouse.words.errors import DoorClosedError
from glasshouse.words.places import home

ELSEWHERE = "Name a folder that you can write: GLASSHOUSE_HOME=$PWD/.glasshouse glasshouse scan ."

SECRET_KEPT_S = 1.0
MAX_PSEUDONYMS = 10_000  # kept for as long as their secret is the same


class Home:
    """A Glasshouse home that exists and can be written; `DoorClosedError` when it cannot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._secrets: dict[str, tuple[float, bytes]] = {}
        self._pseudonyms: tuple[bytes, dict[tuple[str, str], str]] = (b"", {})
        try:
            (folder / "keys").mkdir(parents=True, exist_ok=True, mode=0o700)
            self.running.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise DoorClosedError(
                f"cannot record there ({error.strerror}), so nothing was done", where=str(folder), hint=ELSEWHERE
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise DoorClosedError("cannot record there, so nothing was done", where=str(folder), hint=ELSEWHERE)

    @property
    def log(self) -> Path:
        """The folder of the log, where `glasshouse log` and `verify` look for it too."""
        return log_folder(self.folder)

    @property
    def policies(self) -> Path:
        """The folder of the organisation's own policies."""
        return self.folder / "policies"

    @property
    def running(self) -> Path:
        """The folder of the journals of running processes."""
        return self.folder / "running"

    @property
    def receipts(self) -> Path:
        """The folder that receipts of local commands are written to."""
        return self.folder / "receipts"

    def pepper(self) -> bytes:
        """The secret under which keys are stored."""
        return self._secret("pepper")

    def pseudonym(self, kind: str, name: str) -> str:
        """What stands for a name in the log; whoever deletes ``keys/pseudonyms`` cuts the link for good."""
        secret = self._secret("pseudonyms")
        if self._pseudonyms[0] != secret or len(self._pseudonyms[1]) >= MAX_PSEUDONYMS:
            self._pseudonyms = (secret, {})
        known = self._pseudonyms[1]
        found = known.get((kind, name))
        if found is None:
            found = f"{kind}-{hmac.new(secret, f'{kind}:{name}'.encode(), sha256).hexdigest()[:16]}"
            known[kind, name] = found
        return found

    def _secret(self, name: str) -> bytes:
        """A secret of the home; a gateway asks several times a call, so the file is read once a second at most."""
        kept = self._secrets.get(name)
        now = time.monotonic()
        if kept is None or now - kept[0] >= SECRET_KEPT_S:
            kept = self._secrets[name] = (now, read_or_make(self.folder / "keys" / name))
        return kept[1]


def log_folder(folder: Path) -> Path:
    """Where the log of a home is; every command asks here."""
    return folder / "ledger"


def find_home(environ: Mapping[str, str]) -> Home:
    """``$GLASSHOUSE_HOME``, or ``glasshouse`` in the XDG data directory, made when it is missing."""
    return Home(home_folder(environ))


def home_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the home, whether it exists or not."""
    folder = home(environ)
    if folder is None:
        raise DoorClosedError("no home folder is known, so nothing can be recorded", hint=ELSEWHERE)
    return folder
