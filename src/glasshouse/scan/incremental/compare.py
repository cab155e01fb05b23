"""Whether two encoded results say the same: how much they share inside does not count."""

from __future__ import annotations

from typing import Any

from glasshouse.scan.incremental.encode import UNPACK


def same_result(old: bytes, new: bytes) -> bool:
    if old == new:
        return True
    table: dict[str, int] = {}
    return bool(canonical(UNPACK(old), table) == canonical(UNPACK(new), table))


def canonical(data: list[Any], table: dict[str, int]) -> Any:
    """The result with every node replaced by a number that equal nodes share."""
    return Canonical(data, table).all()


class Canonical:
    """Numbers nodes from the leaves on; nodes form no cycles (these go through named objects)."""

    def __init__(self, data: list[Any], table: dict[str, int]) -> None:
        self.main, self.ran, self.nodes, self.contents = data
        self.table = table
        self.known: dict[int, int] = {}

    def node(self, index: Any) -> Any:
        if index is None or index < 0:
            return index
        have = self.known.get(index)
        if have is None:
            made = self.plain(self.nodes[index])
            have = self.known[index] = self.table.setdefault(repr(made), len(self.table))
        return have

    def plain(self, node: list[Any]) -> Any:
        if node[0] == 0:
            _, const, taint, refs, path = node
            marks = None if taint is None else [[label, mask, self.node(way)] for label, mask, way in taint]
            return ["v", const, marks, [self.ref(ref) for ref in refs], path]
        if node[0] == 1:
            return ["s", *node[1:4], self.node(node[4]), self.node(node[5])]
        return ["f", node[1], node[2], self.node(node[3])]

    def ref(self, ref: list[Any]) -> Any:
        if ref[0] in (1, 4):
            return [ref[0], self.node(ref[1]), *ref[2:]]
        return [5, ref[1], self.node(ref[2])] if ref[0] == 5 else ref

    def key(self, key: list[Any]) -> Any:
        return [9, self.node(key[1])] if key and key[0] == 9 else key

    def fields(self, fields: Any) -> Any:
        return None if fields is None else [[self.key(key), self.node(value)] for key, value in fields]

    def content(self, item: list[Any]) -> Any:
        if item[0] == 1:
            return [1, item[1], self.fields(item[2]), self.node(item[3]), item[4]]
        return [*item[:5], self.node(item[5]), item[6], self.fields(item[7])]

    def all(self) -> Any:
        main: Any = self.main
        if main is not None and len(main) == 2:
            main = [self.fields(main[0]), main[1]]
        elif main is not None:
            result, raised, params, effects, heap, sinks, capped = main
            main = [
                self.node(result),
                self.node(raised),
                params,
                [[no, at, self.key(key), self.node(value)] for no, at, key, value in effects],
                [[no, at, self.fields(fields), fresh] for no, at, fields, fresh in heap],
                [[*hit[:4], self.node(hit[4]), hit[5]] for hit in sinks],
                capped,
            ]
        ran = [[number, self.fields(fields)] for number, fields in self.ran]
        return [main, ran, [self.content(item) for item in self.contents]]
