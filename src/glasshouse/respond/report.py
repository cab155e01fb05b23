"""The report of a response: what every format is made from."""

from __future__ import annotations

from datetime import UTC

import msgspec

from glasshouse.respond.run import Run
from glasshouse.words.incident import LEVEL_RANK, Detection, Incident, Level


class Report(msgspec.Struct, frozen=True):
    """A run with its incidents, the gravest first; ``loose`` are detections that no incident of note took up."""

    version: str
    made: str
    run: Run
    incidents: tuple[Incident, ...]
    loose: tuple[Detection, ...] = ()

    @property
    def made_iso(self) -> str:
        """When it was made, as STIX writes times: UTC with milliseconds."""
        from datetime import datetime

        return iso(datetime.fromisoformat(self.made).timestamp()) or self.made

    @property
    def incomplete(self) -> bool:
        """Whether something that a user would expect to be analysed was not."""
        return self.run.partial or bool(self.run.left_out) or any(each.code != "empty" for each in self.run.not_read)

    def at_least(self, level: Level) -> list[Incident]:
        """The incidents of this severity or a graver one."""
        return [each for each in self.incidents if LEVEL_RANK[each.severity] >= LEVEL_RANK[level]]


def moment(time: float | None) -> str:
    """A time for people: UTC, to the second; ``no time`` when there is none."""
    from datetime import datetime

    if time is None:
        return "no time"
    return datetime.fromtimestamp(time, tz=UTC).replace(microsecond=0, tzinfo=None).isoformat(" ")


def span(first: float | None, last: float | None) -> str:
    """From when to when, for people; one moment when both are within a second."""
    begin, end = moment(first), moment(last)
    if first is None or last is None:
        return begin
    return f"{begin} UTC" if begin == end else f"{begin} to {end} UTC"


def iso(time: float | None) -> str | None:
    """A time for machines: RFC 3339, UTC, to the microsecond."""
    from datetime import datetime

    if time is None:
        return None
    return datetime.fromtimestamp(time, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
