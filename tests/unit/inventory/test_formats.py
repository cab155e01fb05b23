"""Inventories: every format gives components with the names and versions that advisories use; odd entries are named."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.inventory.component import Component, from_purl, normal_name
from glasshouse.inventory.places import find_inventories
from glasshouse.inventory.read import ALONE, BY_NAME, parse_inventory, read_inventory
from glasshouse.words.errors import GlasshouseError, InventoryError, PathError

CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "components": [
        {
            "name": "core",
            "group": "org.acme",
            "version": "1.0",
            "purl": "pkg:maven/org.acme/core@1.0",
            "supplier": {"name": "Acme"},
            "components": [{"name": "inner", "version": "2", "purl": "pkg:npm/%40acme/inner@2"}],
        },
        {"name": "no-version", "purl": "pkg:pypi/no-version"},
        {"purl": "not a purl"},
        "no object",
    ],
    "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["a"]}],
}
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "acme",
            "versionInfo": "1.0",
            "supplier": "Organization: Acme Inc",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/Acme@1.0"}],
        },
        {"name": "bare", "versionInfo": "3"},
    ],
}
TAGS = """SPDXVersion: SPDX-2.3
PackageName: acme
PackageVersion: 1.0
ExternalRef: PACKAGE-MANAGER purl pkg:gem/acme@1.0
"""
CASES: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    ("bom.json", json.dumps(SPDX), [("PyPI", "acme", "1.0"), ("", "bare", "3")]),
    ("a.spdx", TAGS, [("RubyGems", "acme", "1.0")]),
    (
        "package-lock.json",
        json.dumps({"packages": {"": {"name": "root"}, "node_modules/@a/b": {"version": "1.2.3"}}}),
        [("npm", "@a/b", "1.2.3")],
    ),
    (
        "package-lock.json",
        json.dumps({"dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}}),
        [("npm", "a", "1.0.0"), ("npm", "b", "2.0.0")],
    ),
    (
        "npm-shrinkwrap.json",
        json.dumps({"dependencies": {"a": {"version": "https://npm.example.org/a/-/a-1.0.0-rc.1.tgz"}}}),
        [("npm", "a", "1.0.0-rc.1")],
    ),
    (
        "yarn.lock",
        '"@a/b@^1.0.0":\n  version "1.2.3"\n\nc@2:\n  version: 2.0.1\n',
        [("npm", "@a/b", "1.2.3"), ("npm", "c", "2.0.1")],
    ),
    (
        "pnpm-lock.yaml",
        "packages:\n  '@a/b@1.2.3': {}\n  /c@2.0.0(x@1): {}\n",
        [("npm", "@a/b", "1.2.3"), ("npm", "c", "2.0.0")],
    ),
    ("poetry.lock", '[[package]]\nname = "flask"\nversion = "3.0"\n', [("PyPI", "flask", "3.0")]),
    (
        "uv.lock",
        (
            '[[package]]\nname = "me"\nversion = "0"\nsource = { editable = "." }\n'
            '[[package]]\nname = "x"\nversion = "1"\n'
        ),
        [("PyPI", "x", "1")],
    ),
    ("Pipfile.lock", '{"default": {"a": {"version": "==1.0"}}}', [("PyPI", "a", "1.0")]),
    ("dev-requirements.txt", "# c\nflask[async]==3.0 --hash=x\n-r other.txt\n", [("PyPI", "flask", "3.0")]),
    (
        "Cargo.lock",
        '[[package]]\nname = "serde"\nversion = "1.0.1"\nsource = "registry+x"\n',
        [("crates.io", "serde", "1.0.1")],
    ),
    ("go.sum", "a.com/x v1.2.0 h1:abc=\na.com/x v1.2.0/go.mod h1:abc=\n", [("Go", "a.com/x", "1.2.0")]),
    ("Gemfile.lock", "GEM\n  specs:\n    rack (2.2.3)\n      dep (>= 1)\n", [("RubyGems", "rack", "2.2.3")]),
    ("composer.lock", '{"packages": [{"name": "a/b", "version": "v1.2"}]}', [("Packagist", "a/b", "1.2")]),
    (
        "packages.lock.json",
        '{"dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.2"}}}}',
        [("NuGet", "A", "1.2")],
    ),
    ("gradle.lockfile", "# c\norg.a:b:1.0=compileClasspath\nempty=\n", [("Maven", "org.a:b", "1.0")]),
    (
        "status",
        "Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.1-1)\nVersion: 3.0.1-1+b1\n",
        [("Debian", "openssl", "3.0.1-1")],
    ),
    ("installed", "P:libssl\nV:3.1-r0\no:openssl\n\n", [("Alpine", "openssl", "3.1-r0")]),
    ("host-dpkg.txt", "# distro: debian 12\nbash:amd64 5.2-1\n", [("Debian:12", "bash", "5.2-1")]),
    ("host-rpm.txt", "bash-5.1.8-6.el9.x86_64\n", [("Red Hat", "bash", "5.1.8-6.el9")]),
]


@pytest.mark.parametrize(
    ("name", "content", "expected"), CASES, ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(CASES)]
)
def test_a_format_gives_its_components(name: str, content: str, expected: list[tuple[str, str, str]]) -> None:
    found = parse_inventory(name, content.encode())
    assert [(each.ecosystem, each.name, each.version) for each in found.components] == expected


def test_a_bill_with_a_cycle_is_read_once_with_suppliers_nested_parts_and_what_was_left_out() -> None:
    found = parse_inventory("bom.json", json.dumps(CYCLONEDX).encode())
    assert found.components == (
        Component("Maven", "org.acme:core", "1.0", "Acme"),
        Component("npm", "@acme/inner", "2"),
        Component("PyPI", "no-version", ""),
    )
    assert len(found.left_out) == 2


def test_a_requirement_without_a_version_is_named_with_its_line() -> None:
    found = parse_inventory("requirements.txt", b"flask\nrequests>=2\nx==1\n")
    assert [item.where for item in found.left_out] == ["requirements.txt: line 1", "requirements.txt: line 2"]


@pytest.mark.parametrize(
    ("purl", "expected"),
    [
        ("pkg:deb/debian/curl@7.88.1-10?distro=debian-12", ("Debian:12", "curl")),
        ("pkg:apk/alpine/curl@8.5-r0?distro=alpine-3.19.1", ("Alpine:v3.19", "curl")),
        ("pkg:deb/ubuntu/curl@7.81?distro=ubuntu-22.04", ("Ubuntu:22.04", "curl")),
        ("pkg:golang/github.com/a/b@v1.0", ("Go", "github.com/a/b")),
        ("pkg:conan/zlib@1.3", ("purl:conan", "zlib")),
    ],
)
def test_a_package_url_names_ecosystem_and_release_as_advisories_do(purl: str, expected: tuple[str, str]) -> None:
    found = from_purl(purl)
    assert (found.ecosystem, found.name) == expected


def test_python_names_compare_without_case_and_punctuation() -> None:
    assert normal_name("PyPI", "Zope.Interface_X") == "zope-interface-x"
    assert normal_name("Maven", "Org.Acme:Core") == "Org.Acme:Core"


@pytest.mark.parametrize(
    "content",
    [
        b"<x/>",
        b"<bom",
        b'<!DOCTYPE b [<!ENTITY a "x">]><bom>&a;</bom>',
        b"",
        b"plain",
        b'{"bomFormat": "Cyclone',
        b"[]",
        b'{"a": 1}',
    ],
)
def test_what_is_no_inventory_is_one_clear_error(content: bytes) -> None:
    with pytest.raises(InventoryError) as caught:
        parse_inventory("something", content)
    assert "something" in caught.value.diagnostics()


def test_a_missing_file_is_a_path_error(tmp_path: Path) -> None:
    with pytest.raises(PathError):
        read_inventory(tmp_path / "bom.json")


def test_a_folder_gives_the_files_known_by_name_and_skips_installed_packages(tmp_path: Path) -> None:
    for name in ("a/package-lock.json", "a/node_modules/x/package-lock.json", "b/app.cdx.json", "b/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = [file.relative_to(tmp_path).as_posix() for file in find_inventories(tmp_path)]
    assert found == ["a/package-lock.json", "b/app.cdx.json"]


def test_a_folder_gives_bills_of_any_name_and_no_other_json(tmp_path: Path) -> None:
    (tmp_path / "pay.json").write_text('{"bomFormat": "CycloneDX", "components": []}')
    (tmp_path / "web.json").write_text('{"spdxVersion": "SPDX-2.3", "packages": []}')
    (tmp_path / "tsconfig.json").write_text('{"compilerOptions": {}}')
    assert [file.name for file in find_inventories(tmp_path)] == ["pay.json", "web.json"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qcom-rpm.txt", "Qualcomm Resource Power Manager (RPM)\n\nThis driver talks to the manager.\n"),
        ("requirements.txt", "You need a compiler and about 2 GB of memory.\nThen run the script of your system.\n"),
        ("bom.json", '{"mines": [1, 2]}'),
        ("about-dpkg.txt", "dpkg is the tool that installs packages.\n"),
    ],
)
def test_prose_with_the_name_of_a_list_is_passed_over_in_a_search(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "host-rpm.txt").write_text("bash-5.1.8-6.el9.x86_64\n")
    (tmp_path / "dev-requirements.txt").write_text(
        "-r base.txt\nflask[async] >= 2 ; python_version > '3'\na==1 # why\n"
    )
    assert {file.name for file in find_inventories(tmp_path)} == {"host-rpm.txt", "dev-requirements.txt"}


NAMES = sorted({pattern.replace("*", "x") for pattern, _, _ in (*BY_NAME, *ALONE)} | {"bom.json"})
structured = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["packages", "dependencies", "components", "name", "version", "purl"]), inner, max_size=3
        ),
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("name", NAMES)
@given(content=st.one_of(st.binary(max_size=200), structured.map(lambda value: json.dumps(value).encode())))
def test_no_content_raises_anything_but_our_errors(name: str, content: bytes) -> None:
    with suppress(GlasshouseError):
        parse_inventory(name, content)
