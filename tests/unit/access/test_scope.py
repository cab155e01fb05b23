"""Scopes: what is inside, and that everything else is outside."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.access.scope import covers, matches_glob, outside
from glasshouse.words.act import Target
from glasshouse.words.engagement import CodeScope, Scope

REPOSITORY = "https://git.example.org/acme/shop.git"
SCOPE = Scope(
    code=(
        CodeScope(origin=REPOSITORY, globs=("src/**", "*.py")),
        CodeScope(origin="/srv/shop"),
        CodeScope(origin="/srv/bank", globs=("api/*.py",)),
        CodeScope(tree="ab" * 32),
    ),
    files=("/var/log/shop",),
    hosts=("*.shop.example", "shop.example", "10.1.0.0/16", "2001:db8::/32"),
    packages=("pkg:pypi/django", "pkg:npm/left-pad@1.3.0"),
    models=("claude-*", "local/model"),
    records=("finding:*",),
)
INSIDE = [
    Target("code", REPOSITORY, "src/a/b.py"),
    Target("code", "git@git.example.org:acme/shop", "src/x"),
    Target("code", "ssh://git@GIT.example.org/acme/shop/", "setup.py"),
    Target("code", "/srv/shop"),
    Target("code", "/srv/shop/sub/folder"),
    Target("code", "/srv/shop", "deep/file.py"),
    Target("code", "/srv/bank", "api/x.py"),
    Target("code", "/elsewhere", tree="ab" * 32),
    Target("file", "/var/log/shop/today.log"),
    Target("host", "www.shop.example"),
    Target("host", "SHOP.example."),
    Target("host", "10.1.255.1"),
    Target("host", "2001:db8::1"),
    Target("package", "pkg:pypi/django"),
    Target("package", "pkg:pypi/django@5.0"),
    Target("package", "pkg:npm/left-pad@1.3.0"),
    Target("model", "claude-opus"),
    Target("record", "finding:17"),
]
OUTSIDE = [
    Target("code", REPOSITORY, "docs/a.md"),
    Target("code", REPOSITORY),
    Target("code", REPOSITORY, "src/../docs/a.md"),
    Target("code", REPOSITORY, "../src/a.py"),
    Target("code", "https://git.example.org/acme/shop2", "src/a.py"),
    Target("code", "https://evil.example/git.example.org/acme/shop", "src/a.py"),
    Target("code", "/srv/shop2"),
    Target("code", "/srv"),
    Target("code", "/srv/shop/../bank"),
    Target("code", "/srv/shop", "../bank/x.py"),
    Target("code", "/srv/shop", "/etc/passwd"),
    Target("code", "/srv/bank"),
    Target("code", "/srv/bank", "api/deep/x.py"),
    Target("code", "/elsewhere", tree="cd" * 32),
    Target("code", "relative"),
    Target("file", "/var/log/shopping"),
    Target("file", "/var/log"),
    Target("host", "shop.example.evil.org"),
    Target("host", "evilshop.example"),
    Target("host", ".shop.example"),
    Target("host", "10.2.0.1"),
    Target("host", "2001:db9::1"),
    Target("package", "pkg:pypi/django-evil"),
    Target("package", "pkg:npm/left-pad@1.3.1"),
    Target("package", "pkg:npm/left-pad"),
    Target("model", "gpt-claude-x"),
    Target("record", "incident:17"),
    Target("code", ""),
    Target("code", "/srv/shop\0x"),
]


@pytest.mark.parametrize("target", INSIDE, ids=lambda each: f"{each.kind}:{each.name}:{each.path}")
def test_a_target_inside_is_covered(target: Target) -> None:
    assert covers(SCOPE, target)


@pytest.mark.parametrize("target", OUTSIDE, ids=lambda each: f"{each.kind}:{each.name!r}:{each.path}")
def test_a_target_outside_is_not_covered(target: Target) -> None:
    assert not covers(SCOPE, target)


@given(st.sampled_from(INSIDE + OUTSIDE))
def test_an_empty_scope_covers_nothing(target: Target) -> None:
    assert not covers(Scope(), target)


def test_one_target_outside_is_named_among_many_inside() -> None:
    assert outside(SCOPE, (*INSIDE, OUTSIDE[0])) == (OUTSIDE[0],)


@given(st.text("ab/*?", max_size=12), st.text("ab/", max_size=12))
def test_globs_without_double_stars_agree_with_the_standard_library_segment_by_segment(pattern: str, text: str) -> None:
    if "**" in pattern:
        return
    pieces, parts = pattern.split("/"), text.split("/")
    same = len(pieces) == len(parts) and all(map(fnmatch.fnmatchcase, parts, pieces))
    assert matches_glob(pattern, text) == same


@given(st.text("ab/", max_size=12))
def test_two_stars_cross_folders_and_may_stand_for_none(text: str) -> None:
    assert matches_glob("**", text)
    assert matches_glob(f"**/{text}", text)
    assert matches_glob(f"**/{text}", f"x/y/{text}")


def test_a_hostile_pattern_and_path_take_bounded_time() -> None:
    started = time.process_time()
    assert not matches_glob("**/*a" * 60, "a" * 4000 + "b")
    assert time.process_time() - started < 10
