"""What `glasshouse forecast import` costs on feeds of true size and shape, the first time and the second.

    python bench/forecast_import.py [--records N]

The feeds are made up in the published shapes: a tree of CVE records, the CVE list's daily release (an archive in an
archive), a year of NVD 2.0, an ecosystem's OSV archive, the KEV catalogue as CSV, EPSS scores of a day.  The peer only
unpacks and parses the same bytes with Python's own `json`, `csv` and `zipfile`, and keeps nothing.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import random
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import Run, measured

WORDS = "the remote attacker buffer injection crafted request allows execute arbitrary code via parameter".split()
PEER = """
import csv, gzip, io, json, pathlib, sys, zipfile
def parse(name, data):
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist(): parse(member, archive.read(member))
    elif name.endswith(".gz"): parse(name[:-3], gzip.decompress(data))
    elif name.endswith(".csv"): list(csv.DictReader(io.StringIO(data.decode())))
    else: json.loads(data)
place = pathlib.Path(sys.argv[1])
for file in sorted(place.rglob("*.json")) if place.is_dir() else [place]: parse(file.name, file.read_bytes())
"""


def prose(chance: random.Random) -> str:
    """A description of ordinary length."""
    return " ".join(chance.choices(WORDS, k=45))


def name_of(number: int) -> str:
    """A CVE id."""
    return f"CVE-{2019 + number % 6}-{1_000 + number}"


def record(number: int, chance: random.Random) -> dict[str, Any]:
    """A CVE record 5.1 with CISA's container."""
    references = [{"url": f"https://example.org/{each}", "tags": ["patch"]} for each in range(chance.randint(1, 12))]
    decisions = [{"Exploitation": "none"}, {"Automatable": "no"}, {"Technical Impact": "partial"}]
    ssvc = {"type": "ssvc", "content": {"id": name_of(number), "options": decisions, "version": "2.0.3"}}
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {
            "cveId": name_of(number), "state": "PUBLISHED", "assignerShortName": "acme",
            "datePublished": "2025-01-02T10:00:00.000Z", "dateUpdated": "2025-02-03T10:00:00.000Z",
        },
        "containers": {
            "cna": {
                "providerMetadata": {"shortName": "acme", "dateUpdated": "2025-02-03T10:00:00.000Z"},
                "descriptions": [{"lang": "en", "value": prose(chance)}, {"lang": "es", "value": prose(chance)}],
                "affected": [{"vendor": "acme", "product": f"thing {each}"} for each in range(chance.randint(1, 6))],
                "problemTypes": [{"descriptions": [{"lang": "en", "cweId": "CWE-79", "type": "CWE"}]}],
                "metrics": [{"cvssV3_1": {"baseScore": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N"}}],
                "references": references,
            },
            "adp": [{"providerMetadata": {"shortName": "CISA-ADP"}, "metrics": [{"other": ssvc}]}],
        },
    }  # fmt: skip


def nvd_record(number: int, chance: random.Random) -> dict[str, Any]:
    """A record as NVD's API 2.0 gives it."""
    matches = [
        {"vulnerable": True, "criteria": f"cpe:2.3:a:acme:thing{each}:*:*:*:*:*:*:*:*", "versionEndExcluding": "1.2"}
        for each in range(chance.choice([1, 2, 5, 30]))
    ]
    score = {"baseScore": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N"}
    return {
        "cve": {
            "id": name_of(number), "sourceIdentifier": "cve@acme.example", "vulnStatus": "Analyzed",
            "published": "2025-01-02T10:00:00.000", "lastModified": "2025-02-03T10:00:00.000",
            "descriptions": [{"lang": "en", "value": prose(chance)}, {"lang": "es", "value": prose(chance)}],
            "metrics": {"cvssMetricV31": [{"type": "Primary", "cvssData": score}]},
            "weaknesses": [{"type": "Primary", "description": [{"lang": "en", "value": "CWE-79"}]}],
            "configurations": [{"nodes": [{"operator": "OR", "negate": False, "cpeMatch": matches}]}],
            "references": [{"url": f"https://example.org/{each}"} for each in range(chance.randint(1, 12))],
        }
    }  # fmt: skip


def advisory(number: int, chance: random.Random) -> dict[str, Any]:
    """An advisory in OSV format."""
    return {
        "schema_version": "1.7.0", "id": f"GHSA-{number:08d}", "modified": "2025-02-03T10:00:00Z",
        "aliases": [name_of(number)], "summary": "made up", "details": prose(chance),
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": f"package-{number % 3_000}"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.3"}]}],
                "versions": [f"1.0.{each}" for each in range(chance.choice([3, 30, 100]))],
            }
        ],
    }  # fmt: skip


def feeds(folder: Path, count: int) -> Iterator[tuple[str, str, Path]]:
    """Writes each feed: its title, its kind, where it lies."""
    chance = random.Random(1)
    release = io.BytesIO()
    with zipfile.ZipFile(release, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            year, digits = name_of(number)[4:].split("-")
            place = Path("cves") / year / f"{digits[:-3]}xxx" / f"{name_of(number)}.json"
            body = json.dumps(record(number, chance), indent=4)
            (folder / "tree" / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / "tree" / place).write_text(body)
            archive.writestr(str(place), body)
    yield f"tree of {count:,} CVE records", "cvelist", folder / "tree"
    with zipfile.ZipFile(folder / "all_CVEs_at_midnight.zip.zip", "w", zipfile.ZIP_DEFLATED) as outer:
        outer.writestr("cves.zip", release.getvalue())
    yield f"daily release of {count:,} CVE records", "cvelist", folder / "all_CVEs_at_midnight.zip.zip"
    records = [nvd_record(each, chance) for each in range(count)]
    raw = json.dumps({"format": "NVD_CVE", "version": "2.0", "vulnerabilities": records}).encode()
    (folder / "nvdcve-2.0-2025.json.gz").write_bytes(gzip.compress(raw, 6))
    yield f"NVD 2.0, {count:,} records, {len(raw) // 10**6} MB", "nvd", folder / "nvdcve-2.0-2025.json.gz"
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"GHSA-{number:08d}.json", json.dumps(advisory(number, chance)))
    yield f"OSV archive of {count:,} advisories", "osv", folder / "all.zip"
    with (folder / "known_exploited_vulnerabilities.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ("cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "shortDescription", "cwes")
        )
        rows.writerows(
            (name_of(n), "Acme", "Thing", 'A "thing", bad', "2025-02-03", prose(chance), "CWE-79") for n in range(1_600)
        )
    yield "KEV, CSV, 1,600 rows", "kev", folder / "known_exploited_vulnerabilities.csv"
    lines = (f"{name_of(n)},{chance.random():.5f},{chance.random():.5f}\n" for n in range(300_000))
    text = "#model_version:v2025.03.14,score_date:2025-06-01T12:55:00Z\ncve,epss,percentile\n" + "".join(lines)
    (folder / "epss_scores-2025-06-01.csv.gz").write_bytes(gzip.compress(text.encode()))
    yield "EPSS, 300,000 scores", "epss", folder / "epss_scores-2025-06-01.csv.gz"


def run(command: list[str]) -> Run:
    """Runs a program to its end, which must be a good one."""
    done = measured(command, memory=True)
    if done.status != 0:
        raise SystemExit(f"{command} ended with {done.status}")
    return done


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=50_000)
    options = parser.parse_args()
    print(
        "| feed | CPU s | MB | again: CPU s | peer, parsing alone: CPU s | MB |\n| --- | --- | --- | --- | --- | --- |"
    )
    with tempfile.TemporaryDirectory() as folder:
        for title, kind, place in feeds(Path(folder), options.records):
            # a home of its own for each feed, so that no feed finds what another one brought
            os.environ["GLASSHOUSE_HOME"] = str(Path(folder) / f"home-{place.name}")
            command = [sys.executable, "-m", "glasshouse", "forecast", "import", kind, str(place)]
            first, again = run(command), run(command)
            if b": 0 new facts, 0 new advisories" not in again.stdout:
                raise SystemExit(f"a second import added something: {again.stdout.decode()}")
            peer = run([sys.executable, "-c", PEER, str(place)])
            ours = f"{first.cpu_s:.1f} | {first.peak_mb:.0f} | {again.cpu_s:.1f}"
            print(f"| {title} | {ours} | {peer.cpu_s:.1f} | {peer.peak_mb:.0f} |", flush=True)


if __name__ == "__main__":
    main()
