"""Misuse screening: what a request to a model, or its answer, looks like: attack on others or defence.

Order of work: take off disguises (`normalise`), read features (`features`), weigh them (`screener`).  The score is
one input of policy beside identity, engagement and scope; it decides nothing.  Pure functions of text and weights:
no clock, no network, no log.
"""

from glasshouse.guard.misuse.screener import Screener
from glasshouse.guard.misuse.session import Session
from glasshouse.guard.misuse.stream import Release, StreamScreen
from glasshouse.guard.misuse.verdicts import CATEGORIES, CategoryScore, Reason, Score, Span, Window

__all__ = [
    "CATEGORIES",
    "CategoryScore",
    "Reason",
    "Release",
    "Score",
    "Screener",
    "Session",
    "Span",
    "StreamScreen",
    "Window",
]
