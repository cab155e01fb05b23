"""Parses regular expressions of Python, JavaScript and Java into a small tree; only what matters for matching time.

Nodes: ``("set", mask)`` one character of a class, ``("cat", nodes)``, ``("alt", nodes)``, ``("rep", node, least,
most)`` with None for no maximum, ``("empty",)``, ``("start",)`` (a begin-of-text anchor).  A class is a bit mask: bits
0 to 127 are the ASCII characters, three further bits stand for other letters, other spaces and other characters, and
``END`` for the end of the text, so that an end anchor is a class that no character fills.  Texts inside lookaround are
trees of their own.
"""

from __future__ import annotations

from typing import Any

Node = tuple[Any, ...]

_MAX_DEPTH = 60
_OTHER_LETTER, _OTHER_SPACE, _OTHER = 1 << 128, 1 << 129, 1 << 130
END = 1 << 131
_ALL = (1 << 131) - 1


def _mask(characters: str) -> int:
    mask = 0
    for character in characters:
        mask |= _bit(character)
    return mask


def _bit(character: str) -> int:
    code = ord(character)
    if code < 128:
        return 1 << code
    if character.isalnum():
        return _OTHER_LETTER
    return _OTHER_SPACE if character.isspace() else _OTHER


_DIGITS = _mask("0123456789")
_LOWER = _mask("abcdefghijklmnopqrstuvwxyz")
_UPPER = _mask("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD = _DIGITS | _LOWER | _UPPER | _mask("_") | _OTHER_LETTER
_SPACE = _mask(" \t\n\r\f\v") | _OTHER_SPACE
_NEWLINE = _mask("\n\r")
_CLASSES = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "h": _mask(" \t"),
    "v": _mask("\n\v\f\r"),
    "N": _ALL & ~_NEWLINE,
    "X": _ALL,
    "R": _NEWLINE,
}
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "a": "\a", "e": "\x1b", "0": "\0"}
_PROPERTIES = {
    "alpha": _LOWER | _UPPER, "digit": _DIGITS, "alnum": _LOWER | _UPPER | _DIGITS, "lower": _LOWER, "upper": _UPPER,
    "space": _SPACE, "punct": _mask("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), "l": _LOWER | _UPPER | _OTHER_LETTER,
    "lu": _UPPER | _OTHER_LETTER, "ll": _LOWER | _OTHER_LETTER, "n": _DIGITS | _OTHER_LETTER, "nd": _DIGITS,
    "isalphabetic": _LOWER | _UPPER | _OTHER_LETTER, "letter": _LOWER | _UPPER | _OTHER_LETTER, "ascii": (1 << 128) - 1,
    "z": _SPACE, "zs": _SPACE, "p": _mask("!\"#%&'()*,-./:;?@[\\]_{}") | _OTHER, "s": _mask("$+<=>^`|~") | _OTHER,
}  # fmt: skip
_HEX = frozenset("0123456789abcdefABCDEF")
EMPTY: Node = ("empty",)
START: Node = ("start",)


class RegexError(Exception):
    """Not a regular expression that we can read."""


def parse_regex(pattern: str, flags: str = "") -> list[Node]:
    """The tree of the whole expression, followed by those of its lookarounds."""
    parser = _Parser(pattern, flags)
    tree = parser.alternatives(0)
    if parser.at < len(pattern):
        raise RegexError("unbalanced )")
    return [tree, *parser.asides]


def sample(mask: int) -> str:
    """A readable character of the class."""
    for wanted in (_LOWER, _DIGITS, _UPPER, _mask(" "), _mask("-_.,:;/@#")):
        if mask & wanted:
            mask &= wanted
            break
    code = (mask & -mask).bit_length() - 1
    return chr(code) if 0 <= code < 128 else "\N{LATIN SMALL LETTER E WITH ACUTE}"


class _Parser:
    def __init__(self, pattern: str, flags: str) -> None:
        self.text = pattern
        self.at = 0
        self.ignore_case = "i" in flags
        self.dot_all = "s" in flags
        self.verbose = "x" in flags
        self.asides: list[Node] = []

    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.text[at] if at < len(self.text) else ""

    def _take(self, text: str) -> bool:
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _until(self, end: str) -> str:
        stop = self.text.find(end, self.at)
        if stop < 0:
            raise RegexError(f"expected {end}")
        found = self.text[self.at : stop]
        self.at = stop + len(end)
        return found

    def alternatives(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise RegexError("nested too deeply")
        branches = [self._branch(depth)]
        while self._take("|"):
            branches.append(self._branch(depth))
        return branches[0] if len(branches) == 1 else ("alt", branches)

    def _branch(self, depth: int) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self._peek() not in "|)":
            if self.verbose and (self._peek().isspace() or self._peek() == "#"):
                self._skip_comment()
                continue
            atom = self._atom(depth)
            items.append(self._quantified(atom))
        return ("cat", items) if items else EMPTY

    def _skip_comment(self) -> None:
        if self._peek() == "#":
            stop = self.text.find("\n", self.at)
            self.at = len(self.text) if stop < 0 else stop
        else:
            self.at += 1

    def _quantified(self, atom: Node) -> Node:
        least_most = self._quantifier()
        while least_most is not None:
            least, most = least_most
            if self._take("+"):  # possessive: never gives anything back, so its loop cannot be re-cut
                atom = _frozen(atom, least)
            else:
                self._take("?")
                atom = EMPTY if atom in (EMPTY, START) else ("rep", atom, least, most)
            least_most = self._quantifier()
        return atom

    def _quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        character = self._peek()
        if character in simple and character:
            self.at += 1
            return simple[character]
        if character != "{":
            return None
        stop = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : stop].partition(",") if stop > 0 else ("", "", "")
        if not (_is_number(least) or (comma and not least and most)) or not (most == "" or _is_number(most)):
            return None
        self.at = stop + 1
        low = int(least[:6] or "0")
        return low, (int(most[:6]) if most else None if comma else low)

    def _atom(self, depth: int) -> Node:
        character = self._peek()
        self.at += 1
        if character == "(":
            return self._group(depth + 1)
        if character == "[":
            return ("set", self._cased(self._set(0)))
        if character == ".":
            return ("set", _ALL if self.dot_all else _ALL & ~_NEWLINE)
        if character == "^":
            return START
        if character == "$":
            return ("set", END)
        if character == "\\":
            return self._escape()
        return ("set", self._cased(_bit(character)))

    def _cased(self, mask: int) -> int:
        if not self.ignore_case:
            return mask
        return mask | ((mask & _LOWER) >> 32) | ((mask & _UPPER) << 32)

    def _group(self, depth: int) -> Node:
        if not self._take("?"):
            return self._rest_of_group(depth)
        for opening in ("=", "!", "<=", "<!"):
            if self._take(opening):
                tree = self._rest_of_group(depth)
                if opening == "=" or opening == "!":
                    self.asides.append(tree)
                return EMPTY
        if self._take(">"):
            return _frozen(self._rest_of_group(depth), 1)
        if self._take("#"):
            self._until(")")
            return EMPTY
        if self._take("P=") or self._take("P>"):
            self._until(")")
            return EMPTY
        if self._take("P<") or self._take("<"):
            self._until(">")
            return self._rest_of_group(depth)
        if self._take("("):
            self._until(")")
            return self._rest_of_group(depth)
        return self._flag_group(depth)

    def _flag_group(self, depth: int) -> Node:
        before = (self.ignore_case, self.dot_all, self.verbose)
        on = True
        while self._peek() and self._peek() not in ":)":
            flag = self._peek()
            self.at += 1
            if flag == "-":
                on = False
            elif flag == "i":
                self.ignore_case = on
            elif flag == "s":
                self.dot_all = on
            elif flag == "x":
                self.verbose = on
            elif flag not in "aLumdUn":
                raise RegexError("unknown group")
        if self._take(")"):
            return EMPTY
        if not self._take(":"):
            raise RegexError("unknown group")
        tree = self._rest_of_group(depth)
        self.ignore_case, self.dot_all, self.verbose = before
        return tree

    def _rest_of_group(self, depth: int) -> Node:
        tree = self.alternatives(depth)
        if not self._take(")"):
            raise RegexError("missing )")
        return tree

    def _escape(self) -> Node:
        character = self._peek()
        if not character:
            raise RegexError("ends in a backslash")
        if character in "bBG":
            self.at += 1
            return EMPTY
        if character == "A":
            self.at += 1
            return START
        if character in "zZ":
            self.at += 1
            return ("set", END)
        if character == "Q":
            self.at += 1
            quoted = self._until("\\E") if "\\E" in self.text[self.at :] else self.text[self.at :]
            self.at = len(self.text) if "\\E" not in self.text[: self.at] else self.at
            return ("cat", [("set", self._cased(_bit(item))) for item in quoted])
        if character in "123456789":
            while self._peek().isdigit():
                self.at += 1
            return EMPTY
        if character == "k" and self._peek(1) == "<":
            self._until(">")
            return EMPTY
        return ("set", self._cased(self._class_escape()))

    def _class_escape(self) -> int:
        """The class named by what follows a backslash."""
        character = self._peek()
        self.at += 1
        if character in _CLASSES:
            return _CLASSES[character]
        if character and character.lower() in _CLASSES and character in "DWSHV":
            return _ALL & ~_CLASSES[character.lower()]
        if character in ("p", "P"):
            return self._property(negated=character == "P")
        if character == "x":
            return self._code(2)
        if character == "u":
            if self._take("{"):
                digits = self._until("}")
                return _bit(chr(_hex(digits)))
            return self._code(4)
        if character == "c" and self._peek():
            self.at += 1
            return _bit(chr(ord(self.text[self.at - 1]) % 32))
        return _bit(_CONTROL.get(character, character)) if character else 0

    def _code(self, digits: int) -> int:
        text = self.text[self.at : self.at + digits]
        if len(text) < digits or not set(text) <= _HEX:
            return _bit("x" if digits == 2 else "u")
        self.at += digits
        return _bit(chr(int(text, 16)))

    def _property(self, *, negated: bool) -> int:
        name = self._until("}") if self._take("{") else self._peek()
        if self.text[self.at - 1 : self.at] != "}":
            self.at += 1
        key = name.lower().removeprefix("is").rpartition("=")[2]
        mask = _PROPERTIES.get(key, _PROPERTIES.get(name.lower(), _OTHER_LETTER | _OTHER))
        return _ALL & ~mask if negated else mask

    def _set(self, depth: int) -> int:
        """A bracket expression, its ``[`` already read."""
        if depth > _MAX_DEPTH:
            raise RegexError("nested too deeply")
        negated = self._take("^")
        mask, first = 0, True
        while True:
            character = self._peek()
            if not character:
                raise RegexError("missing ]")
            if character == "]" and not first:
                self.at += 1
                break
            first = False
            if character == "[" and self._nested_set():
                self.at += 1
                mask |= self._set(depth + 1)
                continue
            if self.text.startswith("&&", self.at) and self._peek(2) == "[":
                self.at += 3
                mask &= self._set(depth + 1)
                continue
            mask |= self._range()
        return _ALL & ~mask if negated else mask

    def _nested_set(self) -> bool:
        """Java nests sets; elsewhere ``[`` in a set is a character."""
        stop = self.text.find("]", self.at)
        return stop >= 0 and "&&" in self.text and self.text.find("]", stop + 1) >= 0

    def _range(self) -> int:
        low = self._member()
        if self._peek() == "-" and self._peek(1) not in ("]", "") and low[1]:
            self.at += 1
            high = self._member()
            if high[1]:
                return _span(low[1], high[1])
            return low[0] | high[0] | _bit("-")
        return low[0]

    def _member(self) -> tuple[int, str]:
        """(class, the character when it is a single one)."""
        character = self._peek()
        self.at += 1
        if character != "\\":
            return _bit(character), character
        escaped = self._peek()
        if escaped == "b":
            self.at += 1
            return _bit("\b"), "\b"
        mask = self._class_escape()
        if mask & (mask - 1) == 0 and 0 < mask < 1 << 128:
            return mask, chr(mask.bit_length() - 1)
        return mask, ""


def _span(low: str, high: str) -> int:
    start, stop = ord(low), ord(high)
    if stop < start:
        raise RegexError("range in the wrong order")
    mask = 0
    if start < 128:
        last = min(stop, 127)
        mask = ((1 << (last + 1)) - 1) & ~((1 << start) - 1)
    return mask | (_OTHER_LETTER | _OTHER_SPACE | _OTHER if stop > 127 else 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _hex(digits: str) -> int:
    if not digits or len(digits) > 6 or not set(digits) <= _HEX or int(digits, 16) > 0x10FFFF:
        raise RegexError("not a code point")
    return int(digits, 16)


def _frozen(node: Node, least: int) -> Node:
    """The node without its loops: what an atomic group or possessive quantifier leaves for backtracking."""
    kind = node[0]
    if kind == "rep":
        node = _frozen(node[1], node[2])
    elif kind in ("cat", "alt"):
        node = (kind, [_frozen(item, 1) for item in node[1]])
    return node if least else ("alt", [node, EMPTY])
