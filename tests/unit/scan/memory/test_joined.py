"""Programs of several files of C: what headers tell, and what functions of other files do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from glasshouse.scan.cache import KEEP_EVERY
from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding, Result

Files = Mapping[str, str]


def written(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def results(folder: Path, jobs: int = 1, cache: Path | None = None) -> list[Result]:
    return list(scan_tree([folder], ScanSettings(jobs=jobs, cache_dir=cache)))


def found(folder: Path, files: Files) -> set[tuple[str, str]]:
    """(file, rule) of each finding in application mode."""
    every = results(written(folder, files))
    return {
        (item.location.path, item.rule_id) for item in every if isinstance(item, Finding) and item.mode == "application"
    }


STRINGS = "#include <string.h>\n#include <stdlib.h>\n"
USES = '#include "sizes.h"\n' + STRINGS
SIZED = {
    "a number": ("#define ROOM {n}\n", "char b[ROOM]; memset(b, 0, 32);"),
    "a number of another header": ('#include "more.h"\n#define ROOM (MORE / 1 + 0)\n', ""),
    "a sum": ("#define HALF {n}\n#define ROOM (HALF + 0)\n", "char b[ROOM]; memset(b, 0, 32);"),
    "an enumeration": ("enum {{ ROOM = {n} }};\n", "char b[ROOM]; memset(b, 0, 32);"),
    "a field": ("struct box {{ char text[{n}]; int n; }};\n", "struct box b; memset(b.text, 0, 32); keep(&b);"),
    "a type name": ("typedef char block[{n}];\n", "block b; memset(b, 0, 32);"),
    "a record's size": ("typedef struct {{ char text[{n}]; }} box;\n", "box b; memset(&b, 0, 32);"),
    "a table": ("extern char shared[{n}];\n", "memset(shared, 0, 32);"),
    "an inline function": (
        "static inline void clear(char *p) {{ memset(p, 0, {n}); }}\n",
        "char b[24]; clear(b); keep(b);",
    ),
}
del SIZED["a number of another header"]


@pytest.mark.parametrize("name", SIZED)
def test_sizes_that_a_header_tells_reach_who_includes_it(tmp_path: Path, name: str) -> None:
    header, body = SIZED[name]
    user = USES + f"void keep(void *p);\nvoid use(void) {{ {body} }}\n"
    small, large = (16, 64) if name != "an inline function" else (64, 16)
    overflow = ("use.c", "c-buffer-overflow")
    assert overflow in found(tmp_path / "small", {"sizes.h": header.format(n=small), "use.c": user})
    assert overflow not in found(tmp_path / "large", {"sizes.h": header.format(n=large), "use.c": user})


def test_a_size_may_need_several_headers(tmp_path: Path) -> None:
    files = {
        "lib/base.h": "#define BASE 8\n",
        "lib/sizes.h": '#include "base.h"\nstruct box { char text[BASE * 2]; };\n',
        "use.c": '#include "lib/sizes.h"\n#include <string.h>\n'
        "void use(struct box *b) { memset(b->text, 0, 17); }\nvoid fine(struct box *b) { memset(b->text, 0, 16); }\n",
    }
    lines = [item.location.line for item in results(written(tmp_path, files)) if isinstance(item, Finding)]
    assert lines == [3]


def test_what_two_headers_say_differently_is_not_known(tmp_path: Path) -> None:
    one = {"one.h": "#define ROOM 16\n", "use.c": '#include "one.h"\n#include "two.h"\n' + STRINGS}
    one["use.c"] += "void use(void) { char b[ROOM]; memset(b, 0, 32); }\n"
    overflow = ("use.c", "c-buffer-overflow")
    assert overflow in found(tmp_path / "same", {**one, "two.h": "#define ROOM 16\n"})
    assert overflow not in found(tmp_path / "differ", {**one, "two.h": "#define ROOM 64\n"})
    either = "#ifdef SMALL\n#define ROOM 16\n#else\n#define ROOM 64\n#endif\n"
    assert overflow not in found(tmp_path / "either", {**one, "one.h": either, "two.h": ""})


def test_nothing_outside_the_scanned_tree_is_read(tmp_path: Path) -> None:
    files = {"sizes.h": "#define ROOM 16\n", "in/use.c": '#include "../sizes.h"\n' + STRINGS}
    files["in/use.c"] += "void use(void) { char b[ROOM]; memset(b, 0, 32); }\n"
    files["in/other.c"] = "int other;\n"
    written(tmp_path, files)
    rules = [item.rule_id for item in results(tmp_path / "in") if isinstance(item, Finding)]
    assert "c-buffer-overflow" not in rules
    assert "c-buffer-overflow" in [item.rule_id for item in results(tmp_path) if isinstance(item, Finding)]


SHARED = '#include "shared.h"\n' + STRINGS
HEAD = "void done(char *p);\nchar *get(int n);\nvoid put(char *p);\nint next(int n);\nvoid fill(char *p);\n"
PAIRS = {
    "frees": (
        "void done(char *p) { free(p); }",
        "void done(char *p) { p[0] = 0; }",
        "void use(void) { char *p = malloc(8); if (!p) return; done(p); p[1] = 1; keep(p); }",
        "c-use-after-free",
    ),
    "frees on one way, and says so": (
        "int next(char *p) { if (p[0]) { free(p); return -1; } return 0; }",
        "int next(char *p) { if (p[0]) { free(p); return 0; } return -1; }",
        "void use(char *p) { if (next(p) == 0) p[1] = 1; }",
        "",
    ),
    "writes": (
        "void fill(char *p) { memset(p, 0, 64); }",
        "void fill(char *p) { memset(p, 0, 16); }",
        "void use(void) { char b[16]; fill(b); keep(b); }",
        "c-buffer-overflow",
    ),
    "may give null": (
        "char *get(int n) { return malloc(n); }",
        "char *get(int n) { char *p = malloc(n); if (!p) abort(); return p; }",
        "void use(void) { char *p = get(8); p[0] = 1; keep(p); }",
        "c-unchecked-allocation",
    ),
    "reads from outside": (
        "int next(int n) { char b[8]; fgets(b, 8, stdin); return atoi(b); }",
        "int next(int n) { return n > 3 ? 3 : 2; }",
        "int use(void) { int t[4]; t[0] = 1; return t[next(1)]; }",
        "c-outside-index",
    ),
    "runs a command": (
        "void put(char *p) { system(p); }",
        "void put(char *p) { puts(p); }",
        'void use(void) { put(getenv("TOOL")); }',
        "c-command-injection",
    ),
    "keeps a lock": (
        "void put(char *p) { pthread_mutex_lock(&big); }",
        "void put(char *p) { pthread_mutex_lock(&big); pthread_mutex_unlock(&big); }",
        "void use(char *p) { put(p); pthread_mutex_lock(&big); keep(p); pthread_mutex_unlock(&big); }",
        "c-double-lock",
    ),
    "ends the program": (
        "void done(char *p) { puts(p); }",
        "void done(char *p) { puts(p); exit(1); }",
        "void use(void) { char *p = malloc(8); if (!p) done(0); p[0] = 1; keep(p); }",
        "c-null-dereference",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_a_function_of_another_file_does_is_known(tmp_path: Path, name: str) -> None:
    bad, good, use, rule = PAIRS[name]
    user = SHARED + f"#include <pthread.h>\nextern pthread_mutex_t big;\nvoid keep(void *p);\n{use}\n"
    for text, expected in ((bad, True), (good, False)):
        files = {
            "shared.h": HEAD,
            "use.c": user,
            "other.c": SHARED + f"#include <pthread.h>\n#include <stdio.h>\n{text}\n",
        }
        rules = {rule for file, rule in found(tmp_path / str(expected), files) if file == "use.c"}
        if rule:
            assert (rule in rules) == expected
        else:
            assert ("c-use-after-free" in rules) != expected


def test_a_name_that_two_files_define_means_neither(tmp_path: Path) -> None:
    bad, _, use, rule = PAIRS["writes"]
    user = SHARED + f"void keep(void *p);\n{use}\n"
    files = {"shared.h": HEAD, "use.c": user, "one.c": SHARED + bad, "two.c": SHARED + bad}
    assert ("use.c", rule) not in found(tmp_path, files)


def test_what_goes_wrong_in_a_function_by_itself_is_told_there_alone(tmp_path: Path) -> None:
    files = {
        "shared.h": HEAD,
        "other.c": SHARED + "void fill(char *p) { char b[4]; memset(b, 0, 8); p[0] = b[0]; }\n",
        "use.c": SHARED + "void keep(void *p);\nvoid use(void) { char b[16]; fill(b); keep(b); }\n",
    }
    assert {file for file, rule in found(tmp_path, files) if rule == "c-buffer-overflow"} == {"other.c"}


def program(folder: Path) -> Path:
    """A program of many files that use each other's functions, one header and each other in a circle."""
    files = {"shared.h": HEAD + "#define ROOM 16\nstruct box { char text[ROOM]; };\n"}
    for number in range(12):
        after = (number + 1) % 12
        files[f"part{number}.c"] = (
            SHARED
            + f"void clear{number}(char *p) {{ memset(p, 0, {8 * number}); }}\n"
            + f"void step{number}(char *p) {{ char b[ROOM]; clear{after}(b); step{after}(b); }}\n"
        )
    return written(folder, files)


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    folder = program(tmp_path / "program")
    assert results(folder, jobs=1) == results(folder, jobs=3)


@pytest.mark.parametrize("edited", ["shared.h", "part3.c"])
def test_a_cache_changes_nothing_whatever_is_edited(tmp_path: Path, edited: str) -> None:
    folder = program(tmp_path / "program")
    cache = tmp_path / "cache"
    assert results(folder, cache=cache) == results(folder)
    changed = folder / edited
    changed.write_text(changed.read_text().replace("ROOM 16", "ROOM 64").replace("p, 0, 24", "p, 0, 2400"))
    fresh = results(folder)
    assert results(folder, cache=cache) == fresh
    assert results(folder, jobs=2, cache=cache) == fresh


def test_what_was_analysed_together_survives_an_interruption(tmp_path: Path) -> None:
    body = '#include "all.h"\nvoid f{0}(void) {{ f{1}(); }}\n'
    many = {f"f{number:03}.c": body.format(number, number + 1) for number in range(3 * KEEP_EVERY)}
    tree = written(tmp_path / "tree", {**many, "all.h": "void f0(void);\n"})
    settings = ScanSettings(jobs=1, cache_dir=tmp_path / "cache")
    left: list[int] = []

    def stop(phase: str, done: int, total: int) -> None:
        if phase == "joining" and done == 2 * KEEP_EVERY + 7:
            raise KeyboardInterrupt

    def note(phase: str, done: int, total: int) -> None:
        if phase == "joining" and done == 1:
            left.append(total)

    with pytest.raises(KeyboardInterrupt):
        list(scan_tree([tree], settings, stop))
    again = list(scan_tree([tree], settings, note))
    assert left == [len(many) - (2 * KEEP_EVERY + 7)]
    assert again == results(tree)


def test_a_header_that_comes_later_is_noticed(tmp_path: Path) -> None:
    files = {"use.c": USES + "void use(void) { char b[ROOM]; memset(b, 0, 32); }\n", "other.c": '#include "sizes.h"\n'}
    cache = tmp_path / "cache"
    folder = written(tmp_path / "program", files)
    assert results(folder, cache=cache) == results(folder)
    written(folder, {"sizes.h": "#define ROOM 16\n"})
    assert "c-buffer-overflow" in {item.rule_id for item in results(folder, cache=cache) if isinstance(item, Finding)}


RECORDS = "#include <stdlib.h>\n#include <string.h>\nvoid keep(void *p);\nstruct peer { int x; };\n"


@pytest.mark.parametrize(
    "text",
    [
        (
            "struct box { struct peer *all[8]; };\n"
            "void f(struct box *b, int i) { while (i > 0) { struct peer *p = b->all[i]; keep(p); free(p); i--; } }\n"
        ),
        '#define TEXT "hello"\nvoid f(char *d) { memcpy(d, TEXT, sizeof(TEXT)); }\n',
        (
            "struct c { struct peer *one; };\nvoid f(struct peer *p) { struct c *c = malloc(64); if (!c) return;\n"
            "c->one = p; memset(c + 1, 0, 8); keep(c->one->x); free(c); }\n"
        ),
        (
            "struct c { int all[4]; };\nvoid f(void) { struct c *c = calloc(1, sizeof(*c)); if (!c) return;\n"
            "c->all[1] = 2; keep(c); }\n"
        ),
        "union u { char a[16]; int n; };\nvoid f(void) { union u u; memset(&u, 0, 16); keep(&u); }\n",
    ],
    ids=["next element", "size of a text", "memory behind", "zeroed array", "union"],
)
def test_records_of_known_size_do_not_mislead(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, {"a.c": RECORDS + text, "b.c": "int other;\n"}) == set()


def test_a_union_is_as_large_as_its_largest_field(tmp_path: Path) -> None:
    text = "union u { char a[16]; int n; };\nvoid f(void) { union u u; memset(&u, 0, 17); keep(&u); }\n"
    assert ("a.c", "c-buffer-overflow") in found(tmp_path, {"a.c": RECORDS + text, "b.c": "int other;\n"})
