"""The path engine: states stay apart where it matters, join where it does not, and loops end."""

from __future__ import annotations

import pytest

from glasshouse.scan import ir
from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file

FRONT_END = CFrontEnd()


def checks(body: str, parameters: str = "int a, int b, char *s") -> set[str]:
    """What is reported, certain or weak, in a function with this body."""
    text = f"#include <stdlib.h>\nstatic int g;\nint f({parameters}) {{ {body} }}\n"
    file = FRONT_END.lower(text.encode(), "a.c", LowerLimits())
    assert not file.errors
    return {item.check for item in analyse_file(file)}


def test_an_argument_that_a_macro_makes_up_is_unknown() -> None:
    text = b"#define relax() assert(0)\nint f(int a) { if (a) relax(); return a; }\n"
    file = FRONT_END.lower(text, "a.c", LowerLimits())
    assert analyse_file(file) == []
    assert file.notes == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("char *p = malloc(4); if (!p) return 0; if (a) free(p); if (!a) free(p); return 1;", set()),
        ("char *p = malloc(4); if (!p) return 0; if (a) free(p); if (a) return 1; free(p); return 2;", set()),
        (
            "char *p = malloc(4); if (!p) return 0; if (a) free(p); if (b) free(p); return 2;",
            {"double-free", "memory-leak"},
        ),
        ("char *p = 0; if (a == 5) p = s; if (a != 5) return 0; return *p;", set()),
        ("int n; switch (a) { case 1: n = 1; break; case 2: n = 2; break; default: n = 3; } return n;", set()),
        ("int n; switch (a) { case 1: n = 1; break; case 2: n = 2; } return n;", {"uninitialised-variable"}),
        ("int n; while (1) { n = a; break; } return n;", set()),
        ("int n; for (;;) { if (a--) { n = 1; break; } } return n;", set()),
        ("char *p = malloc(4); if (!p) goto out; p[0] = 1; free(p); return 1; out: return 0;", set()),
        ("char *p = malloc(4); if (!p || a) goto out; p[0] = 1; free(p); return 1; out: return 0;", {"memory-leak"}),
    ],
)
def test_correlated_branches_are_told_apart(body: str, expected: set[str]) -> None:
    assert checks(body) == expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [("0", set()), ("9", set()), ("10", {"buffer-overflow"}), ("-1", {"buffer-underwrite"})],
)
def test_constant_indexes_are_compared_with_the_size(index: str, expected: set[str]) -> None:
    assert checks(f"int t[10]; t[{index}] = a; return 0;") == expected


@pytest.mark.parametrize("bound", ["<", "<=", "!="])
def test_a_loop_that_counts_past_the_end_is_found(bound: str) -> None:
    found = checks(f"int t[10]; int i; for (i = 0; i {bound} 10; i++) t[i] = a; return 0;")
    assert ("buffer-overflow" in found) == (bound == "<=")


def test_a_symbolic_length_bounds_its_own_allocation() -> None:
    start = "int *p = malloc(a * sizeof(int)); int i; if (!p) return 0; "
    assert "buffer-overflow" not in checks(start + "for (i = 0; i < a; i++) p[i] = 0; free(p); return 1;")
    assert "buffer-overflow" in checks(start + "for (i = 0; i <= a; i++) p[i] = 0; free(p); return 1;")


@pytest.mark.parametrize("nesting", [1, 4, 8])
def test_nested_loops_end(nesting: int) -> None:
    body = "for (a = 0; a < 9; a++) {" * nesting + "g += a;" + "}" * nesting
    assert checks(f"{body} return g;") == set()


def test_many_independent_branches_end() -> None:
    body = "".join(f"char *p{n} = malloc(3); if (p{n}) free(p{n});" for n in range(30))
    assert checks(f"{body} return 0;") == set()


def test_recursion_in_the_scanned_code_ends() -> None:
    text = (
        "#include <stdlib.h>\nint g(char *p); int f(char *p) { return g(p); } int g(char *p) { free(p); return f(p); }"
    )
    analyse_file(FRONT_END.lower(text.encode(), "a.c", LowerLimits()))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("free(g_name); free(g_name); return 0;", {"double-free"}),
        ("free(n->name); return n->name[0];", {"use-after-free"}),
        ("free(n->name); n->name = 0; free(n->name); return 0;", set()),
        ("for (int i = 0; i < a; i++) free(t[i]); return 0;", set()),
        ("for (int i = 0; i < a; i++) free(t[i].name); return 0;", set()),
    ],
)
def test_what_is_freed_is_known_again_if_it_stays_in_its_place(body: str, expected: set[str]) -> None:
    assert checks(body, "int a, struct node *n, char **t") == expected


@pytest.mark.parametrize(
    ("body", "wraps"),
    [
        ("unsigned n = w * h; return malloc(n * 4) != 0;", True),
        ("unsigned n = w * h; if (n / w != h) return 0; return malloc(n * 4) != 0;", False),
        ("if (h > 1000000 / w) return 0; return malloc(w * h) != 0;", False),
        ("CHECK_RETURN(w > limit, -1); CHECK_RETURN(h > limit, -1); return malloc(w * h) != 0;", False),
        ("LOG(w > limit); LOG(h > limit); return malloc(w * h) != 0;", True),
    ],
)
def test_a_size_that_a_quotient_or_a_macro_checks_does_not_wrap(body: str, wraps: bool) -> None:
    assert ("allocation-overflow" in checks(body, "unsigned w, unsigned h, unsigned limit")) == wraps


@pytest.mark.parametrize("call", ["die", "xalloc_die", "error_msg_and_die", "fatal_error", "log_fatal", "my_abort"])
def test_a_function_whose_name_says_so_does_not_return(call: str) -> None:
    body = f"char *p = malloc(4); if (!p) {call}(); *p = 0; free(p); return 0;"
    assert checks(body) == set()


def test_a_function_of_the_file_returns_whatever_its_name() -> None:
    text = b"#include <stdlib.h>\nint f(void) { char *p = malloc(4); if (!p) x_die(); *p = 0; free(p); return 0; }\n"
    file = FRONT_END.lower(text + b"void x_die(void) { abort_later(malloc(1)); }\n", "a.c", LowerLimits())
    assert {item.check for item in analyse_file(file)} == {"null-dereference"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("char *p = concat_path(kept->dir, name); load_text_file(p); return 0;", {"path-traversal"}),
        ("if (!good_name(name)) return 1; char *p = concat_path(kept->dir, name); load_text_file(p); return 0;", set()),
        ("load_text_file(name); return 0;", set()),
        ("char *p = concat_path(kept->dir, name); print_label(p); return 0;", set()),
    ],
)
def test_a_path_put_together_from_a_parameter_that_nothing_tests(body: str, expected: set[str]) -> None:
    assert checks(body, "struct store *kept, const char *name") == expected


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("for (i = 0; i < a; i++, n = n->next) sum += n->value;", {"unchecked-result"}),
        ("for (i = 0; i < a; i++, n = n->next) { if (!n) break; sum += n->value; }", set()),
        ("for (i = 0; n && i < a; i++, n = n->next) sum += n->value;", set()),
        ("for (i = 0; n != 0; i++, n = n->next) sum += n->value;", set()),
    ],
)
def test_a_list_that_is_walked_by_a_count_may_end_before_it(loop: str, expected: set[str]) -> None:
    assert checks(f"int i, sum = 0; {loop} return sum;", "int a, struct node *n") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("setuid(a); return 0;", {"ignored-result"}),
        ("if (setuid(a)) return 1; return 0;", set()),
        ("int done = setuid(a); return done;", set()),
        ("switch (setuid(a)) { case 0: return 0; } return 1;", set()),
        ("while (getrandom(s, 4, 0) < 4) ; return 0;", set()),
        ("return setuid(a) ? 1 : chroot(s);", set()),
    ],
)
def test_a_result_that_matters_is_looked_at(body: str, expected: set[str]) -> None:
    assert checks(body) == expected


def test_a_function_of_the_file_that_only_exits_does_not_return() -> None:
    usage = b'void usage(int status) { printf("usage"); if (status) printf("x"); exit(status); }\n'
    text = b"#include <stdlib.h>\nint f(int a) { free(g_name); if (a) usage(1); return 0; }\n"
    twice = b"int h(int a) { if (a) { free(g_name); usage(1); } free(g_name); return 0; }\n"
    file = FRONT_END.lower(text + twice + usage, "a.c", LowerLimits())
    assert analyse_file(file) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("int t[8]; int n = 0; char *w; while ((w = next(&s))) t[n++] = *w; return t[0];", True),
        (
            "int t[8]; int n = 0; char *w; while ((w = next(&s))) { t[n++] = *w; if (n == 8) break; } return t[0];",
            False,
        ),
        ("int t[8]; int n = 0; while (n < 8) t[n++] = next(&s); return t[0];", False),
        ("int t[8]; int n = 0; for (int i = 0; i < 8; i++) t[n++] = next(&s); return t[0];", False),
    ],
)
def test_an_array_is_filled_by_a_counter_that_something_compares(body: str, found: bool) -> None:
    assert ("buffer-overflow" in checks(body)) == found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("unsigned n; if (!ReadFromServer(a, &n, 4)) return 0; n = swap32(n); return take(malloc(n));", True),
        ("unsigned n; if (!ReadFromServer(a, &n, 4)) return 0; if (n > 64) return 1; return take(malloc(n));", False),
        ("unsigned n; if (!fill_in(a, &n, 4)) return 0; n = swap32(n); return take(malloc(n));", False),
    ],
)
def test_what_a_function_reads_from_a_peer_by_its_name_comes_from_outside(body: str, expected: bool) -> None:
    assert ("outside-allocation" in checks(body)) == expected


@pytest.mark.parametrize(
    ("body", "parameters", "expected"),
    [
        ("return strchr(line, ' ') != 0;", "const char *line, size_t len", {"unmeasured-read"}),
        ("return memchr(line, ' ', len) != 0;", "const char *line, size_t len", set()),
        ("return strchr(line, ' ') != 0;", "const char *line, int flags", set()),
        ("return strchr(name, ' ') != 0;", "const char *line, size_t len, const char *name", set()),
    ],
)
def test_a_buffer_that_comes_with_its_length_is_no_text(body: str, parameters: str, expected: set[str]) -> None:
    assert checks(body, parameters) == expected


def test_a_value_that_is_compared_with_its_narrower_self_is_checked() -> None:
    body = "if (w != (unsigned short)w || h != (unsigned short)h) return 0; return malloc(w * h) != 0;"
    assert "allocation-overflow" not in checks(body, "unsigned w, unsigned h")


TEXTS = {
    "a string made of it": 'std::string c = getenv("X"); system(c.c_str());',
    "a constructor": 'std::string c(getenv("X")); system(c.c_str());',
    "a sum": 'std::string c = std::string("ls ") + getenv("X"); system(c.c_str());',
    "an addition": 'std::string c = "ls "; c += getenv("X"); system(c.c_str());',
    "append": 'std::string c("ls "); c.append(getenv("X")); system(c.c_str());',
    "a stream": 'std::ostringstream o; o << "ls " << getenv("X"); system(o.str().c_str());',
    "a line that is read": "std::string s; std::getline(std::cin, s); system(s.c_str());",
    "a word that is read": "std::string s; std::cin >> s; system(s.c_str());",
}


@pytest.mark.parametrize("name", TEXTS)
def test_objects_hold_the_text_that_is_put_into_them(name: str) -> None:
    assert found_in_cpp(TEXTS[name]) == {"command-injection"}


@pytest.mark.parametrize(
    "body",
    [
        'std::string c = "ls "; c += "-l"; system(c.c_str());',
        'std::string c = getenv("X"); c = "ls"; system(c.c_str());',
        "std::string s; std::cin >> s; std::cout << s;",
        "std::vector<int> v; v.push_back(1); int *p = &v[0]; use(p);",
        "Shape s; s.draw(); use(s);",
    ],
)
def test_objects_are_filled_by_their_constructors_and_hold_what_was_put_last(body: str) -> None:
    assert found_in_cpp(body) == set()


def found_in_cpp(body: str) -> set[str]:
    """What is reported in a C++ function with this body."""
    text = f"#include <string>\nvoid f() {{ {body} }}\n"
    file = FRONT_END.lower(text.encode(), "a.cpp", LowerLimits())
    assert not file.errors
    return {item.check for item in analyse_file(file)}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("if (p.len > sizeof(out)) return 0;", set()),
        ("if (p.len < 1) return 0;", {"outside-length"}),
        ("if (p.len > sizeof(out)) return 0; recv(a, &p, sizeof(p), 0);", {"outside-length"}),
        ("if (p.len > sizeof(out)) p.len = sizeof(out);", set()),
        ("if (p.count > 64) return 0; p.len = p.count;", {"outside-length"}),
        ("if (p.count < 0 || p.count > 64) return 0; p.len = p.count;", set()),
    ],
)
def test_a_field_of_memory_that_was_received_is_bounded_by_tests_of_it(test: str, expected: set[str]) -> None:
    record = "struct packet { unsigned len; int count; char data[256]; };\n"
    head = f"#include <sys/socket.h>\n#include <string.h>\n{record}"
    body = (
        f"struct packet p; char out[64]; recv(a, &p, sizeof(p), 0); {test} memcpy(out, p.data, p.len); return out[0];"
    )
    file = FRONT_END.lower(f"{head}int f(int a) {{ {body} }}\n".encode(), "a.c", LowerLimits())
    assert {item.check for item in analyse_file(file)} - {"ignored-result", "unmeasured-read"} == expected


BYTES = """#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <unistd.h>
struct image { uint32_t w, h; char *px; };
static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static void drop(struct image *im) { if (!im) return; free(im->px); free(im); }
int f(FILE *file, struct image *im, int fd, const char *s) { uint8_t b[8]; int n; uint32_t w, h; char t[64];
"""
FILES = {
    "if (fread(b, 8, 1, file) != 1) return -1; w = be32(b); im->px = malloc(w * 4); return 0;": {
        "integer-overflow",
        "allocation-overflow",
    },
    "if (fread(b, 8, 1, file) != 1) return -1; w = be32(b); h = be32(b + 4);"
    "if (w > 4096 || h > 4096) return -1; im->px = malloc((size_t)w * h); return 0;": set(),
    "if (fread(b, 8, 1, file) != 1) return -1; im->w = be32(b); im->h = be32(b + 4);"
    "if (im->w == 0 || im->h > 9 || im->w > 9) return -1; im->px = malloc((size_t)im->w * im->h); return 0;": set(),
    "read(fd, &n, sizeof(n)); if (n > 64) return -1; read(fd, t, n); return t[0];": {"outside-length"},
    "read(fd, &n, sizeof(n)); if (n > 64 || n < 0) return -1; read(fd, t, n); return t[0];": set(),
    "im->px = realloc(im->px, 9); if (!im->px) drop(im); return 0;": set(),
    "char *p = malloc(9); if (!p) return 1; if (!fgets(p, 9, file)) return 2; im->px = p; return 0;": {"memory-leak"},
}


@pytest.mark.parametrize("body", FILES)
def test_numbers_that_a_file_holds_are_followed_to_what_they_decide(body: str) -> None:
    file = FRONT_END.lower(f"{BYTES}{body} }}\n".encode(), "a.c", LowerLimits())
    assert not file.errors
    assert {item.check for item in analyse_file(file)} == FILES[body]


@pytest.mark.parametrize(
    ("test", "expected"),
    [("a > 9 || a < 0", set()), ("a > 10 || a < 0", {"buffer-overread"}), ("a >= 10 || a < 0", set())],
)
def test_a_test_that_lets_the_number_of_elements_pass_is_one_too_far(test: str, expected: set[str]) -> None:
    assert checks(f"static const int t[10] = {{1}}; if ({test}) return -1; return t[a];") == expected


def test_the_system_takes_back_what_a_program_holds_at_its_end() -> None:
    body = "char *p = malloc(9); if (!p) return 1; if (a) return 2; free(p); return 0;"
    text = f"#include <stdlib.h>\nint NAME(int a) {{ {body} }}\n"
    for name, found in (("main", set()), ("run", {"memory-leak"})):
        file = FRONT_END.lower(text.replace("NAME", name).encode(), "a.c", LowerLimits())
        assert {item.check for item in analyse_file(file)} == found


OPENER = """#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <unistd.h>
#include <fcntl.h>
struct s { char *user; char *token; struct s *next; };
static struct s *head;
static int table[256];
struct h { uint8_t op; uint8_t len; };
struct list { int n; char *keys[128]; };
static struct s *opened(const char *user) {
    struct s *p = malloc(sizeof *p);
    if (!p) return NULL;
    p->user = strdup(user);
    p->token = strdup(user);
    if (!p->user || !p->token) { free(p->token); free(p->user); free(p); return NULL; }
    p->next = head;
    head = p;
    return p;
}
static int filled(int fd, void *to, size_t n) {
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r <= 0) return -1;
        got += r;
    }
    return 0;
}
static void added(struct list *l, const char *key) { l->keys[l->n++] = strdup(key); }
"""
WHOLE = {
    # A helper with many ways out: what it gives back on its own ways does not blur what its caller does.
    """int f(const char *u) { struct s *p = opened(u); if (!p) goto out;
       if (strlen(u) > 32) { free(p); goto out; }
       out: free(p); return 0; }""": "double-free",
    """int f(const char *u) { struct s *p = opened(u); if (!p) goto out;
       if (strlen(u) > 32) { free(p); p = NULL; goto out; }
       out: free(p); return 0; }""": "",
    # What was read once is the same number the next time.
    """int f(int fd, char **out) { uint16_t n; if (read(fd, &n, 2) != 2) return 1;
       char *p = malloc(n); if (!p) return 1; p[n] = 0; *out = p; return 0; }""": "buffer-overflow",
    """int f(int fd, char **out) { uint16_t n; if (read(fd, &n, 2) != 2) return 1;
       char *p = malloc(n + 1); if (!p) return 1; p[n] = 0; *out = p; return 0; }""": "",
    # A small type is a bound, and every number below it may come.
    "int f(int fd) { struct h h; char t[256]; if (filled(fd, &h, sizeof h)) return 1; t[h.len] = 0; return t[0]; }": "",
    """int f(int fd) { struct h h; char t[64]; if (filled(fd, &h, sizeof h)) return 1; t[h.len] = 0; return t[0];
       }""": "buffer-overflow",
    "int f(int fd) { char k[9]; if (read(fd, k, 9) != 9) return 1; return table[(unsigned char)k[0]]; }": "",
    "int f(int fd) { char k[9]; if (read(fd, k, 9) != 9) return 1; return table[k[0]]; }": "outside-index",
    # A loop over a length may fill nothing; the array is not called unwritten for that.
    """int f(int fd) { struct h h; char k[256]; if (filled(fd, &h, sizeof h)) return 1;
       if (filled(fd, k, h.len)) return 1; return table[(unsigned char)k[0]]; }""": "",
    # What lies at some place of a record is not lost; its own count bounds its elements.
    """int f(const char *a) { struct list *l = calloc(1, sizeof *l); if (!l) return 1;
       for (int i = 0; i < 3; i++) added(l, a); free(l); return 0; }""": "",
    "int f(struct list *l) { int n = 0; for (int i = 0; i < l->n; i++) n += l->keys[i][0]; return n; }": "",
    # A text that a loop copies, and that may stay empty.
    """static char *word(void) { static char out[64]; char *p = strstr(getenv("Q"), "x"); if (!p) return NULL;
       size_t i = 0; while (p[i] && i < sizeof out - 1) { out[i] = p[i]; i++; } out[i] = 0; return out; }
       void f(void) { char *w = word(); if (w) system(w); }""": "command-injection",
    # Data told to one program is no command; told to a shell it is.
    'void f(void) { char *d = getenv("D"); execl("/bin/tar", "tar", "cf", "/b.tar", "--", d, (char *)0); }': "",
    'void f(void) { char *d = getenv("D"); execl("/bin/sh", "sh", "-c", d, (char *)0); }': "command-injection",
    # A file that must be new is none that somebody put there.
    """int f(const char *p) { if (access(p, F_OK) == 0) return 1;
       return open(p, O_WRONLY | O_CREAT | O_EXCL, 0600); }""": "",
    """int f(const char *p) { if (access(p, F_OK) == 0) return 1;
       return open(p, O_WRONLY | O_CREAT, 0600); }""": "check-then-use",
}


@pytest.mark.parametrize("text", WHOLE)
def test_programs_of_several_functions(text: str) -> None:
    file = FRONT_END.lower((OPENER + text).encode(), "a.c", LowerLimits())
    assert not file.errors
    found = {item.check for item in analyse_file(file) if ir.unpack_span(item.span)[0] > OPENER.count("\n")}
    assert found == ({WHOLE[text]} if WHOLE[text] else set())
