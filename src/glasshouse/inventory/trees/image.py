"""A container image as a tree: `docker save` and OCI layouts, as a tar file or (OCI) a folder.

Layers are read as streams, one after the other, and applied with their whiteouts (OCI image specification, "Image
Layer Filesystem Changeset").  Nothing is written to disk; only files that somebody wants are kept in memory.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from glasshouse.inventory.trees.layers import Layers, Limits
from glasshouse.inventory.trees.model import Node, Unread, resolve
from glasshouse.words.errors import InventoryError
from glasshouse.words.named_file import open_named

MAX_JSON_BYTES = 4_000_000
MAX_LAYERS = 500
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_INDEX = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_BAD = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, OSError, ValueError, OverflowError)
_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
MAX_HEADER_BYTES = 1_000_000
Wanted = Callable[[str], bool]


class ImageTree:
    """The files of an image after all layers; ``wanted`` says whose contents are kept."""

    def __init__(self, path: Path, wanted: Wanted, limits: Limits | None = None) -> None:
        self.name = str(path)
        layers = Layers(wanted, limits or Limits())
        try:
            with _archive(path) as archive:
                names = archive.layers()
                if len(names) > MAX_LAYERS:
                    raise InventoryError(f"more than {MAX_LAYERS} layers", where=self.name)
                for name in names:
                    with archive.open(name) as stream, _unpacked(stream) as tar:
                        layers.apply(name, tar)
        except _BAD as error:
            raise InventoryError(f"not an image that can be read: {str(error)[:300]}", where=self.name) from error
        self.unread = layers.unread
        self._nodes, self._contents = layers.nodes, layers.contents

    def nodes(self, enter: Callable[[str], bool]) -> Iterator[Node | Unread]:
        yield from self.unread
        closed: list[str] = []
        for path in sorted(self._nodes, key=lambda each: each.split("/")):
            if closed and path.startswith(closed[-1]):
                continue
            node = self._nodes[path]
            yield node
            if node.is_folder and not enter(path):
                closed.append(f"{path}/")

    def node(self, path: str) -> Node | None:
        folder, _, name = path.rpartition("/")
        real = resolve(folder, self._link_at)
        return self._nodes.get(f"{real}/{name}" if real else name) if real is not None else None

    def read(self, path: str, limit: int) -> bytes | None:
        real = resolve(path, self._link_at)
        content = self._contents.get(real) if real is not None else None
        return content if content is not None and len(content) <= limit else None

    def _link_at(self, path: str) -> str | None:
        node = self._nodes.get(path)
        return node.link if node is not None and node.is_link else None


def is_image(path: Path) -> bool:
    """Whether a path is an image: a tar file (packed or not) with an image's index, or a folder in OCI layout."""
    try:
        if path.is_dir():
            return (path / "oci-layout").is_file() and (path / "index.json").is_file()
        with open_named(path) as file:
            head = file.read(512)
        if head[257:262] != b"ustar" and not head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")):
            return False
        with _archive(path) as archive:
            return bool(archive.layers())
    except (*_BAD, InventoryError):
        return False


class _Archive:
    """Files of an image by name, in a tar file or a folder."""

    def __init__(self, open_file: Callable[[str], IO[bytes]], has: Callable[[str], bool]) -> None:
        self.open, self._has = open_file, has

    def layers(self) -> list[str]:
        """Names of the layers, the lowest first."""
        if self._has("manifest.json"):
            entries = self._json("manifest.json")
            first = entries[0] if isinstance(entries, list) and entries else {}
            names = first.get("Layers") if isinstance(first, dict) else None
        elif self._has("index.json"):
            names = self._oci(self._json("index.json"), depth=0)
        else:
            raise ValueError("neither manifest.json (docker save) nor index.json (OCI layout)")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("the manifest names no layers")
        return names

    def _oci(self, index: Any, depth: int) -> list[str]:
        manifests = index.get("manifests") if isinstance(index, dict) else None
        entry = next((each for each in manifests or () if isinstance(each, dict) and _runs(each)), None)
        if entry is None:
            raise ValueError("the index names no manifest")
        found = self._json(_blob(entry))
        if depth < 3 and isinstance(found, dict) and (found.get("mediaType") in _INDEX or "manifests" in found):
            return self._oci(found, depth + 1)
        layers = found.get("layers") if isinstance(found, dict) else None
        return [_blob(each) for each in layers or ()]

    def _json(self, name: str) -> Any:
        with self.open(name) as file:
            content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            raise ValueError(f"{name} is larger than {MAX_JSON_BYTES:,} bytes")
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"{name}: {error}") from error


def _runs(entry: dict[str, Any]) -> bool:
    """Whether a manifest describes an image, not an attestation about one."""
    platform = entry.get("platform")
    return not (isinstance(platform, dict) and platform.get("os") == "unknown")


def _blob(entry: Any) -> str:
    match = _DIGEST.fullmatch(str(entry.get("digest"))) if isinstance(entry, dict) else None
    if match is None:
        raise ValueError("a blob is not named by its SHA-256 digest")
    return f"blobs/sha256/{match[1]}"


@contextmanager
def _archive(path: Path) -> Iterator[_Archive]:
    if path.is_dir():
        yield _Archive(lambda name: _inside(path, name).open("rb"), lambda name: _inside(path, name).is_file())
        return
    with tarfile.open(path, "r:*", tarinfo=_BoundedHeader) as tar:
        members = {}
        for count, member in enumerate(tar):
            if count > 20_000:
                raise ValueError("more than 20,000 members; an image has a few for each layer")
            members[member.name.removeprefix("./")] = member

        def open_file(name: str) -> IO[bytes]:
            member = members.get(name)
            for _ in range(10):  # layers that are alike are links to each other
                if member is None or not (member.issym() or member.islnk()):
                    break
                base = "" if member.islnk() else member.name.rpartition("/")[0]
                member = members.get(resolve(f"{base}/{member.linkname}", lambda _: None) or "")
            found = tar.extractfile(member) if member is not None and member.isfile() else None
            if found is None:
                raise ValueError(f"no file {name[:200]} in the archive")
            return found

        yield _Archive(open_file, members.__contains__)


def _inside(folder: Path, name: str) -> Path:
    place = folder / name
    if ".." in place.parts or place.is_symlink() or name.startswith("/"):
        raise ValueError(f"a name that leads out of the image: {name[:200]}")
    return place


@contextmanager
def _unpacked(stream: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """A layer as a stream of members, whatever it is packed with."""
    head = stream.read(6)
    stream.seek(0)
    bad: type[Exception] = EOFError
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        plain: Any = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(stream)
        bad = zstandard.ZstdError
    elif head.startswith(b"\x1f\x8b"):
        plain = gzip.GzipFile(fileobj=stream)
    elif head.startswith(b"\xfd7zXZ"):
        plain = lzma.LZMAFile(stream)  # noqa: SIM115 - lives as long as the stream
    else:
        plain = stream
    raw = io.BufferedReader(_Reader(plain, bad), 1 << 20)
    with tarfile.open(fileobj=raw, mode="r|", tarinfo=_BoundedHeader) as tar:
        yield tar


class _Reader(io.RawIOBase):
    """Anything with ``read`` as a raw stream; ``bad`` is how it says that its data are damaged."""

    def __init__(self, source: Any, bad: type[Exception]) -> None:
        self._source, self._bad = source, bad

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._source.read(len(buffer))
        except self._bad as error:
            raise ValueError(f"damaged layer: {error}") from error
        buffer[: len(data)] = data
        return len(data)


class _BoundedHeader(tarfile.TarInfo):
    """Long names and extended headers are read into memory whole, so they must be small."""

    @classmethod
    def frombuf(cls, *arguments: Any, **named: Any) -> Self:
        found = super().frombuf(*arguments, **named)
        if found.type in _HEADERS and found.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {found.size:,} bytes")
        return found
