"""``glasshouse deny ID``; see `glasshouse.cli.approvals`."""

from __future__ import annotations

from glasshouse.cli.approvals import deny as command

__all__ = ["command"]
