"""Taking dates, ids and texts out of records that strangers wrote."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from glasshouse.forecast.facts import CVE_ID, Day, InvalidDayError, day

MAX_TEXT = 20_000
MAX_NAME = 200
MAX_PRODUCTS = 50
_CWE = re.compile(r"CWE-(\d{1,5})\b")


class InvalidRecordError(ValueError):
    """A record that cannot be used, with the reason in words."""


def parse_json(content: bytes | msgspec.Raw) -> Any:
    """Any JSON value; a clear reason when the text is no JSON (a truncated file, say)."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRecordError(f"not valid JSON: {error}") from error


def table(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any, limit: int = MAX_NAME) -> str:
    """A bounded string; empty for anything else."""
    return value.strip()[:limit] if isinstance(value, str) else ""


def cve_id(value: Any) -> str:
    """A CVE id in upper case."""
    name = value.strip().upper() if isinstance(value, str) else ""
    if not CVE_ID.fullmatch(name):
        raise InvalidRecordError("no CVE id" if value is None else f"no CVE id: {str(value)[:40]!r}")
    return name


def moment(value: Any, field: str) -> Day:
    """The day of a date field."""
    if value is None:
        raise InvalidRecordError(f"{field}: no date")
    try:
        return day(value)
    except InvalidDayError as error:
        raise InvalidRecordError(f"{field}: {error}") from error


def cwe_numbers(values: list[Any]) -> tuple[int, ...]:
    """CWE numbers that stand in texts, each once, in their order."""
    found = [int(number) for value in values if isinstance(value, str) for number in _CWE.findall(value)]
    return tuple(dict.fromkeys(found))
