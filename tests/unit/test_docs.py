"""The documentation holds together: links resolve, the index lists every page, generated pages are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from glasshouse.cli.main import COMMANDS, group
from glasshouse.cli.settings.options import OPTIONS
from glasshouse.scan.rules.loader import load_rules
from glasshouse.words import errors
from glasshouse.words.errors import GlasshouseError

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WITH_LINKS = [*PAGES, *ROOT.glob("*.md"), *(ROOT / "bench").glob("*.md"), *(ROOT / "examples").rglob("*.md")]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def without_code(text: str) -> str:
    """The text without fenced blocks and code spans, where a link is only an example."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual Markdown renderers make them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    explicit = re.findall(r'<a (?:id|name)="([^"]+)"', text)
    return {heading.strip().replace(" ", "-") for heading in plain} | set(explicit)


@pytest.mark.parametrize("page", WITH_LINKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_resolves(page: Path) -> None:
    broken = []
    for target in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_the_index_lists_every_page() -> None:
    listed = {
        (index.parent / target.partition("#")[0]).resolve()
        for index in (DOCS / "README.md", DOCS / "models" / "README.md")  # the second lists what a script makes
        for target in LINK.findall(index.read_text())
    }
    assert [page for page in PAGES if page.resolve() not in listed and page != DOCS / "README.md"] == []


@pytest.mark.parametrize("script", ["document_cli.py", "generate_reference.py", "build_verifier.py"])
def test_generated_pages_are_up_to_date(script: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_error_codes_are_unique() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GlasshouseError)]
    codes = [each.code for each in kinds]
    assert sorted(set(codes)) == sorted(codes)


def commands() -> Iterator[click.Command]:
    """Every command and the commands below it."""
    context = group.make_context("glasshouse", [], resilient_parsing=True)
    waiting = [found for name in COMMANDS if (found := group.get_command(context, name)) is not None]
    while waiting:
        command = waiting.pop()
        yield command
        waiting += [*getattr(command, "commands", {}).values(), *getattr(command, "subcommands", {}).values()]


def flags_of(command: click.Command) -> set[str]:
    """The long options of one command."""
    options = (each for each in command.params if isinstance(each, click.Option))
    return {flag for each in options for flag in (*each.opts, *each.secondary_opts) if flag.startswith("--")}


def test_every_option_named_in_the_prose_exists() -> None:
    known = {flag for option in OPTIONS for flag in option.flag.split("/")} | {"--help", "--version", "--debug"}
    known |= {flag for command in commands() for flag in flags_of(command)}
    written = [page for page in PAGES if "enerated" not in page.read_text()[:400]]
    pages = [*written, ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "examples" / "shop" / "README.md"]
    spans = [
        span for page in pages for span in re.findall(r"`[^`\n]+`|^ {4,}glasshouse .*$", page.read_text(), re.MULTILINE)
    ]
    flags = {flag for span in spans for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span) if "glasshouse" in span}
    alone = {span.strip("`").split()[0].split("=")[0] for span in spans if span.startswith("`--")}
    elsewhere = {"--check", "--release", "--sizes", "--double-rules"}  # options of our own scripts
    assert (flags | alone) - known - elsewhere == set()


def test_the_examples_of_rules_and_models_can_be_loaded(tmp_path: Path) -> None:
    page = (DOCS / "how-to" / "write-a-rule.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert examples
    for number, example in enumerate(examples):
        (tmp_path / f"example{number}.yaml").write_text(example)
    assert "acme-report-injection" in load_rules(["python"], [tmp_path]).rules
