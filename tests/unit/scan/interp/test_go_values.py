"""What Go code does with data: values of structs are copied, pointers share, channels and deferred calls carry."""

from __future__ import annotations

import pytest

from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

HEAD = """package main
import ("os"; "os/exec"; "fmt"; "strings")
func run(s string) { exec.Command("sh", "-c", s).Run() }
"""
TYPES = """
type inner struct { text string }
type outer struct { inner; name string; other string }
type deep struct { a struct1 }
type struct1 struct { b struct2 }
type struct2 struct { c inner }
type named interface { Name() string }
func (o outer) Name() string { return o.name }
func (o *outer) set(s string) { o.name = s }
func (o outer) lose(s string) { o.name = s }
type quiet struct{}
func (quiet) Name() string { return "quiet" }
func two(s string) (string, string) { return "first", s }
"""


def reaches(statements: str) -> bool:
    """Whether a command-line argument in ``data`` reaches a shell."""
    main = f"func main() {{\ndata := os.Args[1]\n{statements}\n}}\n"
    return bool(flows({"main.go": HEAD + TYPES + main}))


def flows(files: dict[str, str]) -> set[str]:
    lowered = [front_end("go").lower(code.encode(), path, LowerLimits()) for path, code in files.items()]
    assert not any(file.errors for file in lowered)
    analysis = analyse(lowered, {"go": load_rules(["go"])})
    assert analysis.problems == ()
    return {flow.rule.id for flow in analysis.flows}


REACHED = {
    "text is put together": 'run("echo " + data)',
    "a format": 'run(fmt.Sprintf("echo %s", data))',
    "a field of a struct": "o := outer{name: data}\nrun(o.name)",
    "a struct in a struct in a struct": "d := deep{}\nd.a.b.c.text = data\nrun(fmt.Sprint(d))",
    "a promoted field": "o := outer{}\no.text = data\nrun(o.inner.text)",
    "a method with a pointer": "o := outer{}\no.set(data)\nrun(o.name)",
    "an interface": "var n named = outer{name: data}\nrun(n.Name())",
    "a pointer to a variable": 's := ""\np := &s\n*p = data\nrun(s)',
    "a slice that grows": 'xs := []string{}\nxs = append(xs, "a", data)\nrun(xs[1])',
    "range over a map": 'for _, v := range map[string]string{"a": data} { run(v) }',
    "the second result": "_, b := two(data)\nrun(b)",
    "a channel": "c := make(chan string, 1)\nc <- data\nrun(<-c)",
    "a goroutine that waits": "c := make(chan string)\ngo func() { run(<-c) }()\nc <- data",
    "a deferred call": 's := "a"\ndefer func() { run(s) }()\ns = data',
    "what recover gives": "defer func() { if r := recover(); r != nil { run(r.(string)) } }()\npanic(data)",
    "a builder": "var b strings.Builder\nb.WriteString(data)\nrun(b.String())",
    "a type switch": "var a any = data\nswitch t := a.(type) { case string: run(t) }",
    "a case that falls through": 's := "a"\nswitch 1 { case 1: s = data\nfallthrough\ncase 2: run(s) }',
    "a jump": 's := data\ngoto end\ns = "a"\nend:\nrun(s)',
}
NOT_REACHED = {
    "a constant": 'run("echo")',
    "the program's own name": "run(os.Args[0])",
    "another field": 'o := outer{name: data, other: "a"}\nrun(o.other)',
    "a copy of a struct": "o := outer{}\nq := o\nq.name = data\nrun(o.name)",
    "a method with a value": "o := outer{}\no.lose(data)\nrun(o.name)",
    "another implementation": "var n named = quiet{}\n_ = outer{name: data}\nrun(n.Name())",
    "another element": 'xs := []string{data, "a"}\nrun(xs[1])',
    "another key": 'm := map[string]string{"a": data, "b": "c"}\nrun(m["b"])',
    "the first result": "a, _ := two(data)\nrun(a)",
    "a variable of an inner block": 's := "a"\n{ s := data\n_ = s }\nrun(s)',
    "a number": 'var n int\nfmt.Sscanf(data, "%d", &n)\nrun(fmt.Sprintf("sleep %d", n))',
    "a case that ends": 's := "a"\nswitch 1 { case 1: s = data\ncase 2: run(s) }',
    "what was overwritten": 's := data\ns = "a"\nrun(s)',
    "an argument of a fixed program": 'exec.Command("ping", "--", data).Run()',
}


@pytest.mark.parametrize("way", REACHED)
def test_data_reaches_the_shell_by(way: str) -> None:
    assert reaches(REACHED[way])


@pytest.mark.parametrize("way", NOT_REACHED)
def test_data_does_not_reach_the_shell_by(way: str) -> None:
    assert not reaches(NOT_REACHED[way])


def test_a_connection_or_a_clock_is_no_text_of_a_caller() -> None:
    code = """package store
import ("fmt"; "time"; "database/sql")
func Count(db *sql.DB, at time.Time) { db.Query(fmt.Sprintf("SELECT %s", at)); db.Query("SELECT 1" + db.Stats().Name) }
func Find(db *sql.DB, name string) { db.Query("SELECT " + name) }
"""
    lowered = front_end("go").lower(code.encode(), "store.go", LowerLimits())
    found = analyse([lowered], {"go": load_rules(["go"])}).library
    assert [(flow.rule.id, flow.span >> 36) for flow in found] == [("go-sql-injection", 4)]


def test_the_files_of_a_folder_are_one_package() -> None:
    helper = """package main
import "os/exec"
type job struct { line string }
func run(j *job) { exec.Command("sh", "-c", j.line).Run() }
"""
    main = """package main
import "os"
func (j *job) start() { run(j) }
func main() { j := &job{line: os.Args[1]}
j.start() }
"""
    assert flows({"cmd/helper.go": helper, "cmd/main.go": main}) == {"go-command-injection"}


def test_a_package_of_the_program_is_found_by_its_import_path_and_its_declared_name() -> None:
    shell = 'package shell\nimport "os/exec"\nfunc Run(s string) { exec.Command("sh", "-c", s).Run() }\n'
    main = 'package main\nimport ("os"; "example.com/app/internal/sh")\nfunc main() { shell.Run(os.Args[1]) }\n'
    assert flows({"internal/sh/run.go": shell, "main.go": main}) == {"go-command-injection"}


def test_a_handler_that_is_given_back_is_looked_at() -> None:
    code = """package web
import ("database/sql"; "net/http")
func users(db *sql.DB) http.HandlerFunc {
    return func(w http.ResponseWriter, r *http.Request) { db.Query("SELECT " + r.FormValue("x")) }
}
"""
    assert flows({"web.go": code}) == {"go-sql-injection"}


WEB = """package web
import ("database/sql"; "net/http"; "os"; "os/exec"; "path/filepath"; "strings")
var db *sql.DB
var open bool
var mode string
type server struct { db *sql.DB; open bool; mode string }
type store interface { keep(s string) error }
type front struct { store store }
type disk struct { db *sql.DB }
func (d *disk) keep(s string) error { _, err := d.db.Exec("INSERT " + s); return err }
func run(s string) { exec.Command("sh", "-c", s).Run() }
"""
SET_ELSEWHERE = {
    "a connection of the package": ("", 'db.Query("SELECT " + data)', "go-sql-injection"),
    "a connection in a field": ("(s *server) ", 'if s.db != nil { s.db.Query("SELECT " + data) }', "go-sql-injection"),
    "a switch of the package": ("", "if open { run(data) }", "go-command-injection"),
    "a switch in a field": ("(s server) ", "if s.open { run(data) }", "go-command-injection"),
    "what implements a field's interface": ("(f front) ", "f.store.keep(data)", "go-sql-injection"),
    "a text of the package": ("", 'if mode == "shell" { run(data) }', "go-command-injection"),
    "a text in a field": ("(s *server) ", 'switch s.mode { case "shell": run(data) }', "go-command-injection"),
}


@pytest.mark.parametrize("name", SET_ELSEWHERE)
def test_what_begins_as_zero_has_been_set_when_a_handler_runs(name: str) -> None:
    receiver, body, rule = SET_ELSEWHERE[name]
    handler = f'func {receiver}serve(w http.ResponseWriter, r *http.Request) {{ data := r.FormValue("x")\n{body} }}\n'
    assert flows({"web.go": WEB + handler}) == {rule}


PATHS = {
    'os.Remove(filepath.Join("/srv", data))': True,
    'p := filepath.Join("/srv", data)\nif !strings.HasPrefix(p, "/srv/") { return }\nos.Remove(p)': False,
    'p := "/srv/" + data\nif !strings.HasPrefix(p, "/srv/") { return }\nos.Remove(p)': True,
    'p := filepath.Join("/srv", data)\nif strings.HasPrefix(p, "/srv/") { return }\nos.Remove(p)': True,
    'os.Remove(filepath.Join("/srv", filepath.Clean("/" + data)))': False,
    "os.Remove(filepath.Clean(data))": True,
    'p := filepath.Clean(data)\nif strings.HasPrefix(p, "..") { return }\nos.Remove(filepath.Join("/srv", p))': False,
    'if strings.HasPrefix(data, "..") { return }\nos.Remove(filepath.Join("/srv", data))': True,
}


@pytest.mark.parametrize("body", PATHS)
def test_a_path_stays_below_a_folder_where_that_is_tested(body: str) -> None:
    handler = f'func serve(w http.ResponseWriter, r *http.Request) {{ data := r.FormValue("x")\n{body} }}\n'
    assert flows({"web.go": WEB + handler}) == ({"go-path-traversal"} if PATHS[body] else set())


TESTED = """package web
import ("errors"; "net/http"; "net/url"; "os"; "os/exec"; "path/filepath"; "regexp"; "slices"; "strconv"; "strings")
var word = regexp.MustCompile(`^[a-z0-9]+$`)
var loose = regexp.MustCompile(`[a-z0-9]+`)
var allowed = map[string]bool{"name": true, "date": true}
var list = []string{"a", "b"}
func run(s string) { exec.Command("sh", "-c", s).Run() }
func check(s string) error { if !word.MatchString(s) { return errors.New("bad") }
return nil }
func open(s string) error { if s == "" { return errors.New("bad") }
return nil }
"""
TESTS = {
    "a pattern from end to end": ("if !word.MatchString(data) { return }", False),
    "a pattern somewhere in the text": ("if !loose.MatchString(data) { return }", True),
    "a pattern and an error": ('if ok, _ := regexp.MatchString("^[a-z]+$", data); !ok { return }', False),
    "the keys of a map": ("if !allowed[data] { return }", False),
    "what is no key of a map": ("if allowed[data] { return }", True),
    "the second result of a look-up": ("if _, ok := allowed[data]; !ok { return }", False),
    "a list": ("if !slices.Contains(list, data) { return }", False),
    "the cases of a switch": ('switch data {\ncase "a", "b":\ndefault: return }', False),
    "a case without an end": ('switch data {\ncase "a", "b":\ndefault: }', True),
    "a number that could be read": ("if _, err := strconv.Atoi(data); err != nil { return }", False),
    "a number that could not be read": ("if _, err := strconv.Atoi(data); err == nil { return }", True),
    "a function that gives an error": ("if err := check(data); err != nil { return }", False),
    "a function that looks at something else": ("if err := open(data); err != nil { return }", True),
}


def reported(body: str) -> set[str]:
    handler = f'func serve(w http.ResponseWriter, r *http.Request) {{ data := r.FormValue("x")\n{body} }}\n'
    return flows({"web.go": TESTED + handler})


@pytest.mark.parametrize("test", TESTS)
def test_text_that_passed_a_test_is_what_the_test_lets_through(test: str) -> None:
    code, reached = TESTS[test]
    assert reported(f"{code}\nrun(data)") == ({"go-command-injection"} if reached else set())


HOSTS = {
    "if err != nil || !allowed[u.Host] { return }": False,
    'if err != nil || u.Hostname() != "example.com" { return }': False,
    'if err != nil || !strings.HasSuffix(u.Hostname(), ".example.com") { return }': False,
    'if err != nil || !strings.HasSuffix(u.Hostname(), "example.com") { return }': True,
    'if err != nil || u.Scheme != "https" { return }': True,
}


@pytest.mark.parametrize("test", HOSTS)
@pytest.mark.parametrize("target", ["u.String()", "data"])
def test_an_address_whose_host_is_known_leads_nowhere_else(test: str, target: str) -> None:
    body = f"u, err := url.Parse(data)\n{test}\nhttp.Get({target})"
    assert reported(body) == ({"go-request-forgery"} if HOSTS[test] else set())


def test_an_address_is_known_in_the_case_of_a_switch() -> None:
    body = "u, err := url.Parse(data)\nif err != nil { return }\nswitch u.Hostname() {\n%s: http.Get(u.String()) }"
    assert reported(body % 'case "a.example.com", "b.example.com"') == set()
    assert reported(body % 'case "a.example.com":\ndefault') == {"go-request-forgery"}


def test_a_path_that_is_relative_to_a_folder_stays_in_it() -> None:
    path = 'p := filepath.Join("/srv", data)\nrel, err := filepath.Rel("/srv", p)\n'
    assert reported(path + 'if err != nil || strings.HasPrefix(rel, "..") { return }\nos.Remove(p)') == set()
    assert reported(path + "if err != nil { return }\nos.Remove(p)" + "\n_ = rel") == {"go-path-traversal"}


def test_only_what_may_be_a_page_can_hold_script() -> None:
    write = 'w.Write([]byte("<p>" + data))'
    for kind, page in (
        ("text/html", True),
        ("application/json", False),
        ("image/svg+xml", True),
        ("text/plain", False),
    ):
        found = reported(f'w.Header().Set("Content-Type", "{kind}")\n{write}')
        assert found == ({"go-cross-site-scripting"} if page else set()), kind


GRPC = """package server
import ("context"; "os"; "example.com/app/gen")
type server struct { %s }
func (s *server) Read(ctx context.Context, req *gen.ReadRequest) ([]byte, error) {
    return os.ReadFile("/srv/" + req.GetName()) }
"""


def test_a_method_of_a_grpc_server_gets_what_a_client_sent() -> None:
    assert flows({"server.go": GRPC % "gen.UnimplementedFilesServer"}) == {"go-path-traversal"}
    assert flows({"server.go": GRPC % "root string"}) == set()


def test_the_name_of_an_upload_is_no_path_but_its_text_is_what_the_client_sent() -> None:
    upload = '_, h, err := r.FormFile("f")\nif err != nil { return }\n'
    assert reported(upload + 'os.Remove("/srv/" + h.Filename)') == set()
    assert reported(upload + "run(h.Filename)") == {"go-command-injection"}


def test_a_package_imported_without_a_name_has_the_name_that_it_declares() -> None:
    code = """package auth
import ("os/exec"; mqtt "github.com/eclipse/paho.mqtt.golang")
func Serve(m mqtt.Message) { exec.Command("sh", "-c", string(m.Payload())).Run() }
"""
    assert flows({"auth.go": code}) == {"go-command-injection"}
    assert flows({"auth.go": code.replace("; mqtt ", "; ")}) == {"go-command-injection"}


def test_a_decoder_sets_numbers_and_switches_too() -> None:
    decode = "var in struct { N int; On bool; Name string }\njson.NewDecoder(r.Body).Decode(&in)\n"
    for test in ("in.N > 0", "in.On"):
        code = TESTED.replace('"errors";', '"errors"; "encoding/json";')
        body = f"{decode}if {test} {{ run(in.Name) }}"
        handler = f"func serve(w http.ResponseWriter, r *http.Request) {{ {body} }}\n"
        assert flows({"web.go": code + handler}) == {"go-command-injection"}, test
        size = handler.replace("run(in.Name)", "_ = make([]int, in.N)")
        assert flows({"web.go": code + size}) == {"go-unbounded-allocation"}, test


HANDLERS = """package main
import ("database/sql"; "net/http"; "os"; "path/filepath"; "strings")
type files struct { root string }
func (f files) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(f.root, name)) }
func (f files) below(name string) ([]byte, error) {
    p := filepath.Join(f.root, name)
    if p != f.root && !strings.HasPrefix(p, f.root + "/") { return nil, nil }
    return os.ReadFile(p)
}
func (f files) named(name string) ([]byte, error) {
    if strings.ContainsAny(name, "/\\\\") || name == ".." { return nil, nil }
    return os.ReadFile(filepath.Join(f.root, name))
}
func start(root string) {
    fs := files{root: root}
    db, _ := sql.Open("pg", os.Getenv("DSN"))
    http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { BODY })
}
"""
INNER = {
    'b, _ := fs.read(r.FormValue("n")); w.Write(b)': {"go-path-traversal"},  # a file's content is not its name
    'b, _ := fs.below(r.FormValue("n")); w.Write(b)': set(),
    'b, _ := fs.named(r.FormValue("n")); w.Write(b)': set(),
    'db.Query("select " + r.FormValue("n"))': {"go-sql-injection"},
}


@pytest.mark.parametrize("body", INNER)
def test_an_inner_function_knows_the_types_of_the_variables_around_it(body: str) -> None:
    assert flows({"main.go": HANDLERS.replace("BODY", body)}) == INNER[body]


TABLES = """package main
import ("bufio"; "net"; "os/exec")
type handler func(args string) error
func serve(conn net.Conn, table map[string]handler) {
    lines := bufio.NewScanner(conn)
    for lines.Scan() { CALL }
}
func main() {
    l, _ := net.Listen("tcp", ":1")
    c, _ := l.Accept()
    go serve(c, map[string]handler{"sh": func(args string) error { return exec.Command("sh", "-c", ARG).Run() }})
}
"""


@pytest.mark.parametrize("call", ['table["sh"](lines.Text())', "h := table[lines.Text()]; h(lines.Text())"])
def test_a_table_of_functions_is_followed_into_the_function_that_is_given_it(call: str) -> None:
    text = TABLES.replace("CALL", call)
    assert flows({"main.go": text.replace("ARG", "args")}) == {"go-command-injection"}
    assert flows({"main.go": text.replace("ARG", '"ls"')}) == set()


SHELL = 'package lib\nimport "os/exec"\nfunc Run(s string) { exec.Command("sh", "-c", s).Run() }\n'


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("", "acme.io/tool/lib"),
        ("services/tool/", "acme.io/tool/lib"),
        ("services/tool/", "tool/lib"),
        ("backend/", "github.com/acme/tool/lib"),
        ("backend/", "github.com/acme/tool/v2/lib"),
    ],
)
def test_packages_of_a_module_are_found_wherever_in_the_tree_it_lies(folder: str, path: str) -> None:
    main = f'package main\nimport ("os"; "{path}")\nfunc main() {{ lib.Run(os.Args[1]) }}\n'
    assert flows({f"{folder}main.go": main, f"{folder}lib/lib.go": SHELL})


def test_modules_beside_each_other_keep_their_packages_apart() -> None:
    main = 'package main\nimport ("os"; "{0}/lib"; "{0}/more")\nfunc main() {{ lib.Run(os.Args[1]); more.Do() }}\n'
    more = "package more\nfunc Do() {}\n"
    quiet = "package lib\nfunc Run(s string) {}\n"
    files = {
        "a/main.go": main.format("acme.io/a"),
        "a/lib/lib.go": quiet,
        "a/more/more.go": more,
        "b/main.go": main.format("acme.io/b"),
        "b/lib/lib.go": quiet,
        "b/more/more.go": more,
        "c/lib/lib.go": SHELL,
    }
    assert not flows(files)


def test_a_package_of_go_itself_is_none_of_the_program() -> None:
    head = 'package main\nimport ("os"; "text/template"; "acme.io/a/lib")\n'
    main = head + 'func main() { lib.Run(""); template.Run(os.Args[1]) }\n'
    files = {
        "a/main.go": main,
        "a/lib/lib.go": SHELL,
        "a/template/t.go": SHELL.replace("package lib", "package template"),
    }
    assert not flows(files)


KEEPING = """package main
import ("context"; "net/http"; "os/exec"; "github.com/gin-gonic/gin"; "github.com/gofiber/fiber/v2")
type key struct{}
type other struct{}
func run(s string) { exec.Command("sh", "-c", s).Run() }
"""


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ('func a(c *gin.Context) { c.Set("t", c.Query("t")) }\nfunc b(c *gin.Context) { run(c.GetString("t")) }', True),
        (
            'func a(c *gin.Context) { c.Set("t", c.Query("t")) }\nfunc b(c *gin.Context) { run(c.GetString("u")) }',
            False,
        ),
        (
            'func a(c *fiber.Ctx) { c.Locals("t", c.Get("T")) }\nfunc b(c *fiber.Ctx) { run(c.Locals("t").(string)) }',
            True,
        ),
        (
            """func a(h http.Handler, w http.ResponseWriter, r *http.Request) {
h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, r.Header.Get("T"))))
}
func b(w http.ResponseWriter, r *http.Request) { s, _ := r.Context().Value(%s{}).(string); run(s) }""",
            True,
        ),
    ],
)
def test_what_one_handler_keeps_another_reads(statements: str, told: bool) -> None:
    if "%s" in statements:
        assert not flows({"main.go": KEEPING + statements % "other"})
        statements = statements % "key"
    assert bool(flows({"main.go": KEEPING + statements})) == told
