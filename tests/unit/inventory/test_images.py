"""Images: layers and whiteouts give the files that a container would see; nothing hostile in them does harm."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.inventory.component import Inventory, LeftOut
from glasshouse.inventory.places import inventories, is_system, open_place
from glasshouse.inventory.trees.image import ImageTree, is_image
from glasshouse.inventory.trees.layers import Layers, Limits
from glasshouse.inventory.trees.model import Node, Unread
from glasshouse.words.errors import InventoryError

Member = tuple[str, bytes | None, str]
"""Name, content (None: a folder), and the target of a link (``->x`` symbolic, ``=x`` hard)."""


def layer(*members: Member) -> bytes:
    """A layer as a tar file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content, link in members:
            member = tarfile.TarInfo(name)
            if link:
                member.type = tarfile.SYMTYPE if link.startswith("->") else tarfile.LNKTYPE
                member.linkname = link.removeprefix("->").removeprefix("=")
                tar.addfile(member)
            elif content is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def file(name: str, content: bytes = b"x") -> Member:
    """A file in a layer."""
    return name, content, ""


def saved(folder: Path, *layers: bytes, name: str = "image.tar") -> Path:
    """What `docker save` writes."""
    names = [f"blobs/sha256/{hashlib.sha256(each).hexdigest()}" for each in layers]
    manifest = json.dumps([{"Layers": names}]).encode()
    parts = [file(name, content) for name, content in zip(names, layers, strict=True)]
    place = folder / name
    place.write_bytes(layer(*parts, file("manifest.json", manifest)))
    return place


def everything(place: Path) -> dict[str, bytes | None]:
    """Paths with contents."""
    tree = ImageTree(place, lambda _: True)
    nodes = [node for node in tree.nodes(lambda _: True) if isinstance(node, Node)]
    return {node.path: tree.read(node.path, 1_000) for node in nodes if node.is_file}


def test_a_later_layer_replaces_adds_and_hides(tmp_path: Path) -> None:
    lower = layer(file("etc/a", b"1"), file("etc/b", b"1"), file("opt/app/x"), file("opt/app/y"), file("gone/deep/z"))
    upper = layer(file("etc/a", b"2"), file("etc/.wh.b", b""), file(".wh.gone", b""), file("new", b"3"))
    assert everything(saved(tmp_path, lower, upper)) == {
        "etc/a": b"2",
        "new": b"3",
        "opt/app/x": b"x",
        "opt/app/y": b"x",
    }


def test_an_opaque_folder_hides_what_lies_below_and_never_its_own_files(tmp_path: Path) -> None:
    lower = layer(file("d/old"), file("d/e/old"))
    upper = layer(file("d/first"), file("d/.wh..wh..opq", b""), file("d/later"))
    assert set(everything(saved(tmp_path, lower, upper))) == {"d/first", "d/later"}


def test_a_file_in_place_of_a_folder_hides_the_folder(tmp_path: Path) -> None:
    assert set(everything(saved(tmp_path, layer(("d", None, ""), file("d/x")), layer(file("d"))))) == {"d"}


def test_links_are_followed_inside_the_image_only(tmp_path: Path) -> None:
    members = [
        file("usr/lib/os-release", b"ID=debian"),
        ("etc/os-release", None, "->../usr/lib/os-release"),
        ("lib", None, "->/usr/lib"),
        ("loop", None, "->loop"),
        ("out", None, "->../../../../etc/hostname"),
        ("hard", None, "=usr/lib/os-release"),
    ]
    tree = ImageTree(saved(tmp_path, layer(*members)), lambda _: True)
    for path in ("etc/os-release", "lib/os-release", "hard"):
        assert tree.read(path, 100) == b"ID=debian"
    assert tree.read("loop", 100) is None
    assert tree.read("out", 100) is None


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_layer_may_be_plain_or_packed(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    assert everything(saved(tmp_path, pack(layer(file("a"))))) == {"a": b"x"}


def test_an_oci_layout_is_read_from_a_folder_and_from_a_tar_file(tmp_path: Path) -> None:
    content = gzip.compress(layer(file("a")))
    blobs = {hashlib.sha256(content).hexdigest(): content}
    manifest = json.dumps({"layers": [{"digest": f"sha256:{next(iter(blobs))}"}]}).encode()
    blobs[hashlib.sha256(manifest).hexdigest()] = manifest
    inner = json.dumps({"manifests": [{"digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}"}]}).encode()
    blobs[hashlib.sha256(inner).hexdigest()] = inner
    outer = {
        "manifests": [
            {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown"}},
            {"digest": f"sha256:{hashlib.sha256(inner).hexdigest()}"},
        ]
    }
    files = {f"blobs/sha256/{name}": data for name, data in blobs.items()}
    files |= {"index.json": json.dumps(outer).encode(), "oci-layout": b"{}"}
    for name, data in files.items():
        (tmp_path / "layout" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "layout" / name).write_bytes(data)
    (tmp_path / "layout.tar").write_bytes(layer(*(file(name, data) for name, data in files.items())))
    assert everything(tmp_path / "layout") == everything(tmp_path / "layout.tar") == {"a": b"x"}


def test_names_that_lead_out_of_the_image_are_left_out_and_said(tmp_path: Path) -> None:
    tree = ImageTree(saved(tmp_path, layer(file("../evil"), file("a/../../evil"), file("/abs"))), lambda _: True)
    found = list(tree.nodes(lambda _: True))
    assert [each.path for each in found if isinstance(each, Node)] == ["abs"]
    assert sum(isinstance(each, Unread) for each in found) == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "image.tar"]


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(layer(*(file(f"f{n}", b"\0" * 100_000) for n in range(20))))
    with pytest.raises(InventoryError, match="more than"):
        ImageTree(saved(tmp_path, bomb), lambda _: True, Limits(bytes=1_000_000))
    with pytest.raises(InventoryError, match="more than"):
        ImageTree(saved(tmp_path, bomb), lambda _: True, Limits(members=10))


def test_a_file_too_large_to_keep_is_said(tmp_path: Path) -> None:
    tree = ImageTree(saved(tmp_path, layer(file("big", b"1" * 100))), lambda _: True, Limits(file_bytes=10))
    assert [each.why for each in tree.unread] == ["too large to be kept in memory: 100 bytes"]


def test_an_extended_header_without_end_is_refused(tmp_path: Path) -> None:
    long_name = tarfile.TarInfo("x")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 2 << 30
    with pytest.raises(InventoryError, match="header of"):
        ImageTree(saved(tmp_path, long_name.tobuf(tarfile.GNU_FORMAT) + b"\0" * 10_240), lambda _: True)


def test_hiding_again_and_again_costs_no_more_than_once() -> None:
    """A layer that repeats its whiteouts over many files of its own must not take quadratic time."""
    many = [file(f"d/{number}", b"") for number in range(3_000)]
    marks = [file("d/.wh..wh..opq", b"") for _ in range(3_000)]
    layers = Layers(lambda _: False, Limits())
    with tarfile.open(fileobj=io.BytesIO(layer(*many, *marks))) as tar:
        layers.apply("l", tar)
    assert len(layers.nodes) == 3_000


@pytest.mark.parametrize(
    "content", [b"", b"no tar", layer(file("a")), layer(file("manifest.json", b"[{")), b"\x1f\x8b123"]
)
def test_what_is_no_image_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    assert not is_image(tmp_path / "x.tar")


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_image_is_one_clear_error_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = saved(tmp_path_factory.mktemp("image"), gzip.compress(layer(file("etc/os-release", b"ID=debian"))))
    content = bytearray(place.read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    place.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with suppress(InventoryError):
        list(ImageTree(place, lambda _: True).nodes(lambda _: True))


STATUS = b"Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.1-1)\nVersion: 3.0.1-1\n"


def test_an_image_lists_its_distribution_and_what_was_installed_on_top(tmp_path: Path) -> None:
    site = "lib/python3/site-packages/flask-3.0.dist-info/METADATA"
    image = saved(
        tmp_path,
        layer(
            file("usr/lib/os-release", b"ID=debian\nVERSION_ID=12\n"),
            ("etc/os-release", None, "->../usr/lib/os-release"),
            file("var/lib/dpkg/status", STATUS),
            file(f"usr/{site}", b"Name: flask\nVersion: 2.0\n"),
            file(f"usr/local/{site}", b"Name: flask\nVersion: 3.0\n"),
            file("app/node_modules/a/package.json", b'{"name": "a", "version": "1.0.0"}'),
        ),
    )
    assert is_system(image)
    found = [each for each in inventories(open_place(image), "image.tar") if isinstance(each, Inventory)]
    assert {(each.name, *(str(component) for component in each.components)) for each in found} == {
        ("image.tar!/app/node_modules/a/package.json", "a 1.0.0"),
        (f"image.tar!/usr/local/{site}", "flask 3.0"),
        ("image.tar!/var/lib/dpkg/status", "openssl 3.0.1-1"),
    }
    assert found[-1].components[0].ecosystem == "Debian:12"


def test_a_root_folder_is_read_like_the_image_and_its_links_do_not_lead_to_this_machine(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "usr/lib").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "usr/lib/os-release").write_text("ID=ubuntu\nVERSION_ID=22.04\n")
    (root / "etc/os-release").symlink_to("/usr/lib/os-release")
    (root / "var/lib/dpkg/status").write_bytes(STATUS)
    (found,) = inventories(open_place(root), "root")
    assert isinstance(found, Inventory)
    assert found.components[0].ecosystem == "Ubuntu:22.04"


def test_what_cannot_be_read_in_a_tree_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("[[package")
    (tmp_path / "Cargo.lock").write_text('[[package]]\nname = "a"\nversion = "1"\nsource = "r"\n')
    found = list(inventories(open_place(tmp_path), ""))
    assert sum(isinstance(each, Inventory) for each in found) == 1
    assert [each.where for each in found if isinstance(each, LeftOut)] == ["poetry.lock"]
