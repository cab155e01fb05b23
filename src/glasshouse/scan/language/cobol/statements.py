"""The procedure division as paragraphs of nested statements; what it does not know it keeps as a plain statement."""

from __future__ import annotations

from collections.abc import Sequence

from glasshouse.scan.language.cobol.tokens import Token

MAX_STATEMENTS = 200_000
MAX_DEPTH = 150
VERBS = frozenset(
    "ACCEPT ADD ALTER CALL CANCEL CLOSE COMPUTE CONTINUE DELETE DISPLAY DIVIDE ENTRY EVALUATE EXEC EXECUTE EXIT GO "
    "GOBACK IF INITIALIZE INSPECT MERGE MOVE MULTIPLY OPEN PERFORM READ RELEASE RETURN REWRITE SEARCH SET SORT START "
    "STOP STRING SUBTRACT UNSTRING WRITE INVOKE ALLOCATE FREE JSON XML".split()
)
_NO_NAMES = VERBS | frozenset("SECTION END DECLARATIVES THEN ELSE WHEN NEXT".split())


_ENDS = frozenset({"ELSE", "WHEN", "END-IF", "END-EVALUATE", "END-PERFORM"})


class Statement:
    """One statement.  ``tokens`` are its own words; ``blocks`` pair what leads to a block with the block."""

    __slots__ = ("blocks", "line", "tokens", "verb")

    def __init__(self, verb: str, tokens: list[Token], line: int) -> None:
        self.verb, self.tokens, self.line = verb, tokens, line
        self.blocks: list[tuple[list[Token], list[Statement]]] = []


class Paragraph:
    """A paragraph, or the head of a section (then ``section`` is its own name)."""

    def __init__(self, name: str, section: str, at: Token) -> None:
        self.name, self.section, self.at = name, section, at
        self.body: list[Statement] = []


class Procedure:
    """The paragraphs in order, and the parameters of PROCEDURE DIVISION USING."""

    def __init__(self) -> None:
        self.paragraphs: list[Paragraph] = []
        self.parameters: list[str] = []
        self.has_handler = False
        self.capped = ""

    def span(self, first: str, last: str) -> list[Paragraph]:
        """The paragraphs from one name to another; of a section all."""
        start = next((n for n, each in enumerate(self.paragraphs) if each.name == first), -1)
        if start < 0:
            return []
        end = max((n for n, each in enumerate(self.paragraphs) if last in (each.name, each.section)), default=start)
        return self.paragraphs[start : max(end, start) + 1]


def read_procedure(tokens: Sequence[Token]) -> Procedure:
    """From the tokens after PROCEDURE DIVISION."""
    found = Procedure()
    end = next((n for n, token in enumerate(tokens) if token.mark(".")), len(tokens))
    skipped = ("USING", "RETURNING", "BY", "REFERENCE", "VALUE", "CHAINING", "OPTIONAL")
    found.parameters = [token.text for token in tokens[:end] if token.kind == "word" and token.text not in skipped]
    _Reader(tokens, end + 1, found).read()
    return found


class _Reader:
    def __init__(self, tokens: Sequence[Token], at: int, found: Procedure) -> None:
        self.tokens, self.at, self.found = tokens, at, found
        self.count = 0

    def read(self) -> None:
        section = ""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if self._is_division():
                return  # a nested or following program is read on its own
            if token.word("DECLARATIVES"):
                self.found.has_handler = True
            following = self._peek(1)
            if self._starts_paragraph(token, following):
                if following is not None and following.word("SECTION"):
                    section = token.text
                    self._skip_sentence()
                else:
                    self.at += 2
                self.found.paragraphs.append(Paragraph(token.text, section, token))
                continue
            if not self.found.paragraphs:
                self.found.paragraphs.append(Paragraph("", section, token))
            before = self.at
            self.found.paragraphs[-1].body += self._block((), 0)
            if self.at == before:
                self.at += 1

    def _peek(self, ahead: int) -> Token | None:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def _is_division(self) -> bool:
        following = self._peek(1)
        return (
            self.tokens[self.at].word("IDENTIFICATION", "ID") and following is not None and following.word("DIVISION")
        )

    def _starts_paragraph(self, token: Token, following: Token | None) -> bool:
        if token.kind not in ("word", "number") or token.text in _NO_NAMES or following is None:
            return False
        before = self.tokens[self.at - 1] if self.at else None
        return (before is None or before.mark(".")) and (following.mark(".") or following.word("SECTION"))

    def _skip_sentence(self) -> None:
        while self.at < len(self.tokens) and not self.tokens[self.at].mark("."):
            self.at += 1
        self.at += 1

    def _block(self, until: tuple[str, ...], depth: int) -> list[Statement]:
        """Statements up to a period (which the outermost block takes), or one of the words."""
        found: list[Statement] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.mark("."):
                if depth == 0:
                    self.at += 1
                    following = self._peek(0)
                    if following is None or self._starts_paragraph(following, self._peek(1)) or self._is_division():
                        break
                    continue
                break
            if token.kind == "word" and token.text in until:
                break
            if token.kind == "word" and token.text in VERBS:
                if self.count >= MAX_STATEMENTS or depth > MAX_DEPTH:
                    self.found.capped = "more or deeper nested statements than are read"
                    self._skip_sentence()
                    break
                self.count += 1
                found.append(self._statement(until, depth))
            elif token.kind == "word" and depth and token.text in _ENDS:
                break
            else:
                self.at += 1  # the end of a statement, or a phrase such as AT END
        return found

    def _statement(self, until: tuple[str, ...], depth: int) -> Statement:
        verb = self.tokens[self.at]
        self.at += 1
        if verb.text in ("EXEC", "EXECUTE"):
            made = Statement("EXEC", self._until_end_exec(), verb.line)
        elif verb.text == "IF":
            made = Statement("IF", self._words(("THEN", "NEXT")), verb.line)
            made.blocks.append((made.tokens, self._block(("ELSE", "END-IF"), depth + 1)))
            if self._take("ELSE"):
                made.blocks.append(([], self._block(("END-IF",), depth + 1)))
            self._take("END-IF")
        elif verb.text in ("EVALUATE", "SEARCH"):
            made = self._cases(verb, depth)
        elif verb.text == "PERFORM":
            made = Statement("PERFORM", self._words(()), verb.line)
            if self._is_inline(made.tokens):
                made.blocks.append((made.tokens, self._block(("END-PERFORM",), depth + 1)))
                self._take("END-PERFORM")
        else:
            made = Statement(verb.text, self._words(until), verb.line)
        made.tokens.insert(0, verb)
        return made

    def _cases(self, verb: Token, depth: int) -> Statement:
        ends = "END-EVALUATE" if verb.text == "EVALUATE" else "END-SEARCH"
        made = Statement(verb.text, self._words(("WHEN",)), verb.line)
        self._block(("WHEN", ends), depth + 1)  # SEARCH ... AT END statements
        while self._take("WHEN"):
            condition = self._words(("WHEN",))
            made.blocks.append((condition, self._block(("WHEN", ends), depth + 1)))
        self._take(ends)
        return made

    def _is_inline(self, words: list[Token]) -> bool:
        """A body follows where no procedure is named."""
        if not words or words[0].word("UNTIL", "VARYING", "WITH", "TEST", "FOREVER"):
            return True
        return words[0].kind == "number" or (len(words) > 1 and words[1].word("TIMES"))

    def _words(self, until: tuple[str, ...]) -> list[Token]:
        """The words up to the next statement, a period, or the end of a statement."""
        found: list[Token] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.mark(".") or (token.kind == "word" and self._ends(token, until, found)):
                break
            found.append(token)
            self.at += 1
        return found

    def _ends(self, token: Token, until: tuple[str, ...], found: list[Token]) -> bool:
        if token.text in VERBS:
            # `START`, `RETURN` and others are names of options too, after these words
            return not (found and found[-1].word("FUNCTION", "OF", "IN"))
        return token.text in until or token.text in ("ELSE", "WHEN") or token.text.startswith("END-")

    def _until_end_exec(self) -> list[Token]:
        found = []
        while self.at < len(self.tokens) and not self.tokens[self.at].word("END-EXEC"):
            found.append(self.tokens[self.at])
            self.at += 1
        self.at += 1
        return found

    def _take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].word(word):
            self.at += 1
            return True
        return False
