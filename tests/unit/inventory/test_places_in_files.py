"""Where an entry stands, whether it is direct, and what hides a version: told as far as the file tells it."""

from __future__ import annotations

import json
import sqlite3
import struct
from pathlib import Path

import pytest

from glasshouse.inventory.component import Entry, to_purl
from glasshouse.inventory.document import Document
from glasshouse.inventory.places import inventories, open_place
from glasshouse.inventory.read import parse_document, parse_inventory
from glasshouse.words.errors import InventoryError

Row = tuple[str, str, int, bool | None]

LOCK_3 = """{
 "packages": {
  "": {"dependencies": {"a": "^1"}},
  "packages/own": {"devDependencies": {"c": "1"}},
  "node_modules/own": {"link": true, "resolved": "packages/own"},
  "node_modules/a": {"version": "1.0.0"},
  "node_modules/a/node_modules/c": {"version": "0.9.0"},
  "node_modules/c": {"version": "1.0.0"},
  "node_modules/alias": {"name": "real", "version": "2.0.0"}
 }
}"""
UV = """[[package]]
name = "me"
version = "0"
source = { editable = "." }
dependencies = [{ name = "a" }]

[[package]]
name = "a"
version = "1"

[[package]]
name = "b"
version = "2"
"""
CARGO = """[[package]]
name = "me"
version = "0.1.0"
dependencies = ["a", "b 2.0.0"]

[[package]]
name = "a"
version = "1.0.0"
source = "registry"

[[package]]
name = "c"
version = "3.0.0"
source = "registry"
"""
PIP_COMPILE = """a==1.0 \\
    --hash=sha256:00
    # via -r requirements.in
b==2.0
    # via a
c==3.0
d==1.*
e @ https://example.org/e.whl
-e git+https://example.org/f
"""
GO_MOD = """module example.org/me

go 1.21

require (
	example.org/a v1.2.3
	example.org/b v0.1.0 // indirect
	example.org/local v1.0.0
)

require example.org/c/v2 v2.0.0+incompatible

replace example.org/a => example.org/fork v1.2.4
replace example.org/local v1.0.0 => ../local
"""
BERRY = """__metadata:
  version: 6

"@a/b@npm:^1.0.0":
  version: 1.2.3
  resolution: "@a/b@npm:1.2.3"

"alias@npm:real@^1":
  version: 1.9.0
  resolution: "real@npm:1.9.0"

"me@workspace:.":
  version: 0.0.0-use.local
  resolution: "me@workspace:."
  dependencies:
    "@a/b": ^1.0.0
    c: ^2
"""
PNPM = """lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      a:
        specifier: ^1
        version: 1.0.0
packages:
  a@1.0.0: {}
  '@x/y@2.0.0(a@1.0.0)': {}
  /old/3.0.0_a@1.0.0: {}
"""
CATALOGUE = """[versions]
jackson = "2.13.0"
rich = { strictly = "[1.0, 2.0[", prefer = "1.5" }

[libraries]
core = { module = "com.fasterxml.jackson.core:jackson-core", version.ref = "jackson" }
short = "org.acme:short:1.0"
parts = { group = "org.acme", name = "parts", version = "2.0" }
ranged = { module = "org.acme:ranged", version.ref = "rich" }
"""
CASES: list[tuple[str, str, list[Row]]] = [
    (
        "package-lock.json",
        LOCK_3,
        [("a", "1.0.0", 6, True), ("c", "0.9.0", 7, False), ("c", "1.0.0", 8, True), ("real", "2.0.0", 9, False)],
    ),
    ("uv.lock", UV, [("a", "1", 7, True), ("b", "2", 11, False)]),
    ("Cargo.lock", CARGO, [("a", "1.0.0", 6, True), ("c", "3.0.0", 11, False)]),
    ("requirements.txt", PIP_COMPILE, [("a", "1.0", 1, True), ("b", "2.0", 4, False), ("c", "3.0", 6, None)]),
    (
        "go.mod",
        GO_MOD,
        [
            ("example.org/fork", "1.2.4", 6, True),
            ("example.org/b", "0.1.0", 7, False),
            ("example.org/c/v2", "2.0.0+incompatible", 11, True),
        ],
    ),
    ("yarn.lock", BERRY, [("@a/b", "1.2.3", 4, True), ("real", "1.9.0", 8, False)]),
    ("pnpm-lock.yaml", PNPM, [("a", "1.0.0", 9, True), ("@x/y", "2.0.0", 10, False), ("old", "3.0.0", 11, False)]),
    (
        "libs.versions.toml",
        CATALOGUE,
        [
            ("com.fasterxml.jackson.core:jackson-core", "2.13.0", 6, True),
            ("org.acme:short", "1.0", 7, True),
            ("org.acme:parts", "2.0", 8, True),
        ],
    ),
    (
        "Gemfile.lock",
        "GEM\n  specs:\n    rack (2.2.3)\n    dep (1.0-x86)\n\nDEPENDENCIES\n  rack (~> 2)\n",
        [("rack", "2.2.3", 3, True), ("dep", "1.0", 4, False)],
    ),
    (
        "composer.lock",
        '{"packages": [\n {"name": "a/b",\n  "version": "v1.2"}]}',
        [("a/b", "1.2", 2, None)],
    ),
]


def rows(entries: tuple[Entry, ...]) -> list[Row]:
    """Entries in short."""
    return [(each.component.name, each.component.version, each.line, each.direct) for each in entries]


@pytest.mark.parametrize(("name", "content", "expected"), CASES, ids=[name for name, _, _ in CASES])
def test_an_entry_has_its_line_and_says_whether_it_is_direct(name: str, content: str, expected: list[Row]) -> None:
    assert rows(parse_inventory(name, content.encode()).entries) == expected


def test_what_is_not_one_version_is_named_with_line_and_code() -> None:
    found = parse_inventory("requirements.txt", PIP_COMPILE.encode()).left_out
    assert [(item.line, item.code) for item in found] == [(7, "not-pinned"), (8, "not-pinned"), (9, "not-read")]


def test_a_go_sum_beside_a_complete_go_mod_adds_nothing() -> None:
    content = b"example.org/a v1.0.0 h1:x\n"
    modern = Document("go.sum", content, {"go.mod": b"go 1.21\n"}.get)
    old = Document("go.sum", content, {"go.mod": b"go 1.16\n"}.get)
    assert parse_document(modern, shown="go.sum").entries == ()
    assert len(parse_document(old, shown="go.sum").entries) == 1


# --- Maven

PARENT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>org.acme</groupId><artifactId>parent</artifactId><version>1.5</version>
  <properties><jackson.version>2.13.0</jackson.version><nested>${jackson.version}</nested></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.managed</groupId><artifactId>m</artifactId><version>${nested}</version></dependency>
  </dependencies></dependencyManagement>
</project>"""
CHILD = """<project>
  <parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>1.5</version></parent>
  <artifactId>child</artifactId>
  <properties><loop>${loop}</loop></properties>
  <dependencies>
    <dependency><groupId>org.managed</groupId><artifactId>m</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sister</artifactId>
      <version>${project.version}</version></dependency>
    <dependency><groupId>a</groupId><artifactId>ranged</artifactId><version>[1,2)</version></dependency>
    <dependency><groupId>a</groupId><artifactId>undefined</artifactId><version>${nowhere}</version></dependency>
    <dependency><groupId>a</groupId><artifactId>looping</artifactId><version>${loop}</version></dependency>
    <dependency><groupId>a</groupId><artifactId>unmanaged</artifactId></dependency>
  </dependencies>
</project>"""


def test_a_pom_takes_properties_and_managed_versions_from_its_parent_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "child").mkdir()
    (tmp_path / "pom.xml").write_text(PARENT)
    (tmp_path / "child" / "pom.xml").write_text(CHILD)
    found = list(inventories(open_place(tmp_path), ""))
    child = next(each for each in found if getattr(each, "name", "") == "child/pom.xml")
    assert rows(child.entries) == [("org.managed:m", "2.13.0", 6, True), ("org.acme:sister", "1.5", 8, True)]  # type: ignore[union-attr]
    assert [item.line for item in child.left_out] == [9, 10, 11, 12]  # type: ignore[union-attr]


def test_a_pom_alone_names_the_parent_that_it_lacks() -> None:
    found = parse_inventory("pom.xml", CHILD.encode())
    unmanaged = found.left_out[-1]
    assert "org.acme:parent:1.5 is not in this tree" in unmanaged.why


def test_a_parent_outside_of_the_tree_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "pom.xml").write_text(PARENT)
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "pom.xml").write_text(CHILD)
    (found,) = inventories(open_place(tmp_path / "child"), "child")
    assert "is not in this tree" in found.left_out[0].why  # type: ignore[union-attr]


# --- XML


def test_cyclonedx_in_xml_is_read_like_json() -> None:
    bill = """<bom xmlns="http://cyclonedx.org/schema/bom/1.5">
 <metadata><component type="application" bom-ref="me"><name>me</name></component></metadata>
 <components>
  <component type="library" bom-ref="a"><group>org.acme</group><name>a</name><version>1</version>
   <purl>pkg:maven/org.acme/a@1</purl>
   <components><component type="library" bom-ref="b"><name>b</name><purl>pkg:npm/b@2</purl></component></components>
  </component>
  <component type="file"><name>/bin/sh</name></component>
 </components>
 <dependencies><dependency ref="me"><dependency ref="a"/></dependency></dependencies>
</bom>"""
    found = parse_inventory("bom.xml", bill.encode())
    assert rows(found.entries) == [("org.acme:a", "1", 5, True), ("b", "2", 6, False)]


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><project>&b;</project>',
        '<!DOCTYPE p SYSTEM "file:///etc/passwd"><project/>',
        "<a>" * 300 + "</a>" * 300,
        "<project><dependencies>",
    ],
)
def test_xml_with_entities_deep_or_broken_is_refused(content: str) -> None:
    with pytest.raises(InventoryError):
        parse_inventory("pom.xml", content.encode())


# --- rpm


def header(name: str, version: str, release: str, epoch: int | None = None) -> bytes:
    """A header as rpm stores it."""
    entries, data = [], b""
    for tag, text in ((1000, name), (1001, version), (1002, release)):
        entries.append(struct.pack(">IIII", tag, 6, len(data), 1))
        data += text.encode() + b"\0"
    if epoch is not None:
        data += b"\0" * (-len(data) % 4)
        entries.append(struct.pack(">IIII", 1003, 4, len(data), 1))
        data += struct.pack(">I", epoch)
    return struct.pack(">II", len(entries), len(data)) + b"".join(entries) + data


def database(*blobs: bytes) -> bytes:
    """rpmdb.sqlite."""
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    made.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
    made.commit()
    content = made.serialize()
    made.close()
    return content


def test_an_rpm_database_gives_epoch_version_and_release_under_the_release_of_the_system() -> None:
    content = database(header("bash", "5.1.8", "6.el9"), header("openssl", "3.0.7", "2.el9", 1))
    marked = content[:18] + b"\2\2" + content[20:]  # as write-ahead logging leaves it
    release = {"/etc/os-release": b'ID="rocky"\nVERSION_ID="9.3"\n'}
    found = parse_document(Document("rpmdb.sqlite", marked, release.get), shown="rpmdb.sqlite")
    assert [(each.ecosystem, each.name, each.version) for each in found.components] == [
        ("Rocky Linux:9", "bash", "5.1.8-6.el9"),
        ("Rocky Linux:9", "openssl", "1:3.0.7-2.el9"),
    ]


def test_a_damaged_header_is_left_out_and_the_rest_goes_on() -> None:
    whole = header("bash", "5", "1")
    found = parse_inventory("rpmdb.sqlite", database(whole[:20], b"\xff" * 40, whole))
    assert [each.name for each in found.components] == ["bash"]
    assert len(found.left_out) == 2


def test_a_database_whose_table_never_ends_is_given_up() -> None:
    made = sqlite3.connect(":memory:")
    made.execute(
        "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS hnum, x'00' AS blob FROM n WHERE i < 0"
    )
    content = made.serialize()
    made.close()
    with pytest.raises(InventoryError, match="damaged database"):
        parse_inventory("rpmdb.sqlite", content)


@pytest.mark.parametrize("name", ["Packages", "Packages.db"])
def test_older_rpm_databases_are_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(InventoryError, match="rpm -qa"):
        parse_inventory(name, b"\0" * 100)


# --- package URLs


@pytest.mark.parametrize(
    ("name", "content", "purl"),
    [
        ("package-lock.json", LOCK_3, "pkg:npm/a@1.0.0"),
        ("yarn.lock", BERRY, "pkg:npm/%40a/b@1.2.3"),
        ("go.mod", GO_MOD, "pkg:golang/example.org/fork@v1.2.4"),
        ("libs.versions.toml", CATALOGUE, "pkg:maven/com.fasterxml.jackson.core/jackson-core@2.13.0"),
    ],
)
def test_a_component_has_the_package_url_of_its_ecosystem(name: str, content: str, purl: str) -> None:
    assert to_purl(parse_inventory(name, content.encode()).components[0]) == purl


def test_a_package_built_from_another_names_its_source() -> None:
    status = "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0\n"
    document = Document("status", status.encode(), {"/etc/os-release": b"ID=debian\nVERSION_ID=12\n"}.get)
    (entry,) = parse_document(document, shown="status", inside="var/lib/dpkg/status").entries
    purl = to_purl(entry.component, entry.installed_as)
    assert purl == "pkg:deb/debian/libssl3@3.0?distro=debian-12&upstream=openssl"
    again = parse_inventory("bom.json", json.dumps({"components": [{"name": "x", "purl": purl}]}).encode())
    assert again.components == (entry.component,)


# --- manifests


def test_a_manifest_without_a_lock_file_is_named_and_one_with_a_lock_above_is_not(tmp_path: Path) -> None:
    for folder in ("locked/part", "free"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "package.json").write_text('{"dependencies": {"a": "^1"}}')
    (tmp_path / "locked" / "package-lock.json").write_text('{"packages": {}}')
    (tmp_path / "package.json").write_text('{"devDependencies": {}}')
    found = list(inventories(open_place(tmp_path), ""))
    assert [each.where for each in found if hasattr(each, "code") and each.code == "no-lock-file"] == [  # type: ignore[union-attr]
        "free/package.json"
    ]
