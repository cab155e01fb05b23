"""Layers of an image applied one on the other, in memory, within bounds."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable
from typing import IO

import msgspec

from glasshouse.inventory.trees.model import Node, Unread

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_KINDS = {
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}
MAX_UNREAD = 200


class Limits(msgspec.Struct, frozen=True):
    """Bounds of reading one image; ``bytes`` counts what the layers unpack to."""

    bytes: int = 20 << 30
    members: int = 1_000_000
    file_bytes: int = 200_000_000
    kept_bytes: int = 1 << 30
    path_characters: int = 4_096
    path_parts: int = 100


class Layers:
    """The files after the layers applied so far."""

    def __init__(self, wanted: Callable[[str], bool], limits: Limits) -> None:
        self.nodes: dict[str, Node] = {}
        self.contents: dict[str, bytes] = {}
        self.unread: list[Unread] = []
        self._children: dict[str, set[str]] = {}
        self._hidden: set[str] = set()  # by the layer that is being applied; once is enough, whatever it repeats
        self._wanted, self._limits = wanted, limits
        self._members = self._bytes = self._kept = 0

    def apply(self, layer: str, tar: tarfile.TarFile) -> None:
        """Applies one layer.  What a layer hides is hidden from the layers below, never from itself."""
        own: set[str] = set()
        self._hidden = set()
        for member in tar:
            self._members += 1
            self._bytes += member.size
            if self._members > self._limits.members or self._bytes > self._limits.bytes:
                raise ValueError(f"more than {self._limits.members:,} files or {self._limits.bytes:,} bytes")
            path = self._path(layer, member.name)
            if path is None:
                continue
            folder, _, name = path.rpartition("/")
            if name == _OPAQUE:
                self._hide(folder, own, itself=False)
            elif name.startswith(_WHITEOUT):
                self._hide(f"{folder}/{name[len(_WHITEOUT) :]}".lstrip("/"), own, itself=True)
            else:
                self._add(path, member, tar, own)

    def _path(self, layer: str, name: str) -> str | None:
        parts = [part for part in name.split("/") if part not in ("", ".")]
        too_long = len(name) > self._limits.path_characters or len(parts) > self._limits.path_parts
        if ".." in parts or "\0" in name or too_long:
            self._skip(layer, f"a name that leads out of the image, or is too long: {name[:100]!r}")
            return None
        return "/".join(parts) or None

    def _hide(self, path: str, own: set[str], *, itself: bool) -> None:
        if path in self._hidden:
            return
        self._hidden.add(path)
        waiting = [f"{path}/{name}" if path else name for name in self._children.get(path, ())]
        gone = [path] if itself and path in self.nodes and path not in own else []
        while waiting:
            each = waiting.pop()
            waiting += [f"{each}/{name}" for name in self._children.get(each, ())]
            if each not in own:
                gone.append(each)
        for each in gone:
            self._remove(each)

    def _add(self, path: str, member: tarfile.TarInfo, tar: tarfile.TarFile, own: set[str]) -> None:
        own.add(path)
        previous = self.nodes.get(path)
        if previous is not None and previous.is_folder and not member.isdir():
            self._hide(path, own, itself=False)
        self._remove(path)
        mode = stat.S_IMODE(member.mode) | _KINDS.get(member.type, stat.S_IFREG)
        link = member.linkname if member.issym() else ""
        self._put(Node(path, mode, member.uid, member.gid, member.size, link))
        if member.islnk():
            target = "/".join(part for part in member.linkname.split("/") if part not in ("", ".", ".."))
            if target in self.nodes:
                self._put(msgspec.structs.replace(self.nodes[target], path=path))
            if target in self.contents:
                self.contents[path] = self.contents[target]
                self._kept += len(self.contents[path])
            elif self._wanted(path):
                self._skip(path, "a link to a file that was not kept")
        elif member.isfile() and self._wanted(path):
            self._keep(path, member, tar.extractfile(member))

    def _keep(self, path: str, member: tarfile.TarInfo, file: IO[bytes] | None) -> None:
        if member.size > self._limits.file_bytes or self._kept + member.size > self._limits.kept_bytes:
            self._skip(path, f"too large to be kept in memory: {member.size:,} bytes")
        elif file is not None:
            self.contents[path] = file.read(member.size)
            self._kept += member.size

    def _put(self, node: Node) -> None:
        self.nodes[node.path] = node
        path = node.path
        while path:
            folder, _, name = path.rpartition("/")
            names = self._children.setdefault(folder, set())
            if name in names:
                break
            names.add(name)
            path = folder

    def _remove(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if path not in self._children:
            self._children.get(folder, set()).discard(name)
        self.nodes.pop(path, None)
        content = self.contents.pop(path, None)
        self._kept -= len(content) if content is not None else 0

    def _skip(self, path: str, why: str) -> None:
        if len(self.unread) < MAX_UNREAD:
            self.unread.append(Unread(path, why))
