"""C and C++ as people write them: each weak function is told, its twin with the missing test is not."""

from __future__ import annotations

import pytest

from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file

C = {
    "the elements of a hash table, and one that is none": (
        """struct e { int n; };
int f(struct e *table) { struct e *e = NULL, *next; int s = 0; %s { s += e->n; } return s; }""",
        ("", "HASH_ITER(hh, table, e, next)"),
        "null-dereference",
    ),
    "a wrapper of vfprintf is given what a socket sent": (
        """static void logmsg(const char *fmt, ...) { va_list ap; va_start(ap, fmt); vfprintf(stderr, fmt, ap);
va_end(ap); }
void f(int fd) { char b[9]; ssize_t n = read(fd, b, 8); if (n <= 0) return; b[n] = 0; logmsg(%s); }""",
        ("b", '"%s", b'),
        "format-string",
    ),
    "a name that was freed is copied by another name": (
        """struct o { char *s; };
void f(struct o *o, char *t) { char *old = o->s; %s o->s = strdup(old); }""",
        ("free(o->s);", ""),
        "use-after-free",
    ),
    "two lengths without room for the end": (
        "char *f(const char *a, const char *b) { char *p = malloc(strlen(a) + strlen(b)%s); return p; }",
        ("", " + 1"),
        "no-room-for-nul",
    ),
    "an argument goes into the path of a socket": (
        """int main(int argc, char **argv) { struct sockaddr_un a; %s strcpy(a.sun_path, argv[1]); return 0; }""",
        ("", "if (strlen(argv[1]) >= sizeof(a.sun_path)) return 1;"),
        "unbounded-copy",
    ),
    "what a search gives is used without a test": (
        """struct p { char *n; struct p *next; };
struct p *seek(struct p *p, const char *n) { for (; p; p = p->next) if (!strcmp(p->n, n)) return p; return NULL; }
char *f(struct p *first, const char *n) { struct p *p = seek(first, n); %s return p->n; }""",
        ("", "if (!p) return 0;"),
        "unchecked-result",
    ),
    "a position that snprintf moves": (
        """void f(char **v, int c) { char b[64]; int i, n = 0;
for (i = 0; i < c; i++) { n += snprintf(b + n, sizeof(b) - n, "%%s", v[i]); %s } }""",
        ("", "if (n >= 64) break;"),
        "unclamped-position",
    ),
    "a file that was not opened is read": (
        'void f(void) { char b[8]; FILE *h = fopen("/a", "r"); %s fread(b, 1, 8, h); fclose(h); }',
        ("", "if (!h) return;"),
        "unchecked-allocation",
    ),
    "a bound that is larger than the buffer": (
        """#define MIN(a, b) ((a) < (b) ? (a) : (b))
void f(int fd) { char b[16]; unsigned n; if (read(fd, &n, 4) < 4) return; memcpy(b, g(), MIN(n, %s)); }""",
        ("17", "16"),
        "buffer-overflow",
    ),
    "a length from outside has a floor, and no ceiling": (
        """void f(int fd) { char b[16]; unsigned n; if (read(fd, &n, 4) < 4) return; memcpy(b, g(), %s); }""",
        ("max(n, 16u)", "clamp(n, 1u, 16u)"),
        "outside-length",
    ),
    "a record of an initialiser list brings data from outside along": (
        """struct r { char *p; unsigned n; };
static int take(struct r *r) { char b[16]; %s memcpy(b, r->p, r->n); return b[0]; }
int f(int fd) { char in[999]; unsigned n; read(fd, &n, sizeof(n)); struct r r = {.p = in, .n = n};
return take(&r); }""",
        ("", "if (r->n > 16) return 1;"),
        "outside-length",
    ),
    "a copy of the end of an element's text": (
        """struct e { char key[8]; }; static struct e t[4];
void f(int fd) { char in[64]; if (!fgets(in, sizeof(in), stdin)) return; %s strcpy(t[0].key, in); }""",
        ("", "if (strlen(in) >= sizeof(t[0].key)) return;"),
        "buffer-overflow",
    ),
    "an element of a table is chosen by a byte from outside": (
        """struct e { short v; }; static struct e t[8];
void f(int fd) { unsigned char i; if (read(fd, &i, 1) != 1) return; %s t[i].v = 3; }""",
        ("", "if (i >= 8) return;"),
        "buffer-overflow",
    ),
    "characters are looked at one by one": (
        """static int run(const char *a) { char c[64]; const char *q; %s snprintf(c, sizeof(c), "wc %%s", a);
return system(c); }
int main(int argc, char **argv) { return run(argv[1]); }""",
        ("", "for (q = a; *q; q++) if (!isalnum((unsigned char)*q)) return 1;"),
        "command-injection",
    ),
    "a text is rewritten where it lies": (
        """static void lower(char *s) { for (; *s; s++) *s |= 32; }
int f(int fd) { char b[64], c[99]; ssize_t n = recv(fd, b, 63, 0); if (n < 0) return 1; b[n] = 0; %s(b);
snprintf(c, sizeof(c), "id %%s", b); return system(c); }""",
        ("lower", "sanitize"),
        "command-injection",
    ),
    "a rest that only gets smaller is bounded by what it began with": (
        """static int full(int fd, char *p, unsigned long n) { while (n > 0) { ssize_t r = recv(fd, p, n, 0);
if (r <= 0) return 1;
p += r; n -= r; } return 0; }
int f(int fd) { unsigned n; char *p; if (full(fd, (char *)&n, 4)) return 1; %s p = malloc(n); if (!p) return 1;
full(fd, p, n); free(p); return 0; }""",
        ("", "if (n > 65536) return 1;"),
        "outside-length",
    ),
}
KERNEL = {
    "what one switch looks up is used in another for the same command": (
        """int f(struct args *a) { struct device *dev = NULL; struct x *x = kzalloc(8, GFP_KERNEL); kfree(x);
switch (a->cmd) { case ADD_CMD: case DEL_CMD: dev = get_by_name(a->name); if (!dev) return 1; }
switch (a->cmd) { case %s: return dev->id; } return 0; }""",
        ("SET_CMD", "DEL_CMD"),
        "null-dereference",
    ),
    "a list is freed after a label, by a loop that has read the next one": (
        """int f(struct list_head *all, int n) { struct hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL), *next;
if (!hook) return 1; if (n) { kfree(hook); goto out; } list_add(&hook->list, all); return 0;
out:
%s(hook, next, all, list) { list_del(&hook->list); kfree(hook); } return n; }""",
        ("release_hook", "list_for_each_entry_safe"),
        "use-after-free",
    ),
    "a count of a message, and an array that is shorter": (
        """struct m { u8 count; struct { u64 a; u64 b; } item[2]; };
int f(struct m *m) { char b[4]; u8 max, n = m->count; int i, sum = 0; max = %s;
for (i = 0; i < max; i++) sum += m->item[i].a; return sum; }""",
        ("n", "min_t(u8, n, 2)"),
        "buffer-overread",
    ),
    "an index that user space gives may be negative": (
        """struct d { int v[8]; };
long f(struct d *d, int *arg) { int i; if (get_user(i, arg)) return -14; if (%s i >= 8) return -22;
return d->v[i]; }""",
        ("", "i < 0 ||"),
        "outside-index",
    ),
    "a gap between fields is copied to user space": (
        """struct c { unsigned a; unsigned long b; };
long f(void *to) { struct c c; %s c.a = 1; c.b = 2; return copy_to_user(to, &c, sizeof(c)); }""",
        ("", "memset(&c, 0, sizeof(c));"),
        "uninitialised-memory",
    ),
    "an element is freed before the step to the next": (
        """struct i { int n; };
void f(struct head *h) { struct i *i;
	list_for_each_entry(i, h, node) {
		list_del(&i->node);
		kfree(i);
		%s
	}
}""",
        ("", "break;"),
        "use-after-free",
    ),
    "memory is asked for under a spinning lock": (
        """void *f(struct d *d) { void *p; spin_lock(&d->l); p = kzalloc(8, %s); spin_unlock(&d->l); return p; }""",
        ("GFP_KERNEL", "GFP_ATOMIC"),
        "sleep-in-atomic",
    ),
}
CPP = {
    "a number is read from a stream": (
        """void f(std::istream &in) { int v; while (in%s) use(v + 1); }""",
        ("", " >> v"),
        "uninitialised-variable",
    ),
    "what a constructor made an array is deleted as one": (
        """class B { public: B(int n) : d(new char[n]) {} ~B() { delete%s d; } private: char *d; };""",
        ("", "[]"),
        "mismatched-free",
    ),
    "a pointer into a string that ends with the function": (
        """%s f(int n) { std::string s = "a" + std::to_string(n); return s.c_str(); }""",
        ("const char *", "std::string"),
        "stack-address-returned",
    ),
    "a view of a string that ends with the function": (
        """std::string_view f(const std::string &t) { %s s = t; return std::string_view(s).substr(1); }""",
        ("std::string", "const std::string &"),
        "stack-address-returned",
    ),
    "the element behind the last": (
        "int f(std::vector<int> v) { return v[v.size()%s]; }",
        ("", " - 1"),
        "buffer-overread",
    ),
    "a field of fixed size is filled by a length from outside": (
        """class C { public: bool step(); private: bool fill(void *p, size_t n); int fd; char key[64]; };
bool C::fill(void *p, size_t n) { return ::recv(fd, static_cast<char *>(p), n, 0) > 0; }
bool C::step() { uint16_t n; if (!fill(&n, sizeof n)) return false; %s return fill(key, ntohs(n)); }""",
        ("", "if (ntohs(n) > sizeof key) return false;"),
        "buffer-overflow",
    ),
    "SQL of an argument in a string object": (
        """static void by(sqlite3 *db, const std::string &n) { std::string q = "select '" + n + "'";
sqlite3_exec(db, q.c_str(), 0, 0, 0); }
int main(int argc, char **argv) { std::string a = argv[1]; %s by(open_it(), a); return 0; }""",
        ("", "if (!std::regex_match(a, plain)) return 1;"),
        "sql-injection",
    ),
}
CASES = [
    (name, text, expected, table)
    for table, cases in (("a.c", C), ("k.c", KERNEL), ("a.cpp", CPP))
    for name, (text, _, expected) in cases.items()
]


def checks(text: str, name: str) -> set[str]:
    head = "#include <linux/slab.h>\n" if name == "k.c" else ""
    file = CFrontEnd().lower((head + text).encode(), name, LowerLimits())
    assert not file.errors
    found = {item.check for item in analyse_file(file)}
    assert not file.notes
    return found


@pytest.mark.parametrize(("rule", "text", "expected", "table"), CASES, ids=[case[0] for case in CASES])
def test_the_weak_one_is_told_and_its_twin_is_not(rule: str, text: str, expected: str, table: str) -> None:
    weak, safe = {"a.c": C, "k.c": KERNEL, "a.cpp": CPP}[table][rule][1]
    assert expected in checks(text % weak, table)
    assert expected not in checks(text % safe, table)


def test_a_getter_with_a_bound_is_no_search() -> None:
    text = """struct v { int n; char **items; };
char **get(struct v *v, int i) { if (i >= 0 && i < v->n) return &v->items[i]; return NULL; }
void f(struct v *v) { int i; for (i = 0; i < v->n; i++) use(*get(v, i)); }
"""
    assert "unchecked-result" not in checks(text, "a.c")


@pytest.mark.parametrize(
    "body",
    [
        "if (auto *q = find(3)) use(*q);",
        "while (auto *q = find(3)) use(*q);",
        "int a, b; std::cin >> a >> b; use(a); use(b);",
        "std::map<std::string, int> m; use(m[key]);",
    ],
)
def test_ordinary_cpp_is_quiet(body: str) -> None:
    text = f"int *find(int);\nvoid use(int);\nvoid f(const std::string &key) {{ {body} }}\n"
    assert not checks(text, "a.cpp")
