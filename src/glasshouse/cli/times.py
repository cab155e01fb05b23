"""Times that people type: with their zone, and never in the future."""

from __future__ import annotations

import datetime as dt

MOMENT = "a time with its zone (2026-11-27T09:30+01:00), a day (2026-11-27), or `unrecorded`"


def past_day(at: dt.datetime) -> dt.date:
    """The day that was typed.  Raises `AnchorError` for one that has not come anywhere yet."""
    from glasshouse.words.errors import AnchorError

    if at.date() > (dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)).date():  # the day may have begun further east
        raise AnchorError(f"`{at.date()}` lies in the future")
    return at.date()


def instant(text: str) -> dt.datetime:
    """The time that was typed.  Raises `AnchorError` for one without a zone, or that has not come."""
    from glasshouse.words.errors import AnchorError

    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise AnchorError(f"`{text[:60]}` is not {MOMENT}") from error
    if at.tzinfo is None:
        raise AnchorError(f"`{text[:60]}` has no time zone")
    if at > dt.datetime.now(dt.UTC):
        raise AnchorError(f"`{text[:60]}` lies in the future")
    return at
