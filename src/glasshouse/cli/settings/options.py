"""The one definition of every scan option: parser, configuration key, environment variable and docs come from here.

``OPTIONS`` is the table; ``ScanOptions`` is the typed result of resolving it (its fields are the table's keys).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

TABLE = "scan"
ENVIRONMENT_PREFIX = "GLASSHOUSE_SCAN_"

Kind = Literal["flag", "text", "choice", "threshold", "list", "integer", "number", "file", "directory", "files"]
Value = str | int | float | bool | tuple[str, ...] | None

SEVERITY_CHOICES = ("low", "medium", "high", "critical")


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option.

    ``key`` is the configuration key.  ``flag`` is the long option (for kind ``flag`` of the form ``--x/--no-x``).
    Kind ``threshold`` is one of ``choices`` or a number from 0 to 1, kept as text.
    ``in_files`` tells where it may be set besides the command line: ``all`` configuration files and the environment,
    ``user``: not in project files, because those may come from someone else and must not choose where we write;
    ``none``: command line only.
    """

    key: str
    flag: str
    kind: Kind
    help: str
    group: str
    default: Value = None
    choices: tuple[str, ...] = ()
    metavar: str = ""
    minimum: float | None = None
    in_files: Literal["all", "user", "none"] = "all"

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return ENVIRONMENT_PREFIX + self.key.upper()


GROUPS: tuple[tuple[str, str], ...] = (
    ("what", "What is scanned"),
    ("report", "Report"),
    ("gate", "Exit status"),
    ("compare", "Compare with an earlier state"),
    ("limits", "Speed and limits"),
    ("config", "Configuration"),
)

_WHAT: tuple[Option, ...] = (
    Option(
        key="deps",
        flag="--deps/--no-deps",
        kind="flag",
        group="what",
        default=False,
        in_files="none",
        help="Instead of source code: dependencies with published flaws, from lock files, bills of materials, root "
        "file systems and container images.",
    ),
    Option(
        key="system",
        flag="--system/--no-system",
        kind="flag",
        group="what",
        default=False,
        in_files="none",
        help="Instead of source code: the hardening of a root file system or container image (set-uid files, writable "
        "places, accounts, sshd, kernel, services, credentials left behind). With --deps: both.",
    ),
    Option(
        key="mode",
        flag="--mode",
        kind="choice",
        group="what",
        default="both",
        choices=("application", "library", "both"),
        help="Which callers to assume: application follows data from real sources (requests, arguments, files), "
        "library treats parameters of exported functions as untrusted.",
    ),
    Option(
        key="languages",
        flag="--lang",
        kind="list",
        group="what",
        default=(),
        choices=("python", "javascript", "java", "c", "go", "php", "cobol"),
        metavar="LANG",
        help="Only these: python, javascript (with TypeScript), java, c (with C++), go, php, cobol. Repeat or use "
        "commas.",
    ),
    Option(
        key="store",
        flag="--store",
        kind="file",
        group="what",
        metavar="FILE",
        in_files="user",
        help="With --deps: the file of imported advisories (default: forecast.db in $GLASSHOUSE_HOME).",
    ),
    Option(
        key="rules",
        flag="--rules",
        kind="list",
        group="what",
        default=(),
        metavar="RULE",
        help="Only these rules, by id or glob; a leading - removes (--rules=-py-weak-hash). See `glasshouse rules`.",
    ),
    Option(
        key="rule_paths",
        flag="--rule-path",
        kind="files",
        group="what",
        default=(),
        metavar="FILE",
        help="Also load rules from this file or folder.",
    ),
    Option(
        key="include_tests",
        flag="--tests/--no-tests",
        kind="flag",
        group="what",
        default=True,
        help="Scan test code too.",
    ),
    Option(
        key="ignore_files",
        flag="--ignore-files/--no-ignore-files",
        kind="flag",
        group="what",
        default=True,
        help="Respect .gitignore and .glasshouseignore.",
    ),
    Option(
        key="ignores",
        flag="--ignores/--no-ignores",
        kind="flag",
        group="what",
        default=True,
        help="Respect `glasshouse: ignore[rule] reason` comments; reviewers turn this off.",
    ),
)

_REPORT: tuple[Option, ...] = (
    Option(
        key="format",
        flag="--format",
        kind="choice",
        group="report",
        default="text",
        choices=("text", "concise", "json", "sarif", "html"),
        help="Form of the report.",
    ),
    Option(
        key="output",
        flag="--output",
        kind="file",
        group="report",
        metavar="FILE",
        in_files="none",
        help="Write the report to FILE instead of standard output.",
    ),
    Option(
        key="sarif_output",
        flag="--sarif-output",
        kind="file",
        group="report",
        metavar="FILE",
        in_files="none",
        help="Also write SARIF 2.1.0 to FILE.",
    ),
    Option(
        key="json_output",
        flag="--json-output",
        kind="file",
        group="report",
        metavar="FILE",
        in_files="none",
        help="Also write JSON to FILE.",
    ),
    Option(
        key="html_output",
        flag="--html-output",
        kind="file",
        group="report",
        metavar="FILE",
        in_files="none",
        help="Also write the HTML report to FILE.",
    ),
    Option(
        key="sbom_output",
        flag="--sbom-output",
        kind="file",
        group="report",
        metavar="FILE",
        in_files="none",
        help="With --deps: also write the components as a CycloneDX 1.6 bill of materials to FILE.",
    ),
    Option(
        key="min_severity",
        flag="--min-severity",
        kind="choice",
        group="report",
        default="low",
        choices=SEVERITY_CHOICES,
        help="Leave out findings below this severity; how many is said in the summary.",
    ),
    Option(
        key="min_confidence",
        flag="--min-confidence",
        kind="threshold",
        group="report",
        default="low",
        choices=("low", "medium", "high"),
        metavar="LEVEL|P",
        help="Leave out findings below this confidence of the rule (low, medium, high) or this probability of being "
        "confirmed (0 to 1); how many is said in the summary.",
    ),
    Option(
        key="list_all",
        flag="--all/--no-all",
        kind="flag",
        group="report",
        default=False,
        help="List what --min-severity and --min-confidence leave out too; it does not count for the exit status.",
    ),
    Option(
        key="color",
        flag="--color",
        kind="choice",
        group="report",
        default="auto",
        choices=("auto", "always", "never"),
        help="Colour; auto follows the terminal, NO_COLOR, FORCE_COLOR and TERM=dumb.",
    ),
    Option(
        key="progress",
        flag="--progress/--no-progress",
        kind="flag",
        group="report",
        default=True,
        help="Progress bar on standard error (only ever on a terminal).",
    ),
    Option(
        key="quiet",
        flag="--quiet/--no-quiet",
        kind="flag",
        group="report",
        default=False,
        help="Nothing on standard error but errors.",
    ),
)

_GATE: tuple[Option, ...] = (
    Option(
        key="fail_on",
        flag="--fail-on",
        kind="choice",
        group="gate",
        default="low",
        choices=(*SEVERITY_CHOICES, "never"),
        help="Exit 1 when a reported, unsuppressed, new finding has at least this severity. With --format sarif on "
        "standard output findings exit 0 unless --fail-on is given on the command line.",
    ),
    Option(
        key="allow_incomplete",
        flag="--allow-incomplete/--no-allow-incomplete",
        kind="flag",
        group="gate",
        default=False,
        help="Do not exit 5 when a file could not be analysed.",
    ),
)

_COMPARE: tuple[Option, ...] = (
    Option(
        key="baseline",
        flag="--baseline",
        kind="file",
        group="compare",
        metavar="FILE",
        help="Count only findings that are not in this baseline file.",
    ),
    Option(
        key="write_baseline",
        flag="--write-baseline",
        kind="file",
        group="compare",
        metavar="FILE",
        in_files="none",
        help="Write the findings of this scan as a baseline.",
    ),
    Option(
        key="baseline_ref",
        flag="--baseline-ref",
        kind="text",
        group="compare",
        metavar="GITREF",
        help="Scan this git commit too and report only what is new since.",
    ),
    Option(
        key="diff",
        flag="--diff",
        kind="text",
        group="compare",
        metavar="GITREF",
        in_files="none",
        help="Report only findings on lines changed since this git commit.",
    ),
)

_LIMITS: tuple[Option, ...] = (
    Option(
        key="jobs",
        flag="--jobs",
        kind="integer",
        group="limits",
        default=0,
        minimum=0,
        metavar="N",
        help="Worker processes; 0 means one per core.",
    ),
    Option(
        key="cluster",
        flag="--cluster",
        kind="text",
        group="limits",
        metavar="ADDRESS",
        in_files="none",
        help="Read the files on a Ray cluster: HOST:PORT, `auto` for the one of this machine, or `local` to start one.",
    ),
    Option(
        key="cache",
        flag="--cache/--no-cache",
        kind="flag",
        group="limits",
        default=True,
        help="Keep results of unchanged files for the next scan.",
    ),
    Option(
        key="cache_dir",
        flag="--cache-dir",
        kind="directory",
        group="limits",
        metavar="DIR",
        in_files="user",
        help="Where the cache lies; default: $GLASSHOUSE_HOME/cache.",
    ),
    Option(
        key="max_file_bytes",
        flag="--max-file-bytes",
        kind="integer",
        group="limits",
        default=2_000_000,
        minimum=1,
        metavar="BYTES",
        help="Do not analyse larger files; they are listed.",
    ),
    Option(
        key="max_file_seconds",
        flag="--max-file-seconds",
        kind="number",
        group="limits",
        default=20.0,
        minimum=0.001,
        metavar="SECONDS",
        help="Stop analysing one file after this long; it is listed.",
    ),
    Option(
        key="max_files",
        flag="--max-files",
        kind="integer",
        group="limits",
        default=500_000,
        minimum=1,
        metavar="N",
        help="Stop discovering files after this many.",
    ),
)

_CONFIG: tuple[Option, ...] = (
    Option(
        key="config",
        flag="--config",
        kind="file",
        group="config",
        metavar="FILE",
        in_files="none",
        help="Read this configuration file instead of the nearest glasshouse.toml or pyproject.toml.",
    ),
    Option(
        key="no_config",
        flag="--no-config",
        kind="flag",
        group="config",
        default=False,
        in_files="none",
        help="Read no configuration file and no GLASSHOUSE_SCAN_* variable.",
    ),
)

OPTIONS: tuple[Option, ...] = (*_WHAT, *_REPORT, *_GATE, *_COMPARE, *_LIMITS, *_CONFIG)
BY_KEY: dict[str, Option] = {option.key: option for option in OPTIONS}


class ScanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Every option with its final value; one field per entry of ``OPTIONS``."""

    deps: bool
    system: bool
    mode: Literal["application", "library", "both"]
    languages: tuple[str, ...]
    store: Path | None
    rules: tuple[str, ...]
    rule_paths: tuple[Path, ...]
    include_tests: bool
    ignore_files: bool
    ignores: bool
    format: Literal["text", "concise", "json", "sarif", "html"]
    output: Path | None
    sarif_output: Path | None
    json_output: Path | None
    html_output: Path | None
    sbom_output: Path | None
    min_severity: Literal["low", "medium", "high", "critical"]
    min_confidence: str
    list_all: bool
    color: Literal["auto", "always", "never"]
    progress: bool
    quiet: bool
    fail_on: Literal["low", "medium", "high", "critical", "never"]
    allow_incomplete: bool
    baseline: Path | None
    write_baseline: Path | None
    baseline_ref: str | None
    diff: str | None
    jobs: int
    cluster: str | None
    cache: bool
    cache_dir: Path | None
    max_file_bytes: int
    max_file_seconds: float
    max_files: int
    config: Path | None
    no_config: bool
