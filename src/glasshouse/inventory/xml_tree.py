"""XML as a small tree with line numbers.  No document types, so no entities of one's own; bounded in depth and size."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

MAX_DEPTH = 200
MAX_ELEMENTS = 2_000_000
MAX_TEXT = 20_000


class Element:
    """One element.  ``tag`` is without its namespace, ``text`` what stands directly inside."""

    __slots__ = ("attributes", "children", "line", "pieces", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag, self.attributes, self.line = tag, attributes, line
        self.pieces: list[str] = []
        self.children: list[Element] = []

    @property
    def text(self) -> str:
        """The text, without space around it."""
        return "".join(self.pieces).strip()[:MAX_TEXT]

    def first(self, *tags: str) -> Element | None:
        """The first element below these tags, one in the other."""
        found: Element | None = self
        for tag in tags:
            found = next((child for child in found.children if child.tag == tag), None) if found is not None else None
        return found

    def every(self, *tags: str) -> Iterator[Element]:
        """All elements with the last tag below the first ones."""
        holder = self.first(*tags[:-1])
        for child in holder.children if holder is not None else ():
            if child.tag == tags[-1]:
                yield child

    def value(self, *tags: str) -> str:
        """The text of the first element below these tags; empty when there is none."""
        found = self.first(*tags)
        return found.text if found is not None else ""


class _Builder:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.stack) >= MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise ValueError("nested too deeply" if len(self.stack) >= MAX_DEPTH else "too many elements")
        element = Element(name.rpartition(":")[2], attributes, self.parser.CurrentLineNumber)
        if self.stack:
            self.stack[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self.stack.append(element)

    def end(self, _: str) -> None:
        self.stack.pop()

    def text(self, data: str) -> None:
        if self.stack:
            self.stack[-1].pieces.append(data)

    def refuse(self, *_: object) -> None:
        raise ValueError("has a document type (DOCTYPE), which is not read")


def parse_xml(content: bytes) -> Element:
    """The root element; ``ValueError`` for what is not well formed, has a document type, or is nested too deeply."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    builder = _Builder(parser)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    if builder.root is None:
        raise ValueError("no element")
    return builder.root
