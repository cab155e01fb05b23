"""Where Glasshouse keeps its own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str]) -> Path | None:
    """``$GLASSHOUSE_HOME``, or ``glasshouse`` in the XDG data directory; None when no home directory is known."""
    own = environ.get("GLASSHOUSE_HOME", "")
    if own:
        return Path(own).expanduser().absolute()
    data = environ.get("XDG_DATA_HOME", "")
    if data and Path(data).is_absolute():
        return Path(data) / "glasshouse"
    user = environ.get("HOME", "")
    return Path(user) / ".local" / "share" / "glasshouse" if user else None


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """The default place of the scan cache."""
    base = home(environ)
    return base / "cache" if base is not None else None


def default_store(environ: Mapping[str, str]) -> Path:
    """The default place of imported facts: records, advisories, what is known of exploitation."""
    return (home(environ) or Path()) / "forecast.db"
