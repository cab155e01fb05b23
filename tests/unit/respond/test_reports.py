"""Reports for people: numbers agree with their nouns."""

from __future__ import annotations

import re

from tests.unit.respond.examples import detection
from tests.unit.respond.test_ocsf import report

from glasshouse.respond.render import html_format, stix, text
from glasshouse.words.display import counted

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
