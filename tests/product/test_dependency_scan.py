"""``glasshouse scan --deps`` and ``glasshouse advisories`` as a user meets them: files in, findings out, no network."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

GLASSHOUSE = (sys.executable, "-m", "glasshouse")
RECORD: dict[str, Any] = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2024-01-01T00:00:00Z",
    "aliases": ["CVE-2024-1000"],
    "summary": "Template injection in acme",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Acme"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
        },
        {
            "package": {"ecosystem": "PyPI", "name": "Acme"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"fixed": "2.3"}]}],
        },
    ],
}


class Home:
    """A user's folder and a home of Glasshouse's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "GLASSHOUSE_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8"}

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """A command that must end with a given status."""
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
        return done

    def advisories(self, *records: dict[str, Any], name: str = "all.zip") -> None:
        """Writes an archive of advisories."""
        with zipfile.ZipFile(self.folder / name, "w") as archive:
            for record in records:
                archive.writestr(f"{record['id']}.json", json.dumps(record))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A project that pins Acme 2.1."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "requirements.txt").write_text("# ours\nacme==2.1\nclean==1.0\n")
    return Home(tmp_path)


def test_without_advisories_it_says_so_lists_the_components_and_is_incomplete(home: Home) -> None:
    done = home.run("scan", "--deps", "project", "--format", "json", expect=5)
    report = json.loads(done.stdout)
    assert [each["purl"] for each in report["dependencies"]] == ["pkg:pypi/acme@2.1", "pkg:pypi/clean@1.0"]
    assert "advisories import" in report["summary"]["notes"][0]
    assert report["findings"] == []


def test_a_flaw_is_found_recorded_and_shown_in_every_format(home: Home) -> None:
    home.advisories(RECORD)
    home.run("advisories", "import", "all.zip")
    done = home.run("scan", "--deps", "project", expect=1)
    assert "critical[dependency-vulnerable]: acme 2.1 has a published flaw" in done.stdout
    assert "project/requirements.txt:2" in done.stdout
    assert "2 | acme==2.1\n" in done.stdout
    assert "suggested fix: acme 2.1 -> 2.3, or later\n      - acme==2.1\n      + acme==2.3\n" in done.stdout
    receipt = done.stderr.rpartition("glasshouse verify ")[2].strip()
    home.run("verify", receipt)
    sarif = json.loads(home.run("scan", "--deps", "project", "--format", "sarif").stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["properties"]["flaw"]["aliases"] == ["CVE-2024-1000"]
    page = home.run("scan", "--deps", "project", "--format", "html", expect=1).stdout
    assert "GHSA-aaaa-bbbb-cccc" in page
    assert "fixed in 2.3" in page
    finding = json.loads(home.run("scan", "--deps", "project", "--format", "json", expect=1).stdout)["findings"][0]
    assert finding["flaw"]["fixed"] == ["2.3"]
    assert finding["flaw"]["score"] == 9.8


def test_the_threshold_the_rules_and_the_baseline_work_as_in_any_scan(home: Home) -> None:
    low = RECORD | {"severity": [], "database_specific": {"severity": "LOW"}}
    home.advisories(low)
    home.run("advisories", "import", "all.zip")
    home.run("scan", "--deps", "project", "--fail-on", "high")
    home.run("scan", "--deps", "project", expect=1)
    home.run("scan", "--deps", "project", "--rules=dependency-malicious")
    home.run("scan", "--deps", "project", "--write-baseline", "known.json", expect=1)
    home.run("scan", "--deps", "project", "--baseline", "known.json")


def test_importing_again_changes_nothing_and_a_withdrawn_advisory_counts_no_more(home: Home) -> None:
    home.advisories(RECORD, {"id": "BROKEN"})
    first = home.run("advisories", "import", "all.zip", expect=5).stdout
    assert "1 new advisory" in first
    assert "BROKEN.json" in first
    assert "0 new advisories" in home.run("advisories", "import", "all.zip", expect=5).stdout
    home.run("scan", "--deps", "project", expect=1)
    home.advisories(RECORD | {"modified": "2024-02-01T00:00:00Z", "withdrawn": "2024-02-01T00:00:00Z"}, name="new.zip")
    home.run("advisories", "import", "new.zip")
    home.run("scan", "--deps", "project")
    assert json.loads(home.run("advisories", "list", "--format", "json").stdout)["ecosystems"]["PyPI"]["count"] == 1


def test_an_image_is_scanned_without_being_unpacked(home: Home) -> None:
    inner, outer = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        for name in ("app/requirements.txt", "../../../../tmp/glasshouse-escaped"):
            member = tarfile.TarInfo(name)
            member.size = 10
            tar.addfile(member, io.BytesIO(b"acme==1.0\n"))
    with tarfile.open(fileobj=outer, mode="w") as tar:
        for name, content in (("l.tar", inner.getvalue()), ("manifest.json", b'[{"Layers": ["l.tar"]}]')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (home.folder / "image.tar").write_bytes(outer.getvalue())
    home.advisories(RECORD)
    home.run("advisories", "import", "all.zip")
    done = home.run("scan", "--deps", "image.tar", "--format", "json", expect=5)
    report = json.loads(done.stdout)
    assert report["findings"][0]["location"]["path"] == "image.tar!/app/requirements.txt"
    assert "leads out of the image" in report["not_analysed"][0]["reason"]
    assert not Path("/tmp/glasshouse-escaped").exists()


def test_a_bill_of_materials_can_be_written_and_scanned_again(home: Home) -> None:
    home.advisories(RECORD)
    home.run("advisories", "import", "all.zip")
    home.run("scan", "--deps", "project", "--sbom-output", "bom.json", expect=1)
    again = home.run("scan", "--deps", "bom.json", "--format", "json", expect=1)
    assert json.loads(again.stdout)["findings"][0]["flaw"]["purl"] == "pkg:pypi/acme@2.1"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("scan", "--deps", "nowhere"), 2, "no such file"),
        (("scan", "--deps", "empty"), 4, "no file that lists dependencies"),
        (("scan", "--deps", "project", "--store", "nowhere.db"), 2, "advisories import"),
        (("advisories", "list"), 2, "no facts were imported yet"),
        (("advisories", "import", "nowhere"), 2, "no such file"),
    ],
)
def test_a_wrong_request_is_one_clear_error(home: Home, arguments: tuple[str, ...], status: int, says: str) -> None:
    (home.folder / "empty").mkdir()
    assert says in home.run(*arguments, expect=status).stderr
