"""``glasshouse scan --system`` as a user meets it: a root folder or an image in, findings without secrets out."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

GLASSHOUSE = (sys.executable, "-m", "glasshouse")
FILES = {
    "etc/passwd": (0o644, "root:x:0:0:root:/root:/bin/sh\n"),
    "etc/shadow": (0o640, "root:$6$salt$topsecrethash:19000::::::\nbob::19000::::::\n"),
    "etc/ssh/sshd_config": (0o644, "PermitRootLogin yes\nPasswordAuthentication no\n"),
    "root/.bash_history": (0o600, "ls\nmysql -u root -pkq7Wzx91pass\n"),
    "opt/tool": (0o4755, "x"),
    "app/requirements.txt": (0o644, "acme==1.0\n"),
}
EXPECTED = {
    ("system-empty-password", "etc/shadow", 2),
    ("system-ssh-root-login", "etc/ssh/sshd_config", 1),
    ("system-secret-in-history", "root/.bash_history", 2),
    ("system-setuid-unknown", "opt/tool", 1),
}


def run(folder: Path, *arguments: str, expect: int) -> subprocess.CompletedProcess[str]:
    """A command that must end with a given status."""
    environment = {**os.environ, "GLASSHOUSE_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*GLASSHOUSE, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same system as a folder and as an image."""
    folder = tmp_path_factory.mktemp("system")
    layer, image = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name, (mode, content) in FILES.items():
            file = folder / "root" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(mode)
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content.encode()))
    with tarfile.open(fileobj=image, mode="w") as tar:
        for name, data in (("l.tar", layer.getvalue()), ("manifest.json", b'[{"Layers": ["l.tar"]}]')):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (folder / "image.tar").write_bytes(image.getvalue())
    return folder


@pytest.mark.parametrize(("name", "prefix"), [("root", "root/"), ("image.tar", "image.tar!/")])
def test_a_folder_and_an_image_give_the_same_findings(place: Path, name: str, prefix: str) -> None:
    report = json.loads(run(place, "scan", "--system", name, "--format", "json", expect=1).stdout)
    found = {
        (each["rule_id"], each["location"]["path"].removeprefix(prefix), each["location"]["line"])
        for each in report["findings"]
    }
    assert found == EXPECTED
    assert set(report["rules"]) == {rule for rule, _, _ in EXPECTED}


@pytest.mark.parametrize("form", ["text", "concise", "json", "sarif", "html"])
def test_no_format_shows_a_secret_or_the_line_beside_it(place: Path, form: str) -> None:
    shown = run(place, "scan", "--system", "root", "--format", form, expect=0 if form == "sarif" else 1).stdout
    assert "system-empty-password" in shown
    assert "topsecrethash" not in shown
    assert "kq7Wzx91" not in shown


def test_dependencies_and_hardening_go_in_one_run(place: Path) -> None:
    done = run(place, "scan", "--system", "--deps", "image.tar", "--format", "json", expect=5)
    report = json.loads(done.stdout)
    assert report["dependencies"][0]["purl"] == "pkg:pypi/acme@1.0"
    assert len(report["findings"]) == len(EXPECTED)
    assert report["summary"]["mode"] == "dependencies and system"


def test_rules_can_be_chosen_and_a_threshold_set(place: Path) -> None:
    run(place, "scan", "--system", "root", "--rules=system-ssh-*", "--fail-on", "critical", expect=0)
    run(place, "scan", "--system", "root", "--rules=system-ssh-*", expect=1)


def test_a_folder_that_is_no_system_is_said(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    assert "not the root of a file system" in run(tmp_path, "scan", "--system", "src", expect=4).stderr


def test_what_lists_no_dependencies_still_gets_its_hardening_checked(tmp_path: Path) -> None:
    (tmp_path / "root/etc/ssh").mkdir(parents=True)
    (tmp_path / "root/etc/ssh/sshd_config").write_text("PermitRootLogin yes\n")
    (tmp_path / "root/etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    done = run(tmp_path, "scan", "--deps", "--system", "root", "--format", "text", expect=5)
    assert "system-ssh-root-login" in done.stdout
    assert "no file that lists dependencies" in done.stdout
    run(tmp_path, "scan", "--deps", "root/etc/ssh", expect=4)
