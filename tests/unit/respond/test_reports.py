"""Reports: every format tells what is known and in which order to look; numbers agree with their nouns."""

from __future__ import annotations

import csv
import json
import re

import msgspec
import pytest
from tests.unit.respond.examples import detection, rule
from tests.unit.respond.test_ocsf import report

from glasshouse.respond.render import html_format, stix, text
from glasshouse.respond.render.registry import pieces
from glasshouse.respond.report import Report, moment, span
from glasshouse.words.display import counted
from glasshouse.words.incident import Stake, Threat

ONE_OF_MANY = re.compile(r"(?<![\d.,])1 (?:more )?[a-z]+s\b(?<!ss)")


def test_one_of_a_thing_is_never_told_in_the_plural() -> None:
    of_one = report([detection(0, process="g")])
    for shown in ("".join(html_format.render(of_one)), "".join(text.render(of_one, color=False))):
        body = shown.partition("</style>")[2] or shown
        assert "1 incident" in body
        assert ONE_OF_MANY.findall(re.sub("<svg.*?</svg>", "", body)) == []
    assert "matched 1 time," in "".join(stix.render(of_one))


def test_a_count_has_its_noun_in_the_right_number() -> None:
    assert [counted(n, "entry", "entries") for n in (0, 1, 2_000)] == ["0 entries", "1 entry", "2,000 entries"]


def known() -> Report:
    """Two incidents; the first names a listed vulnerability, on a host of a critical service."""
    made = report([detection(0, by=rule("r", "critical"), process="g"), detection(9_000, host="ws2", process="h")])
    threat = Threat("CVE-2021-44228", ("Rule r",), listed_on="2021-12-10", as_of="2026-01-01")
    stake = Stake("ws1", "payments", "Ann", 5.0, True, ("CVE-2021-44228",))
    first, second = made.incidents
    return msgspec.structs.replace(
        made, incidents=(msgspec.structs.replace(first, threats=(threat,), stakes=(stake,)), second)
    )


@pytest.mark.parametrize("form", ["text", "html", "json", "ocsf", "csv", "stix"])
def test_every_format_tells_the_forecast_and_the_services_and_keeps_the_order(form: str) -> None:
    made = known()
    shown = "".join(pieces(form, made))
    assert "CVE-2021-44228" in shown
    assert "2021-12-10" in shown
    assert "payments" in shown
    first, second = (each.id for each in made.incidents)
    assert shown.index(first) < shown.index(second)


def test_a_timeline_in_order_of_time_says_which_incident_to_look_at_first() -> None:
    made = msgspec.structs.replace(known(), incidents=known().incidents[::-1])
    rows = list(csv.DictReader("".join(pieces("csv", made)).splitlines()))
    assert [(row["host"], row["priority"]) for row in rows] == [("ws1", "2"), ("ws2", "1")]
    assert rows[0]["vulnerabilities"] == "CVE-2021-44228: listed as exploited since 2021-12-10; named by Rule r"
    assert (
        rows[0]["services"] == "ws1 runs the critical service payments (weight 5, owner Ann), which has CVE-2021-44228"
    )


def test_a_bundle_refers_from_the_incident_to_the_vulnerability() -> None:
    objects = json.loads("".join(pieces("stix", known())))["objects"]
    (flaw,) = (each for each in objects if each["type"] == "vulnerability")
    assert flaw["external_references"] == [{"source_name": "cve", "external_id": "CVE-2021-44228"}]
    assert flaw["description"] == "listed as exploited since 2021-12-10"
    reports = [each for each in objects if each["type"] == "report"]
    assert [flaw["id"] in each["object_refs"] for each in reports] == [True, False]
    assert "1 of 2 to look at" in reports[0]["description"]


def test_two_moments_within_a_second_are_told_as_one_and_early_years_have_four_digits() -> None:
    assert span(1_700_000_000.1, 1_700_000_000.9) == "2023-11-14 22:13:20 UTC"
    assert span(1_700_000_000.1, 1_700_000_001.0) == "2023-11-14 22:13:20 to 2023-11-14 22:13:21 UTC"
    assert span(None, None) == "no time"
    assert moment(-62_135_596_800.0) == "0001-01-01 00:00:00"


def test_the_drawing_says_which_program_a_process_is() -> None:
    one = detection(0, process="guid-1")
    entities = tuple(msgspec.structs.replace(e, role="self") if e.kind == "process" else e for e in one.entities)
    one = msgspec.structs.replace(one, entities=entities, evidence=(("Image", "C:\\Windows\\System32\\cmd.exe"),))
    assert "cmd.exe guid-1" in "".join(pieces("html", report([one])))
