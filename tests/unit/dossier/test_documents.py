"""Every document: values say what they rest on, the same evidence gives the same bytes, quoted text stays text."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.dossier.document import Basis, Document, Field, Section, Table, diff, encode
from glasshouse.dossier.render.basis import headline
from glasshouse.dossier.render.markdown import escape
from glasshouse.dossier.render.registry import FORMATS, render
from glasshouse.dossier.values import Value, computed, missing, shares
from glasshouse.dossier.vocabulary import banned_words
from glasshouse.words.errors import VocabularyError

AT = dt.datetime(2026, 11, 27, 10, 0, tzinfo=dt.UTC)
DIGEST = "sha256:" + "ab" * 32
HOSTILE = "<script>alert(1)</script> #let x = 1 | `a` $x$ \u202e [l](javascript:1)"


def document(name: str = "sharp") -> Document:
    """A document with each kind of value, and with text that tries to be markup."""
    fields = (
        Field("name", "What is it called?", computed(name, (4, 2, 4)), "T-1.1"),
        Field("secret", "Total parameters", computed(70_000, (5,)), audiences=("ai-office",)),
        Field("why", "Why was it made?", Value(HOSTILE, "attested", (7,), who="A. Author (owner)", at=AT)),
        Field("report", "Outside report", Value("report.pdf", "external", digest=DIGEST)),
        Field("energy", "Energy", missing("glasshouse attest energy")),
    )
    table = Table("runs", "Runs", ("suite", "result"), ((computed("misuse", (9,)), computed("0.91", (9,))),))
    sections = (Section("general", "General", fields, citation="Annex XI"), Section("runs", "Runs", (), (table,)))
    return Document("model-card", f"Model card: {name}", name, "public", Basis("log.example", 12, DIGEST, AT), sections)


@pytest.mark.parametrize("form", [each for each in FORMATS if each != "pdf"])
def test_the_same_evidence_gives_the_same_bytes(form: str) -> None:
    assert render(document(), form) == render(document(), form)


@pytest.mark.skipif(importlib.util.find_spec("typst") is None, reason="the extra `reports` is not installed")
def test_a_pdf_is_the_same_bytes_each_time() -> None:
    made = render(document(), "pdf")
    assert made.startswith(b"%PDF-")
    assert made == render(document(), "pdf")


@pytest.mark.skipif(importlib.util.find_spec("typst") is None, reason="the extra `reports` is not installed")
def test_text_longer_than_a_page_goes_on_over_the_next_pages() -> None:
    text = computed(" ".join(f"word{number}" for number in range(6000)), (4,))
    field = Section("general", "General", (Field("why", "Why was it made?", text),))
    table = Section("runs", "Runs", (), (Table("runs", "Runs", ("suite",), ((text,),)),))
    for section in (field, table):
        basis = Basis("log.example", 12, DIGEST, AT)
        made = render(Document("model-card", "Model card", "sharp", "public", basis, (section,)), "pdf")
        assert len(re.findall(rb"/Type\s*/Page\b", made)) >= 6


def test_quoted_text_does_not_become_markup() -> None:
    page = render(document(), "html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\\<script\\>" in render(document(), "md").decode()
    assert "\u202e" not in page + render(document(), "md").decode()


@given(st.text())
def test_escaped_text_stays_on_its_line_and_opens_nothing(text: str) -> None:
    shown = escape(text)
    assert "\n" not in shown
    assert not any(character in "`*_[]<>|#" and (n == 0 or shown[n - 1] != "\\") for n, character in enumerate(shown))


def test_the_headline_counts_every_question_and_every_row_once() -> None:
    counts, rows = document().shares(), document().row_shares()
    assert (counts.computed, counts.attested, counts.external, counts.missing) == (2, 1, 1, 1)
    assert (rows.computed, rows.total) == (1, 1)
    assert "5 questions: 2 computed (40 %)" in headline(document())
    assert "1 row of tables: 1 computed" in headline(document())
    assert shares([]).percent("computed") == 0


def test_a_row_counts_by_its_weakest_value_and_tables_never_hide_an_open_question() -> None:
    half = Table("t", "T", ("a", "b"), ((computed("x", (1,)), missing("say it")),) * 99)
    whole = msgspec.structs.replace(document(), sections=(*document().sections, Section("t", "T", (), (half,))))
    assert whole.row_shares().missing == 99
    assert whole.shares() == document().shares()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Value("measured", "computed"),
        lambda: Value("said", "attested", who="", at=AT),
        lambda: Value("report", "external"),
    ],
)
def test_a_value_without_what_it_rests_on_cannot_be_made(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"names|digest"):
        make()


def test_an_audience_sees_only_its_own_fields() -> None:
    for form in ("md", "html", "json"):
        assert "70000" not in render(document(), form).decode()
    assert "70000" in render(msgspec.structs.replace(document(), audience="ai-office"), "md").decode()


@pytest.mark.parametrize("word", ["compliant", "Certified", "non-compliant"])
@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_a_word_that_only_an_authority_may_say_stops_the_document(word: str, form: str) -> None:
    with pytest.raises(VocabularyError, match=word):
        render(document(f"a {word} model"), form)


def test_words_that_only_contain_a_banned_one_are_free() -> None:
    assert banned_words("decertified noncompliantly uncertified") == []
    assert banned_words("It is Compliant.") == ["Compliant"]


def test_a_difference_names_the_place_and_both_values() -> None:
    changes = diff(document("sharp"), document("keen"))
    assert [(each.place, each.before and each.before.text, each.after and each.after.text) for each in changes] == [
        ("general/name", "sharp", "keen")
    ]
    assert diff(document(), document()) == ()


def test_a_document_survives_its_encoding() -> None:
    assert msgspec.json.decode(encode(document()), type=Document) == document()
