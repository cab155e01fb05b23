"""Our matcher of ignore files and git agree."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.discover.ignore_rules import IgnoreFile, ignored_by, parse_rules

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

_NAMES = st.text("ab.-", min_size=1, max_size=4).filter(lambda name: set(name) != {"."})
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_PIECES = st.sampled_from(
    ["a", "b", ".", "-", "*", "?", "[ab]", "[!a]", "[a-b]", "[^b.]", "\\\\a", "**", "[[:alpha:]]"]
)
_PLAIN = st.lists(_PIECES, min_size=1, max_size=4).map("".join)
_GLOBS = st.one_of(_PLAIN.filter(lambda glob: "**" not in glob), st.just("**"))  # "a**" is not specified
_PATTERNS = st.tuples(
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/", "**/"]),
    st.lists(_GLOBS, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/", "/**", "/*"]),
).map("".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@given(patterns=st.lists(_PATTERNS, min_size=1, max_size=4), paths=st.lists(_PATHS, min_size=30, max_size=30))
def test_a_file_is_ignored_exactly_when_git_ignores_it(repository: Path, patterns: list[str], paths: list[str]) -> None:
    text = "\n".join(patterns).encode()
    (repository / ".gitignore").write_bytes(text)
    answer = subprocess.run(
        ["git", "-c", "core.ignorecase=false", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        input="\0".join(paths).encode(),
        capture_output=True,
        check=False,
    )
    by_git = set(answer.stdout.decode().split("\0")) - {""}
    chain = (IgnoreFile(0, tuple(parse_rules(text, ".gitignore"))),)
    assert {path for path in paths if _ignored(chain, path.split("/"))} == by_git


def _ignored(chain: tuple[IgnoreFile, ...], parts: list[str]) -> bool:
    depths = range(1, len(parts) + 1)
    return any(ignored_by(chain, parts[:depth], directory=depth < len(parts)) is not None for depth in depths)
