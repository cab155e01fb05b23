"""COBOL: formats, copybooks, and how data moves through a program, told by what is and is not reported."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glasshouse.scan.detect.cobol_facts import find_facts
from glasshouse.scan.language.cobol import CobolFrontEnd
from glasshouse.scan.language.cobol.lines import logical_lines
from glasshouse.scan.language.cobol.statements import read_procedure
from glasshouse.scan.language.cobol.tokens import Copies, tokens_of
from glasshouse.scan.language.interface import LowerLimits

CHECKS = (
    *("dynamic-sql", "dynamic-call", "cics-program", "file-name", "os-command", "credential"),
    *("subscript", "size-error", "file-status", "sql-status"),
)


def fixed(code: str) -> str:
    """Code in fixed format: sequence area and indicator before it."""
    return "".join(f"{number:06d} {line}\n" for number, line in enumerate(code.strip("\n").split("\n"), start=1))


def program(storage: str, procedure: str, linkage: str = "") -> str:
    """A whole program in free format."""
    link = f"LINKAGE SECTION.\n{linkage}\n" if linkage else ""
    using = " USING LK-DATA" if linkage else ""
    return (
        "IDENTIFICATION DIVISION.\nPROGRAM-ID. T.\nDATA DIVISION.\nWORKING-STORAGE SECTION.\n"
        f"{storage}\n{link}PROCEDURE DIVISION{using}.\nMAIN.\n{procedure}\n"
    )


def found(text: str, check: str = "", path: str = "t.cbl", absolute: str = "") -> list[tuple[str, str, int]]:
    """Check, name and line of what is reported."""
    file = CobolFrontEnd().lower_at(text.encode(), path, LowerLimits(), absolute)
    return [
        (each, hit.message_args["name"], line_of(hit.span))
        for each in CHECKS
        if check in ("", each)
        for hit in find_facts(file, {"check": each})
    ]


def line_of(span: int) -> int:
    """The line of a packed span."""
    from glasshouse.scan import ir

    return ir.unpack_span(span)[0]


def calls(procedure: str, storage: str = "01 A PIC X(8).\n01 B PIC X(8).\n01 C PIC X(80).") -> bool:
    """Whether a CALL of data from outside is reported."""
    return bool(found(program(storage, procedure), "dynamic-call"))


# --- formats

BODY = "ACCEPT A.\nCALL A."


def test_free_and_fixed_format_give_the_same() -> None:
    free = program("01 A PIC X(8).", BODY)
    assert [each[:2] for each in found(free)] == [each[:2] for each in found(fixed(free))] == [("dynamic-call", "A")]


def test_sequence_numbers_columns_after_72_and_comment_lines_are_no_code() -> None:
    lines = [
        "000100 IDENTIFICATION DIVISION.",
        "000200 PROGRAM-ID. T.",
        "000300 DATA DIVISION.",
        "000400 WORKING-STORAGE SECTION.",
        "000500 01  A PIC X(8).",
        "000600 PROCEDURE DIVISION.",
        "000700 MAIN.",
        "000800*    CALL A.",
        "000900     MOVE 'X' TO A.".ljust(72) + "ACCEPT A",
        "001000D    ACCEPT A.",
        "001100     CALL A.",
        "001200/    ACCEPT A.",
    ]
    assert found("\n".join(lines)) == []


def test_a_literal_goes_on_in_the_next_line() -> None:
    first = "       01  WS-PASSWORD PIC X(80) VALUE 'qk7zw9pd".ljust(72)
    text = (
        f"       IDENTIFICATION DIVISION.\n       DATA DIVISION.\n{first}\n      -    'and more'.\n       01 B PIC X.\n"
    )
    tokens = tokens_of(text, Copies(lambda _: None))
    (literal,) = [token for token in tokens if token.kind == "literal"]
    assert literal.text.startswith("qk7zw9pd")
    assert literal.text.endswith("and more")
    assert [token.text for token in tokens if token.line == 5][:2] == ["01", "B"]


def test_an_inline_remark_ends_the_line_unless_it_is_in_a_literal() -> None:
    assert not calls("*> ACCEPT A.\nMOVE 'x' TO A.  *> ACCEPT A\nCALL A.")
    assert calls("MOVE '*> no' TO B.\nACCEPT A.\nCALL A.")


@pytest.mark.parametrize("mark", [">>SOURCE FORMAT IS FREE", '$SET SOURCEFORMAT"FREE"'])
def test_a_program_may_say_that_it_is_free(mark: str) -> None:
    text = f"       {mark}\n" + fixed(program("01 A PIC X.", BODY))
    assert logical_lines(text)[0].column == 0


# --- how data moves


@pytest.mark.parametrize(
    "procedure",
    [
        "ACCEPT A. CALL A.",
        "ACCEPT A FROM COMMAND-LINE. CALL A.",
        "ACCEPT A. MOVE A TO B. CALL B.",
        "ACCEPT A. STRING 'P' A DELIMITED BY SIZE INTO B. CALL B.",
        "ACCEPT C. UNSTRING C DELIMITED BY ',' INTO A B. CALL B.",
        "ACCEPT A. MOVE A(1:4) TO B. CALL B.",
        "ACCEPT A. MOVE FUNCTION UPPER-CASE(A) TO B. CALL B.",
        "PERFORM GET-IT. CALL A. STOP RUN. GET-IT. ACCEPT A.",
        "PERFORM P1 THRU P2. CALL A. STOP RUN. P1. CONTINUE. P2. ACCEPT A.",
        "ACCEPT A. GO TO LAST. MIDDLE. STOP RUN. LAST. CALL A.",
        "IF B = 'X' ACCEPT A ELSE MOVE 'Y' TO A END-IF. CALL A.",
        "EVALUATE B WHEN 'X' ACCEPT A WHEN OTHER CONTINUE END-EVALUATE. CALL A.",
        "PERFORM UNTIL B = 'X' CALL A ACCEPT A END-PERFORM.",
        "EXEC CICS RECEIVE INTO(A) END-EXEC. CALL A.",
        "EXEC CICS GET CONTAINER('C') INTO(A) END-EXEC. CALL A.",
        "ACCEPT A. IF A = 'X' AND B = 'Y' CONTINUE END-IF. CALL A.",
        "ACCEPT A. IF A NOT = 'X' DISPLAY 'NO' END-IF. CALL A.",
        "ACCEPT A. IF A = B CALL A END-IF.",
    ],
)
def test_data_from_outside_reaches_the_call(procedure: str) -> None:
    assert calls(procedure)


@pytest.mark.parametrize(
    "procedure",
    [
        "MOVE 'X' TO A. CALL A.",
        "ACCEPT A. MOVE 'X' TO A. CALL A.",
        "ACCEPT A. INITIALIZE A. CALL A.",
        "ACCEPT A FROM DATE. CALL A.",
        "ACCEPT A. CALL 'P' USING A.",
        "CALL A. ACCEPT A.",
        "ACCEPT A. STOP RUN. CALL A.",
        "ACCEPT A. IF A = 'X' CALL A END-IF.",
        "ACCEPT A. IF A = 'X' OR 'Y' CALL A END-IF.",
        "ACCEPT A. IF A = 'X' OR A = 'Y' CALL A END-IF.",
        "ACCEPT A. IF A NOT = 'X' STOP RUN END-IF. CALL A.",
        "ACCEPT A. IF NOT A = 'X' STOP RUN. CALL A.",
        "ACCEPT A. EVALUATE A WHEN 'X' WHEN 'Y' CALL A END-EVALUATE.",
        "ACCEPT A. EVALUATE TRUE WHEN A = 'X' CALL A END-EVALUATE.",
        "ACCEPT A. IF A NUMERIC CALL A END-IF.",
        "EVALUATE B WHEN 'X' MOVE 'P' TO A WHEN OTHER MOVE 'Q' TO A END-EVALUATE. CALL A.",
    ],
)
def test_what_the_program_chose_or_checked_does_not(procedure: str) -> None:
    assert not calls(procedure)


def test_a_group_its_parts_and_what_redefines_it_share_their_storage() -> None:
    storage = "01 G.\n 05 A PIC X(8).\n 05 N PIC X.\n01 R REDEFINES G PIC X(9).\n01 B PIC X(8)."
    assert calls("ACCEPT G. CALL A.", storage)
    assert calls("ACCEPT A. MOVE G TO B. CALL B.", storage)
    assert calls("ACCEPT R. CALL A.", storage)
    assert not calls("ACCEPT N. CALL A.", storage)


def test_a_parameter_counts_in_library_mode() -> None:
    text = program("01 A PIC X(8).", "MOVE LK-DATA TO A. CALL A.", "01 LK-DATA PIC X(8).")
    file = CobolFrontEnd().lower(text.encode(), "t.cbl", LowerLimits())
    (hit,) = find_facts(file, {"check": "dynamic-call"})
    assert hit.mode == "library"
    assert file.functions[hit.function_index].name == "MAIN"


def test_the_message_names_where_the_data_came_from() -> None:
    file = CobolFrontEnd().lower(program("01 A PIC X(8).", "\n\nACCEPT A.\nCALL A.").encode(), "t.cbl", LowerLimits())
    (hit,) = find_facts(file, {"check": "dynamic-call"})
    assert hit.message_args["source"] == "ACCEPT (line 10)"


def test_each_program_of_a_file_has_its_own_data() -> None:
    first, second = program("01 A PIC X.", "ACCEPT A."), program("01 A PIC X.", "CALL A.")
    assert found(first + second) == []


# --- copybooks


def tree(folder: Path, **files: str) -> tuple[str, str]:
    """A tree with a program `src/t.cbl`; its report path and where it lies."""
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".cpy").write_text(text)
    (folder / "src").mkdir(parents=True, exist_ok=True)
    return "src/t.cbl", str(folder / "src" / "t.cbl")


COPYING = "IDENTIFICATION DIVISION.\nDATA DIVISION.\nWORKING-STORAGE SECTION.\n{copy}\nPROCEDURE DIVISION.\nM.\n{body}"


def test_a_copybook_is_found_beside_or_in_a_folder_above(tmp_path: Path) -> None:
    path, absolute = tree(tmp_path, copybooks__FIELDS="01 REC.\n 05 PGM PIC X(8).\n")
    text = COPYING.format(copy="COPY FIELDS.", body="ACCEPT REC. CALL PGM.")
    assert found(text, path=path, absolute=absolute) == [("dynamic-call", "PGM", 7)]


def test_replacing_gives_the_fields_other_names(tmp_path: Path) -> None:
    path, absolute = tree(
        tmp_path, src__F="01 :TAG:-REC.\n 05 :TAG:-PGM PIC X(8).\n01 OLD PIC X.\n01 PRE-X PIC X(8).\n"
    )
    copy = "COPY F REPLACING ==:TAG:== BY ==WS== OLD BY NEW LEADING ==PRE== BY ==IN==."
    text = COPYING.format(copy=copy, body="ACCEPT WS-REC. CALL WS-PGM. ACCEPT IN-X. CALL IN-X.")
    assert [each[1] for each in found(text, "dynamic-call", path, absolute)] == ["WS-PGM", "IN-X"]


def test_a_copybook_outside_of_the_tree_or_absent_is_said_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "SECRET.cpy").write_text("01 PGM PIC X(8).\n")
    path, absolute = tree(tmp_path / "in")
    (tmp_path / "in" / "src" / "LINK.cpy").symlink_to(tmp_path / "SECRET.cpy")
    for name in ("SECRET", "LINK", "NONE"):
        text = COPYING.format(copy=f"COPY {name}.", body="ACCEPT PGM. CALL PGM.")
        file = CobolFrontEnd().lower_at(text.encode(), path, LowerLimits(), absolute)
        assert file.notes == [f"copybook {name} (line 4) is not in this tree"]


def test_copybooks_that_copy_themselves_end(tmp_path: Path) -> None:
    path, absolute = tree(tmp_path, src__LOOP="01 A PIC X.\nCOPY LOOP.\nCOPY LOOP.\n")
    start = time.monotonic()
    CobolFrontEnd().lower_at(COPYING.format(copy="COPY LOOP.", body="").encode(), path, LowerLimits(), absolute)
    assert time.monotonic() - start < 5


# --- hostile input


@pytest.mark.parametrize(
    "procedure",
    [
        "IF A = B\n" * 20_000,
        "PERFORM UNTIL A = B\n" * 20_000,
        "EVALUATE A WHEN 'X'\n" * 20_000,
        "".join(f"P{n}. PERFORM P{n + 1}. PERFORM P{n + 1}.\n" for n in range(60)),
        "".join(f"P{n}. GO TO P{(n + 1) % 300} P{(n + 2) % 300} DEPENDING ON A.\n" for n in range(300)),
        "ACCEPT G.\n" + "IF A = 'X' MOVE G TO B END-IF.\n" * 5_000,
        "MOVE '" + "x" * 200_000,
        "(" * 50_000,
    ],
)
def test_deep_and_wide_programs_end_and_say_what_was_left_out(procedure: str) -> None:
    storage = "01 A PIC X.\n01 B PIC X.\n01 G.\n" + "".join(f" 05 F{n} PIC X.\n" for n in range(300))
    start = time.process_time()
    CobolFrontEnd().lower(program(storage, procedure).encode(), "t.cbl", LowerLimits(max_seconds=3))
    assert time.process_time() - start < 8


WORDS = (
    "IF ELSE END-IF EVALUATE WHEN END-EVALUATE PERFORM THRU UNTIL END-PERFORM ACCEPT MOVE TO CALL A B GO EXEC SQL CICS "
    "PREPARE S FROM END-EXEC LINK PROGRAM ( ) . STRING INTO UNSTRING COPY REPLACING == BY 01 PIC X OCCURS 3 REDEFINES "
    "SECTION PROCEDURE DIVISION IDENTIFICATION SELECT ASSIGN 88 VALUE 'x' NOT AND OR = NUMERIC SEARCH"
).split()


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS), max_size=60), st.booleans())
@example(["COPY", "."], False)
def test_no_order_of_words_raises(words: list[str], whole: bool) -> None:
    text = " ".join(words)
    text = program("01 A PIC X.", text) if whole else text
    found(text)
    read_procedure(tokens_of(text, Copies(lambda _: "COPY A. 01 B PIC X.")))


@settings(max_examples=80)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    CobolFrontEnd().lower(data.decode("utf-8", "replace").encode(), "t.cbl", LowerLimits())
