"""The number of this process, without a system call each time it is asked for."""

from __future__ import annotations

import os


class _Own:
    number = os.getpid()


def _renew() -> None:
    _Own.number = os.getpid()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew)


def own_number() -> int:
    """What `os.getpid` says, also after a fork."""
    return _Own.number
