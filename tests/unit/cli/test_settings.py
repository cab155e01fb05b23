"""Where a setting's value comes from, and what is said about wrong ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.cli.settings.files import find_project_file, read_settings
from glasshouse.cli.settings.options import BY_KEY, OPTIONS, ScanOptions
from glasshouse.cli.settings.resolve import resolve
from glasshouse.cli.settings.values import OptionValueError, check_text, check_value
from glasshouse.words.errors import ConfigError


def project(folder: Path, text: str, name: str = "glasshouse.toml") -> Path:
    """Writes a project file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_typed_options_have_exactly_the_fields_of_the_table() -> None:
    assert [field.name for field in msgspec.structs.fields(ScanOptions)] == [option.key for option in OPTIONS]


def test_defaults_alone_give_typed_options(tmp_path: Path) -> None:
    options = resolve({}, {}, tmp_path).typed()
    assert (options.mode, options.fail_on, options.cache, options.output) == ("both", "low", True, None)


def test_the_nearer_the_source_the_stronger(tmp_path: Path) -> None:
    (tmp_path / "glasshouse").mkdir()
    project(
        tmp_path / "glasshouse", '[scan]\nfail_on = "medium"\njobs = 2\nmode = "library"\nquiet = true\n', "config.toml"
    )
    work = tmp_path / "work"
    work.mkdir()
    file = project(work, '[scan]\nfail_on = "high"\njobs = 3\nmode = "application"\n')
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "GLASSHOUSE_SCAN_FAIL_ON": "critical", "GLASSHOUSE_SCAN_JOBS": "4"}
    found = resolve({"fail_on": "never"}, environ, work).by_key
    origins = {key: (found[key].value, found[key].origin) for key in ("fail_on", "jobs", "mode", "quiet", "format")}
    assert origins == {
        "fail_on": ("never", "command line"),
        "jobs": (4, "GLASSHOUSE_SCAN_JOBS"),
        "mode": ("application", f"{file}:4"),
        "quiet": (True, f"{tmp_path}/glasshouse/config.toml:5"),
        "format": ("text", "default"),
    }


BASELINES = st.sets(st.sampled_from(["baseline", "baseline_ref"]))


@given(by_file=BASELINES, by_environment=BASELINES, by_command=BASELINES)
def test_of_two_ways_to_say_what_is_known_the_nearest_source_decides(
    tmp_path_factory: pytest.TempPathFactory, by_file: set[str], by_environment: set[str], by_command: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("known")
    project(folder, "[scan]\n" + "".join(f'{key} = "file"\n' for key in sorted(by_file)))
    environ = {f"GLASSHOUSE_SCAN_{key.upper()}": "environment" for key in by_environment}
    found = resolve(dict.fromkeys(by_command, "command"), environ, folder)
    nearest = by_command or by_environment or by_file
    assert {key for key in ("baseline", "baseline_ref") if found.by_key[key].value is not None} == nearest
    assert all(found.given(key) for key in by_command)


def test_no_config_reads_neither_files_nor_environment(tmp_path: Path) -> None:
    project(tmp_path, "this is not TOML")
    settings = resolve({"no_config": True}, {"GLASSHOUSE_SCAN_JOBS": "x"}, tmp_path)
    assert settings.by_key["jobs"].origin == "default"


def test_the_nearest_project_file_upward_is_used(tmp_path: Path) -> None:
    outer = project(tmp_path, "[scan]\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_project_file(inner) == outer
    nearer = project(tmp_path / "a", "[tool.glasshouse.scan]\njobs = 1\n", "pyproject.toml")
    assert find_project_file(inner) == nearer
    assert find_project_file(inner / "file.py") == nearer


def test_a_pyproject_that_says_nothing_about_us_is_passed_over(tmp_path: Path) -> None:
    outer = project(tmp_path, "[scan]\n")
    (tmp_path / "a").mkdir()
    project(tmp_path / "a", '[project]\nname = "glasshouse-user"\n', "pyproject.toml")
    assert find_project_file(tmp_path / "a") == outer


def test_an_unknown_key_is_named_with_its_line_and_the_likely_one(tmp_path: Path) -> None:
    file = project(tmp_path, '# first line\n[scan]\nfail_om = "high"\n')
    with pytest.raises(ConfigError) as caught:
        read_settings(file, "project")
    assert caught.value.diagnostics() == f"{file}:3: unknown key `fail_om`\n  help: Did you mean `fail_on`?"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('jobs = "two"', "`jobs` must be a whole number, not 'two' (string)"),
        ("jobs = true", "`jobs` must be a whole number, not True (boolean)"),
        ("jobs = -1", "`jobs` must be at least 0, not -1"),
        ('quiet = "yes"', "`quiet` must be true or false, not 'yes' (string)"),
        ('fail_on = "hihg"', "`fail_on` must be one of low, medium, high, critical, never, not 'hihg' (string)"),
        ('rules = "py-x"', "`rules` must be a list of strings, not 'py-x' (string)"),
        (
            'languages = ["pyhton"]',
            "`languages` must be one of python, javascript, java, c, go, php, cobol, not 'pyhton' (string)",
        ),
        ("rules = [1]", "`rules` must be a list of strings, not [1] (array)"),
        ("max_file_seconds = nan", "`max_file_seconds` must be at least 0.001, not nan"),
    ],
)
def test_a_wrong_value_is_named_with_file_line_and_what_was_expected(tmp_path: Path, line: str, said: str) -> None:
    file = project(tmp_path, f"[scan]\n\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(file, "project")
    assert (caught.value.where, caught.value.what) == (f"{file}:3", said)


def test_a_key_in_a_dotted_table_is_found_on_its_line(tmp_path: Path) -> None:
    file = project(tmp_path, "[tool.glasshouse]\nscan.jobz = 1\n", "pyproject.toml")
    with pytest.raises(ConfigError) as caught:
        read_settings(file, "project")
    assert caught.value.where == f"{file}:2"


@pytest.mark.parametrize("key", [option.key for option in OPTIONS if option.in_files != "all"])
def test_a_project_file_cannot_choose_where_we_write(tmp_path: Path, key: str) -> None:
    file = project(tmp_path, f'[scan]\n{key} = "x"\n')
    with pytest.raises(ConfigError, match=key):
        read_settings(file, "project")


def test_the_user_file_may_choose_the_cache_directory(tmp_path: Path) -> None:
    file = project(tmp_path, '[scan]\ncache_dir = "cache"\n')
    (setting,) = read_settings(file, "user")
    assert setting.value == str(tmp_path / "cache")


def test_paths_in_a_file_are_relative_to_that_file(tmp_path: Path) -> None:
    file = project(tmp_path, '[scan]\nbaseline = "known.json"\nrule_paths = ["rules", "/abs"]\n')
    values = {setting.key: setting.value for setting in read_settings(file, "project")}
    assert values == {"baseline": str(tmp_path / "known.json"), "rule_paths": (str(tmp_path / "rules"), "/abs")}


@pytest.mark.parametrize("content", [b"[scan", b"\xff\xfe", b"scan = 1", b"[scann]\n", b"a=" + b"[" * 100_000])
def test_a_broken_file_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "glasshouse.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_settings(file, "project")
    assert str(file) in caught.value.where


@given(st.binary(max_size=300))
def test_no_content_of_a_file_raises_anything_but_our_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "glasshouse.toml"
    file.write_bytes(b"[scan]\n" + content)
    with contextlib.suppress(ConfigError):
        read_settings(file, "project")


def test_an_unknown_variable_is_an_error_with_the_likely_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown environment variable") as caught:
        resolve({}, {"GLASSHOUSE_SCAN_FAIL_OM": "high"}, tmp_path)
    assert caught.value.hint == "Did you mean `GLASSHOUSE_SCAN_FAIL_ON`?"


@given(st.sampled_from(OPTIONS), st.text(max_size=20))
def test_text_is_a_value_of_the_options_type_or_refused(option: object, text: str) -> None:
    assert isinstance(option, type(OPTIONS[0]))
    try:
        value = check_text(option, text)
    except OptionValueError:
        return
    again = list(value) if isinstance(value, tuple) else value
    assert check_value(option, again) == value


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_every_default_is_a_value_of_its_option(key: str) -> None:
    option = BY_KEY[key]
    if option.default is not None:
        raw = list(option.default) if isinstance(option.default, tuple) else option.default
        assert check_value(option, raw) == option.default
