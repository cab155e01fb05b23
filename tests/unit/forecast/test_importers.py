"""Importers: what each source tells and since when; bad records are named and the rest goes on."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.facts import Day, Knowledge, day
from glasshouse.forecast.importers.interface import Document
from glasshouse.forecast.importers.registry import IMPORTERS
from glasshouse.forecast.importers.run import ImportReport, import_records
from glasshouse.forecast.store import FactStore

TODAY = day("2025-01-31")


def record(name: str = "CVE-2024-0001", published: str = "2024-02-01", updated: str = "2024-03-01") -> dict[str, Any]:
    """A CVE record with CISA's additions."""
    return {
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": name, "state": "PUBLISHED", "datePublished": published, "assignerShortName": "acme"},
        "containers": {
            "cna": {
                "providerMetadata": {"dateUpdated": updated},
                "descriptions": [{"lang": "fr", "value": "non"}, {"lang": "en", "value": "OS command injection"}],
                "affected": [{"vendor": "Acme", "product": "Gateway"}],
                "problemTypes": [{"descriptions": [{"cweId": "CWE-78", "description": "CWE-78 OS"}]}],
                "metrics": [{"cvssV3_1": {"baseScore": 9.8, "vectorString": "CVSS:3.1/AV:N"}}],
            },
            "adp": [
                {
                    "providerMetadata": {"shortName": "CISA-ADP", "dateUpdated": "2024-04-01"},
                    "metrics": [
                        {
                            "other": {
                                "type": "ssvc",
                                "content": {
                                    "options": [
                                        {"Exploitation": "poc"},
                                        {"Automatable": "yes"},
                                        {"Technical Impact": "total"},
                                    ]
                                },
                            }
                        }
                    ],
                }
            ],
        },
    }


Load = Callable[..., tuple[FactStore, ImportReport]]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Makes a store by the import of one file."""
    with ExitStack() as closing:

        def load(kind: str, name: str, content: str | bytes, **options: Any) -> tuple[FactStore, ImportReport]:
            file = tmp_path / name
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            store = closing.enter_context(FactStore(":memory:"))
            return store, import_records(store, IMPORTERS[kind], [file], today=TODAY, **options)

        yield load


def about(store: FactStore, name: str, moment: Day = TODAY) -> Knowledge:
    """What is known, which must be something."""
    known = store.about(name, moment)
    assert known is not None
    return known


def test_a_record_is_known_since_its_last_update_and_published_since_its_publication(load: Load) -> None:
    store, report = load("cvelist", "CVE-2024-0001.json", json.dumps(record()))
    assert report.rejected == 0
    before = about(store, "CVE-2024-0001", day("2024-02-15"))
    assert before.published == day("2024-02-01")
    assert before.description == ""
    after = about(store, "CVE-2024-0001", day("2024-03-15"))
    assert (after.description, after.cwes, after.products) == ("OS command injection", (78,), (("Acme", "Gateway"),))
    assert after.ssvc is None
    now = about(store, "CVE-2024-0001")
    assert now.ssvc is not None
    assert (now.ssvc.exploitation, now.ssvc.impact) == ("poc", "total")


def test_a_second_import_of_the_same_folder_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "CVE-2024-0001.json").write_text(json.dumps(record()))
    with FactStore(":memory:") as store:
        first = import_records(store, IMPORTERS["cvelist"], [tmp_path], today=TODAY)
        again = import_records(store, IMPORTERS["cvelist"], [tmp_path], today=TODAY)
    assert first.facts > 0
    assert (again.facts, again.known) == (0, 1)


def test_a_withdrawn_record_says_so(load: Load) -> None:
    body = record()
    body["cveMetadata"] |= {"state": "REJECTED", "dateRejected": "2024-05-01"}
    store, _ = load("cvelist", "CVE-2024-0001.json", json.dumps(body))
    assert about(store, "CVE-2024-0001").withdrawn


def test_facts_from_the_future_are_left_out_and_may_come_again_later(load: Load, tmp_path: Path) -> None:
    text = json.dumps(record(published="2031-01-01", updated="2031-01-01"))
    store, report = load("cvelist", "CVE-2024-0001.json", text)
    assert (report.facts, report.rejected) == (0, 1)
    assert "2031-01-01" in report.listed[0].why
    later = import_records(store, IMPORTERS["cvelist"], [tmp_path / "CVE-2024-0001.json"], today=day("2031-02-01"))
    assert later.facts > 0


BAD = [
    ("cvelist", "a.json", '{"cveMetadata": {"cveId": "CVE-20'),
    ("cvelist", "a.json", '{"cveMetadata": {"cveId": "not an id"}}'),
    ("nvd", "a.json", '{"vulnerabilities": [{"cve": {"id": "CVE-2024-1000", "published": "soon"}}]}'),
    ("kev", "a.json", '{"vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2024-01-01"}]}'),
    ("kev", "a.csv", "cveID,dateAdded\nCVE-2024-1000,never\n"),
    ("epss", "a.csv", "cve,epss\nCVE-2024-1000,7.5\n"),
    ("epss", "a.csv", "something,else\n1,2\n"),
    ("osv", "a.json", '{"id": "GHSA-1"}'),
    ("osv", "a.yaml", "id: [unclosed"),
    ("mentions", "a.csv", "cve,date,repositories\nCVE-2024-1000,2024-01-01,many\n"),
    ("kev", "a.json", '{"vulnerabilities": [7]}'),
    ("metasploit", "a.json", "[1, 2"),
    ("metasploit", "a.json", '{"exploit_x": 5}'),
    ("exploitdb", "a.csv", "id,name,codes\n1,2\n"),
    ("poc", "CVE-2024-1000.json", '[{"stars": 1}]'),
    ("poc", "CVE-2024-1000.json", '{"message": "Not Found"}'),
    ("exploitdb", "a.csv", "id,name\n1,2\n"),
    ("nuclei", "cves.json", "not json\n"),
    ("poc", "readme.json", "[]"),
]


@pytest.mark.parametrize(("kind", "name", "content"), BAD)
def test_a_malformed_record_is_counted_and_named(load: Load, kind: str, name: str, content: str) -> None:
    _, report = load(kind, name, content)
    assert report.rejected == 1
    assert report.listed[0].where
    assert report.listed[0].why


def test_good_records_beside_a_bad_one_are_taken(load: Load) -> None:
    rows = [{"cveID": "oops"}, {"cveID": "CVE-2024-1000", "dateAdded": "2024-05-05", "vendorProject": "Acme"}]
    store, report = load("kev", "kev.json", json.dumps({"vulnerabilities": rows}))
    assert report.rejected == 1
    assert about(store, "CVE-2024-1000").listed_on == day("2024-05-05")


def test_duplicated_ids_of_a_catalogue_count_from_the_first_day(load: Load) -> None:
    rows = "cveID,dateAdded,vendorProject,product\n" + "".join(
        f"CVE-2024-1000,{moment},Acme,Gateway\n" for moment in ("2024-05-05", "2024-04-04")
    )
    store, _ = load("kev", "kev.csv", rows)
    assert about(store, "CVE-2024-1000").listed_on == day("2024-04-04")


def test_nvd_records_give_products_and_scores(load: Load) -> None:
    cve = {
        "id": "CVE-2024-1000",
        "published": "2024-01-05T10:15:00.000",
        "lastModified": "2024-02-05T10:15:00.000",
        "descriptions": [{"lang": "en", "value": "A flaw"}],
        "metrics": {
            "cvssMetricV31": [{"type": "Primary", "cvssData": {"baseScore": 7.5, "vectorString": "CVSS:3.1/AV:N"}}]
        },
        "weaknesses": [{"description": [{"lang": "en", "value": "CWE-22"}]}],
        "configurations": [
            {"nodes": [{"cpeMatch": [{"vulnerable": True, "criteria": "cpe:2.3:a:acme:web_gate:1.0:*:*:*:*:*:*:*"}]}]}
        ],
    }
    store, _ = load("nvd", "nvd.json", json.dumps({"vulnerabilities": [{"cve": cve}]}))
    known = about(store, "CVE-2024-1000")
    assert known.products == (("acme", "web gate"),)
    assert known.severity is not None
    assert known.severity.score == 7.5


def test_epss_counts_on_the_day_that_its_file_names(load: Load) -> None:
    text = "#model_version:v2025,score_date:2024-03-03T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1000,0.5,0.9\n"
    store, _ = load("epss", "scores.csv.gz", gzip.compress(text.encode()))
    assert about(store, "CVE-2024-1000").epss_on == day("2024-03-03")


def test_indexes_without_dates_count_from_the_day_of_the_import(load: Load) -> None:
    store, _ = load("nuclei", "cves.json", '{"ID": "CVE-2024-1000"}\n', known_at=day("2024-09-09"))
    assert about(store, "CVE-2024-1000").exploits == {"nuclei": day("2024-09-09")}


def test_pages_of_mentions_are_counted_not_kept(load: Load) -> None:
    page = "#### Reference\n- https://a.example/\n\n#### Github\n- https://github.com/x/CVE-2024-1000\n- https://github.com/x/y\n"
    store, _ = load("mentions", "CVE-2024-1000.md", page)
    ((_, counts),) = about(store, "CVE-2024-1000").mentions
    assert (counts.references, counts.repositories, counts.dedicated) == (1, 2, 1)
    assert about(store, "CVE-2024-1000").exploits == {}


def test_a_page_that_mentions_the_index_of_proofs_says_that_there_is_one(load: Load) -> None:
    page = "#### Github\n- https://github.com/nomi-sec/PoC-in-GitHub\n"
    store, _ = load("mentions", "CVE-2024-1000.md", page, known_at=day("2024-09-09"))
    assert about(store, "CVE-2024-1000").exploits == {"repository": day("2024-09-09")}


def test_a_farm_of_copies_by_one_owner_is_one_event(load: Load) -> None:
    rows = [{"owner": {"login": "farm"}, "created_at": f"2024-0{month}-01"} for month in range(1, 9)]
    store, report = load("poc", "CVE-2024-1000.json", json.dumps(rows))
    assert report.facts == 1
    assert about(store, "CVE-2024-1000").exploits == {"repository": day("2024-01-01")}


def test_a_damaged_archive_and_a_bomb_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "good.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("CVE-2024-0001.json", json.dumps(record()))
        archive.writestr("bomb.json", b" " * 5_000_000)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 not really")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(json.dumps(record()).encode())[:-9])
    with FactStore(":memory:") as store:
        report = import_records(store, IMPORTERS["cvelist"], [tmp_path], today=TODAY)
    assert report.facts == 7
    assert sorted(Path(item.where.partition("!")[0]).name for item in report.listed) == [
        "broken.zip",
        "cut.json.gz",
        "good.zip",
    ]


def zipped(name: str, content: bytes) -> bytes:
    """An archive of one member."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def test_the_archive_within_a_daily_release_is_read_and_one_deeper_is_not(load: Load) -> None:
    inner = zipped("cves/2024/0xxx/CVE-2024-0001.json", json.dumps(record()).encode())
    store, report = load("cvelist", "2025-01-31_all_CVEs_at_midnight.zip.zip", zipped("cves.zip", inner))
    assert about(store, "CVE-2024-0001").description == "OS command injection"
    assert (report.documents, report.rejected) == (1, 0)
    _, deeper = load("cvelist", "deep.zip", zipped("a.zip", zipped("b.zip", inner)))
    assert deeper.facts == 0
    _, broken = load("cvelist", "broken.zip", zipped("cves.zip", inner[:-30]))
    assert broken.facts == 0
    assert "damaged zip archive" in broken.listed[0].why


def test_an_xz_file_is_unpacked_and_a_damaged_one_is_named(load: Load) -> None:
    feed = json.dumps({"cve_items": [{"id": "CVE-2024-0003", "published": "2024-03-01T00:00:00.000"}]}).encode()
    packed = lzma.compress(feed)
    store, _ = load("nvd", "CVE-2024.json.xz", packed)
    assert about(store, "CVE-2024-0003").published == day("2024-03-01")
    for damaged in (packed[:-9], b"no xz", b""):
        _, report = load("nvd", "CVE-2023.json.xz", damaged)
        assert report.facts == 0
        assert "damaged xz file" in report.listed[0].why


def test_the_lists_own_logs_of_changes_are_no_records(load: Load) -> None:
    delta = {"fetchTime": "2025-01-01T00:00:00.000Z", "new": [{"cveId": "CVE-2024-0001"}], "updated": []}
    for name, body in (("delta.json", delta), ("deltaLog.json", [delta, delta])):
        _, report = load("cvelist", name, json.dumps(body))
        assert (report.facts, report.rejected) == (0, 0)


@pytest.mark.parametrize("kind", sorted(IMPORTERS))
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=8)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(
                        [
                            "cveMetadata",
                            "cveId",
                            "containers",
                            "cna",
                            "vulnerabilities",
                            "cve",
                            "id",
                            "affected",
                            "metrics",
                            "descriptions",
                            "modified",
                            "ranges",
                        ]
                    ),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_content_makes_an_importer_fail(kind: str, content: bytes) -> None:
    suffix = IMPORTERS[kind].suffixes[0]
    list(IMPORTERS[kind].read(Document(f"CVE-2024-0001{suffix}", content), TODAY))
