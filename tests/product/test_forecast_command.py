"""``glasshouse forecast`` and ``glasshouse exposure`` as a user meets them: files in, answers out, no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GLASSHOUSE = (sys.executable, "-m", "glasshouse")
TEXTS = {
    "CVE-2024-1001": (
        "Acme",
        "Gateway",
        "OS command injection in Acme Gateway lets unauthenticated remote attackers run code.",
    ),
    "CVE-2024-1002": (
        "Blogger",
        "Blog",
        "Stored cross-site scripting in the Blogger plugin for authenticated editors.",
    ),
    "CVE-2024-1003": ("Acme", "Mail", "Deserialization of untrusted data in Acme Mail allows remote code execution."),
    "CVE-2024-1004": ("Photo", "Album", "Photo Album shows a stack trace to logged-in users."),
}


def record(name: str) -> dict[str, Any]:
    """A CVE record."""
    vendor, product, text = TEXTS[name]
    return {
        "dataType": "CVE_RECORD",
        "cveMetadata": {
            "cveId": name,
            "state": "PUBLISHED",
            "datePublished": "2025-04-01",
            "dateUpdated": "2025-04-02",
        },
        "containers": {
            "cna": {
                "descriptions": [{"lang": "en", "value": text}],
                "affected": [{"vendor": vendor, "product": product}],
            }
        },
    }


class Home:
    """A user's files and a home of Glasshouse's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "GLASSHOUSE_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8"}

    def write(self, name: str, content: object) -> Path:
        """A file below the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Standard output of a command that must end with a given status."""
        done = subprocess.run(
            [*GLASSHOUSE, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if expect in (0, 1, 5) else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home into which records, a catalogue and advisories were imported."""
    made = Home(tmp_path_factory.mktemp("forecast"))
    for name in TEXTS:
        made.write(f"cves/{name}.json", record(name))
    made.run("forecast", "import", "cvelist", "cves")
    rows = "cveID,dateAdded,vendorProject,product\n"
    rows += "CVE-2024-1003,2025-05-01,Acme,Mail\nCVE-2023-0001,2025-01-05,Acme,Gateway\n"
    made.run("forecast", "import", "kev", str(made.write("kev.csv", rows)))
    advisories = [
        ("GHSA-1", "CVE-2024-1001", "acme-gateway", "2.0.0"),
        ("GHSA-3", "CVE-2024-1003", "acme-mail", "1.5.0"),
    ]
    for name, cve, package, fixed in advisories:
        body = {
            "id": name,
            "modified": "2025-04-03T00:00:00Z",
            "aliases": [cve],
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": package},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
                }
            ],
        }
        made.write(f"osv/{name}.json", body)
    made.run("forecast", "import", "osv", "osv")
    made.write("shop/requirements.txt", "acme-gateway==1.0\nacme-mail==1.2\nflask==3.0\n")
    made.write("bank/requirements.txt", "acme-mail==1.4\n")
    made.write(
        "services.csv",
        "service,inventory,criticality,critical,supplier,supplier_lei,function\n"
        "shop,shop/requirements.txt,1,no,Host Ltd,LEI1,sales\n"
        "payments,bank/requirements.txt,5,yes,Host Ltd,LEI1,payments\n",
    )
    return made


def test_a_forecast_shows_chances_an_interval_reasons_and_what_it_rests_on(home: Home) -> None:
    page = home.run("forecast", "CVE-2024-1001", "--as-of", "2025-06-01")
    for expected in (
        "within  30 days",
        "within  90 days",
        "within 365 days",
        "90 % interval",
        "why",
        "no counts of mentions",
    ):
        assert expected in page
    assert "x more  reads like listed ones" in page


def test_a_listed_vulnerability_is_not_forecast(home: Home) -> None:
    (found,) = json.loads(home.run("forecast", "CVE-2024-1003", "--as-of", "2025-06-01", "--format", "json"))[
        "forecasts"
    ]
    assert found["listed_on"] == "2025-05-01"
    assert found["probabilities"] == []


def test_the_day_before_it_was_listed_it_still_was_a_forecast(home: Home) -> None:
    (found,) = json.loads(home.run("forecast", "CVE-2024-1003", "--as-of", "2025-04-30", "--format", "json"))[
        "forecasts"
    ]
    assert found["listed_on"] is None
    values = [each["value"] for each in found["probabilities"]]
    assert values == sorted(values)


def test_the_top_ranks_what_is_open_and_reads_like_exploited_ones_first(home: Home) -> None:
    body = json.loads(home.run("forecast", "--top", "10", "--as-of", "2025-06-01", "--format", "json"))
    names = [each["cve"] for each in body["forecasts"]]
    assert names[0] == "CVE-2024-1001"
    assert set(names) == {"CVE-2024-1001", "CVE-2024-1002", "CVE-2024-1004"}


def test_filters_narrow_the_top(home: Home) -> None:
    text = home.run("forecast", "--top", "10", "--vendor", "BLOGGER", "--as-of", "2025-06-01", "--format", "csv")
    assert [line.split(",")[0] for line in text.splitlines()] == ["cve", "CVE-2024-1002"]


def test_an_unknown_vulnerability_is_an_error_that_says_what_to_do(home: Home) -> None:
    assert "glasshouse forecast import" in home.run("forecast", "CVE-2020-9999", expect=4)


def test_a_future_day_before_any_fact_knows_nothing(home: Home) -> None:
    assert "nothing was known" in home.run("forecast", "CVE-2024-1001", "--as-of", "2025-03-01", expect=4)


def test_the_html_report_is_self_contained(home: Home) -> None:
    page = home.run("forecast", "--top", "3", "--as-of", "2025-06-01", "--format", "html")
    assert "<svg" in page
    assert "default-src &#x27;none&#x27;" in page
    assert "://" not in page


def test_exposure_names_what_to_patch_and_what_it_hits(home: Home) -> None:
    report = home.run("exposure", "shop", "bank", "--services", "services.csv", "--as-of", "2025-06-01", expect=1)
    assert "Patch these 3 first" in report
    assert "acme-mail 1.4" in report
    assert "CVE-2024-1003 (listed)" in report


def test_exposure_in_json_counts_critical_services(home: Home) -> None:
    arguments = ("exposure", "shop", "bank", "--services", "services.csv", "--as-of", "2025-06-01", "--format", "json")
    body = json.loads(home.run(*arguments, expect=1))["exposure"]
    rows = {row["component"]["name"] + row["component"]["version"]: row for row in body["vulnerable"]}
    assert rows["acme-mail1.4"]["critical_reach"] == 1
    assert rows["acme-gateway1.0"]["critical_reach"] == 0
    assert body["plan"][0]["component"]["version"] == "1.4"
    assert body["expected_loss"] == pytest.approx(6.0, rel=1e-6)


def test_the_register_has_a_row_for_each_service(home: Home) -> None:
    arguments = (
        "exposure",
        "shop",
        "bank",
        "--services",
        "services.csv",
        "--as-of",
        "2025-06-01",
        "--format",
        "register",
    )
    lines = home.run(*arguments, expect=1).splitlines()
    assert lines[0].startswith("ict_third_party_provider,provider_lei,function")
    assert [line.split(",")[4] for line in lines[1:]] == ["shop", "payments"]


def test_an_entry_that_cannot_be_judged_is_listed_and_changes_the_exit_code(home: Home) -> None:
    home.write("odd/bom.json", {"bomFormat": "CycloneDX", "components": [{"name": "mystery", "version": "1"}]})
    report = home.run("exposure", "odd", "--as-of", "2025-06-01", expect=5)
    assert "unknown ecosystem" in report


def test_trends_say_when_there_is_too_little_to_say(home: Home) -> None:
    assert "no group with enough listings" in home.run("forecast", "trends", "--as-of", "2025-06-01")


def test_without_any_import_the_next_step_is_named(tmp_path: Path) -> None:
    assert "forecast import" in Home(tmp_path).run("forecast", "CVE-2024-1001", expect=2)


def test_a_day_that_has_not_come_is_refused(home: Home) -> None:
    assert "has not come yet" in home.run("forecast", "CVE-2024-1001", "--as-of", "9999-12-31", expect=2)
    assert "has not come yet" in home.run("exposure", "shop", "--as-of", "9999-12-31", expect=2)


def test_an_import_that_finds_no_file_says_what_it_looked_for(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    assert "*.json, *.csv" in Home(tmp_path).run("forecast", "import", "kev", "feeds", expect=2)


def test_a_damaged_inventory_among_others_is_named_and_the_rest_is_judged(home: Home) -> None:
    home.write("mixed/good-bom.json", {"bomFormat": "CycloneDX", "components": [{"purl": "pkg:pypi/acme-mail@1.4"}]})
    (home.folder / "mixed" / "cut-bom.json").write_text('{"bomFormat": "CycloneDX", "components": [')
    report = home.run("exposure", "mixed", "--as-of", "2025-06-01", expect=5)
    assert "cut-bom.json" in report
    assert "1 service" in report
    assert "not a valid" in home.run("exposure", "mixed/cut-bom.json", expect=2)


def test_a_catalogue_of_listings_alone_is_no_record_of_who_publishes(tmp_path: Path) -> None:
    alone = Home(tmp_path)
    alone.write("kev.json", {"vulnerabilities": [{"cveID": "CVE-2024-1003", "dateAdded": "2025-05-01"}]})
    alone.run("forecast", "import", "kev", "kev.json")
    report = alone.run("forecast", "trends", "--as-of", "2025-06-01")
    assert "Who publishes" not in report
    assert "set against nothing" in report
    assert "too few listings" in report
    assert "No vulnerability that fits" in alone.run("forecast", "--top", "3", "--as-of", "2025-06-01")
