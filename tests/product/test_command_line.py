"""The installed command, black-box: what users and scripts meet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WEAK = """\
import os
from flask import Flask, request

app = Flask(__name__)


@app.route("/ping")
def ping():
    os.system("ping " + request.args["host"])
    return "done"
"""
MORE = """

@app.route("/look")
def look():
    os.system("nslookup " + request.args["name"])
    return "done"
"""
HEAVY = ("numpy", "starlette", "sqlalchemy", "ray", "rich", "tree_sitter", "yaml", "sqlite3", "jinja2", "pathspec")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with one weakness."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "views.py").write_text(WEAK)
    return folder


def glasshouse(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user would, with an empty home."""
    home = cwd / ".home"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHOUSE")}
    one_rule = {"GLASSHOUSE_SCAN_RULES": "py-command-injection"}  # these tests are about the command, not the rules
    variables |= {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", **one_rule, **environ}
    variables.pop("XDG_CONFIG_HOME", None)
    command = [sys.executable, "-m", "glasshouse", *arguments]
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=120, check=False)


def git(cwd: Path, *arguments: str) -> None:
    """Runs git with a fixed identity."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "glasshouse", "--help"], capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert loaded.isdisjoint(HEAVY)
    assert "glasshouse.scan" not in done.stderr


def test_a_scan_with_piped_output_does_not_load_the_progress_bar(tree: Path) -> None:
    code = "import sys; from glasshouse.cli.main import run; run(['scan', '.']); print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


def test_the_report_is_on_stdout_and_everything_else_on_stderr(tree: Path) -> None:
    done = glasshouse("scan", ".", "--format", "concise", cwd=tree)
    assert done.returncode == 1
    assert done.stdout.startswith("views.py:9:5: ")
    assert len(done.stdout.splitlines()) == 1
    assert "1 finding in 1 file" in done.stderr


def test_quiet_says_nothing_but_the_report(tree: Path) -> None:
    assert glasshouse("scan", ".", "--quiet", cwd=tree).stderr == ""


def test_the_threshold_decides_the_exit_code(tree: Path) -> None:
    assert glasshouse("scan", ".", "--fail-on", "low", cwd=tree).returncode == 1
    assert glasshouse("scan", ".", "--fail-on", "never", cwd=tree).returncode == 0


def test_a_scan_of_nothing_exits_4_and_a_wrong_path_2(tmp_path: Path) -> None:
    assert glasshouse("scan", ".", cwd=tmp_path).returncode == 4
    wrong = glasshouse("scan", "none", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "none" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_an_empty_path_is_a_usage_error_and_not_the_current_directory(tree: Path) -> None:
    done = glasshouse("scan", "", cwd=tree)
    assert done.returncode == 2
    assert "a path is empty" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_neither_the_exit_code_nor_the_other_streams(tree: Path, closed: str) -> None:
    command = f'exec "$0" -m glasshouse scan . --format concise {closed}'
    environ = os.environ | {"HOME": str(tree), "GLASSHOUSE_SCAN_RULES": "py-command-injection"}
    environ.pop("GLASSHOUSE_HOME", None)
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=tree, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("views.py" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize("arguments", [("scan", "."), ("rules",), ("--help",)])
def test_a_full_disk_behind_standard_output_is_told_as_that(tree: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        environ = os.environ | {"HOME": str(tree), "GLASSHOUSE_SCAN_RULES": "py-command-injection"}
        command = [sys.executable, "-m", "glasshouse", *arguments]
        done = subprocess.run(
            command, cwd=tree, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "cannot write: No space left on device" in done.stderr
    assert "fault in glasshouse" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_pipe_where_a_folder_belongs_is_named_and_no_fault_of_ours(tree: Path) -> None:
    os.mkfifo(tree / "state")
    done = glasshouse("witness", "evidence", "--state", "state", cwd=tree)
    assert done.returncode == 2
    assert "state: File exists" in done.stderr
    assert "fault in glasshouse" not in done.stderr


def test_a_file_too_large_makes_the_scan_incomplete(tree: Path) -> None:
    (tree / "large.py").write_text("x = 1\n" * 1000)
    assert glasshouse("scan", ".", "--max-file-bytes", "1000", cwd=tree).returncode == 5
    assert glasshouse("scan", ".", "--max-file-bytes", "1000", "--allow-incomplete", cwd=tree).returncode == 1


def test_several_reports_come_from_one_scan(tree: Path) -> None:
    done = glasshouse(
        *("scan", ".", "--sarif-output", "a.sarif", "--json-output", "a.json", "--html-output", "a.html"), cwd=tree
    )
    assert done.returncode == 1
    assert "views.py:9:5" in done.stdout
    (result,) = json.loads((tree / "a.sarif").read_text())["runs"][0]["results"]
    (finding,) = json.loads((tree / "a.json").read_text())["findings"]
    assert result["ruleId"] == finding["rule_id"]
    assert (tree / "a.html").read_text().startswith("<!DOCTYPE html>")


def test_sarif_on_stdout_exits_0_unless_a_threshold_is_asked_for(tree: Path) -> None:
    assert glasshouse("scan", ".", "--format", "sarif", cwd=tree).returncode == 0
    assert glasshouse("scan", ".", "--format", "sarif", "--fail-on", "low", cwd=tree).returncode == 1


def test_a_report_is_the_same_on_every_run(tree: Path) -> None:
    runs = {glasshouse("scan", ".", "--format", "json", *more, cwd=tree).stdout for more in ((), (), ("--no-cache",))}
    assert len(runs) == 1


def test_a_baseline_leaves_only_what_is_new(tree: Path) -> None:
    assert glasshouse("scan", ".", "--write-baseline", "known.json", cwd=tree).returncode == 1
    assert glasshouse("scan", ".", "--baseline", "known.json", cwd=tree).returncode == 0
    (tree / "views.py").write_text("# moved down\n" + WEAK + MORE)
    done = glasshouse("scan", ".", "--baseline", "known.json", cwd=tree)
    assert done.returncode == 1
    assert "1 new, 1 unchanged, 0 fixed" in done.stdout
    (tree / "views.py").write_text(WEAK.replace("os.system", "len"))
    assert "0 new, 0 unchanged, 1 fixed" in glasshouse("scan", ".", "--baseline", "known.json", cwd=tree).stdout


@pytest.fixture
def repository(tree: Path) -> Path:
    """The tree as a git repository, with a second weakness in the work tree only."""
    git(tree, "init", "-q")
    (tree / ".gitignore").write_text(".home\n")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "first")
    (tree / "views.py").write_text(WEAK + MORE)
    return tree


def test_a_git_commit_can_be_the_baseline(repository: Path) -> None:
    done = glasshouse("scan", ".", "--baseline-ref", "HEAD", "--format", "json", cwd=repository)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["comparison"] == {"with": "HEAD", "new": 1, "unchanged": 1, "fixed": 0}


def test_the_baseline_commit_is_found_from_below_and_from_outside(repository: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    (inner / "more.py").write_text(WEAK)
    done = glasshouse("scan", "inner", "--baseline-ref", "HEAD", "--format", "json", cwd=repository)
    assert json.loads(done.stdout)["comparison"]["new"] == 1
    done = glasshouse("scan", str(repository), "--baseline-ref", "HEAD", "--format", "json", cwd=inner)
    assert json.loads(done.stdout)["comparison"] == {"with": "HEAD", "new": 2, "unchanged": 1, "fixed": 0}
    done = glasshouse("scan", "tree", "--baseline-ref", "HEAD", "--format", "json", cwd=repository.parent)
    assert json.loads(done.stdout)["comparison"] == {"with": "HEAD", "new": 2, "unchanged": 1, "fixed": 0}


def test_diff_shows_only_findings_on_changed_lines(repository: Path) -> None:
    done = glasshouse("scan", ".", "--diff", "HEAD", "--format", "concise", cwd=repository)
    assert [line.split(":")[1] for line in done.stdout.splitlines()] == ["15"]
    done = glasshouse("scan", "tree", "--diff", "HEAD", "--format", "concise", cwd=repository.parent)
    assert [line.split(":")[:2] for line in done.stdout.splitlines()] == [["tree/views.py", "15"]]


def test_a_commit_on_the_command_line_takes_the_place_of_the_baseline_in_the_project_file(repository: Path) -> None:
    (repository / "glasshouse.toml").write_text('[scan]\nbaseline = "known.json"\n')
    assert "known.json" in glasshouse("scan", ".", cwd=repository).stderr
    assert glasshouse("scan", ".", "--baseline-ref", "HEAD", cwd=repository).returncode in (0, 1)
    both = glasshouse("scan", ".", "--baseline-ref", "HEAD", "--baseline", "known.json", cwd=repository)
    assert both.returncode == 2
    assert "exclude each other" in both.stderr


@pytest.mark.parametrize("cache", ["--cache", "--no-cache"])
def test_a_rule_file_that_is_not_there_is_an_error_whatever_was_kept_of_earlier_scans(tree: Path, cache: str) -> None:
    every = {"GLASSHOUSE_SCAN_RULES": ""}  # a choice of rules would read the file to know their names
    assert glasshouse("scan", ".", "--cache", cwd=tree, **every).returncode == 1
    done = glasshouse("scan", ".", cache, "--rule-path", "nope.yaml", cwd=tree, **every)
    assert done.returncode == 2
    assert "nope.yaml" in done.stderr


def test_a_git_comparison_outside_a_repository_is_a_usage_error(tree: Path) -> None:
    for option in ("--diff", "--baseline-ref"):
        done = glasshouse("scan", ".", option, "HEAD", cwd=tree, GIT_CEILING_DIRECTORIES=str(tree.parent))
        assert done.returncode == 2
        assert "git" in done.stderr


def test_settings_come_from_the_project_file_and_are_named(tree: Path) -> None:
    (tree / "glasshouse.toml").write_text('[scan]\nfail_on = "never"\n')
    done = glasshouse("scan", ".", cwd=tree)
    assert done.returncode == 0
    assert "settings from" in done.stderr
    assert glasshouse("scan", ".", "--no-config", cwd=tree).returncode == 1
    assert glasshouse("scan", ".", cwd=tree, GLASSHOUSE_SCAN_FAIL_ON="low").returncode == 1
    listing = glasshouse("config", cwd=tree).stdout
    assert 'fail_on = "never"' in listing
    assert f"# {tree / 'glasshouse.toml'}:2" in listing


def test_a_typo_in_the_project_file_is_an_error_with_its_line(tree: Path) -> None:
    (tree / "glasshouse.toml").write_text('[scan]\nfail_om = "never"\n')
    done = glasshouse("scan", ".", cwd=tree)
    assert done.returncode == 2
    assert "glasshouse.toml:2: unknown key `fail_om`" in done.stderr
    assert "`fail_on`" in done.stderr


def test_a_rule_that_does_not_exist_is_an_error_with_the_likely_one(tree: Path) -> None:
    done = glasshouse("scan", ".", "--rules", "py-comand-injection", cwd=tree)
    assert done.returncode == 2
    assert "py-command-injection" in done.stderr


def test_explain_knows_the_rules_that_are_listed(tmp_path: Path) -> None:
    listed = json.loads(glasshouse("rules", "--format", "json", "--lang", "python", cwd=tmp_path).stdout)["rules"]
    done = glasshouse("explain", listed[0]["id"], cwd=tmp_path)
    assert done.returncode == 0
    for part in (listed[0]["title"], "Why it matters", "How to fix it", "Before", "After", "CWE-"):
        assert part in done.stdout
    wrong = glasshouse("explain", listed[0]["id"][:-1], cwd=tmp_path)
    assert wrong.returncode == 2
    assert listed[0]["id"] in wrong.stderr


def test_a_reader_that_goes_away_causes_no_noise(tree: Path) -> None:
    (tree / "many.py").write_text(WEAK + MORE * 300)
    command = f"{sys.executable} -m glasshouse scan . --quiet | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=tree, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_colour_is_only_used_when_asked_for_or_on_a_terminal(tree: Path) -> None:
    assert "\x1b[" not in glasshouse("scan", ".", cwd=tree).stdout
    assert "\x1b[" in glasshouse("scan", ".", "--color", "always", cwd=tree).stdout
    assert "\x1b[" in glasshouse("scan", ".", cwd=tree, FORCE_COLOR="1").stdout


def test_a_terminal_that_knows_only_ascii_gets_a_report(tree: Path) -> None:
    (tree / "views.py").write_text(WEAK.replace('"ping "', '"報告 "'), encoding="utf-8")
    done = glasshouse("scan", ".", cwd=tree, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "\\u5831" in done.stdout
