"""``glasshouse approve ID``; see `glasshouse.cli.approvals`."""

from __future__ import annotations

from glasshouse.cli.approvals import approve as command

__all__ = ["command"]
