"""Java's classes, lambdas, threads and reflection: which code runs, on which object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[..., bool]

Lines = Callable[[str, str, int], list[int]]
HEAD = """import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import org.springframework.web.bind.annotation.*;
@RestController
public class Code {
  @GetMapping("/run")
  public String run(@RequestParam String data) throws Exception {
"""


@pytest.fixture
def runs(lines: Lines) -> Callable[..., bool]:
    """``runs(code, members)``: whether Java code runs the request parameter ``data`` as a command."""
    return lambda code, members="": bool(lines("java", f'{HEAD}{code}\nreturn "";\n}}\n{members}\n}}\n', 78))


def sink(expression: str) -> str:
    return f"Runtime.getRuntime().exec({expression});"


def test_the_class_of_an_object_decides_which_method_runs(runs: Reaches) -> None:
    members = """interface Shape { String name(String s); }
    static class Plain implements Shape { public String name(String s) { return s; } }
    static class Fixed implements Shape { public String name(String s) { return "ls"; } }"""
    assert runs(f"Shape s = new Plain(); {sink('s.name(data)')}", members)
    assert not runs(f"Shape s = new Fixed(); {sink('s.name(data)')}", members)


def test_overloads_are_told_apart_by_the_types_of_their_arguments(runs: Reaches) -> None:
    members = """static class A {} static class B {}
    static String f(A a, String s) { return s; }
    static String f(B b, String s) { return "ls"; }"""
    assert runs(sink("f(new A(), data)"), members)
    assert not runs(sink("f(new B(), data)"), members)


def test_super_names_fields_of_the_same_object(runs: Reaches) -> None:
    members = """static abstract class Base { protected String text; }
    static class Sub extends Base { void set(String s) { super.text = s; } String get() { return super.text; } }"""
    assert runs(f"Sub s = new Sub(); s.set(data); {sink('s.get()')}", members)
    assert not runs(f'Sub s = new Sub(); s.set("ls"); {sink("s.get()")}', members)


def test_an_inner_class_sees_the_fields_of_its_outer_object(runs: Reaches) -> None:
    members = """static class Outer { String text; Outer(String s) { text = s; }
      class Inner { String get() { return Outer.this.text; } }
      Inner inner() { return new Inner(); } }"""
    assert runs(sink("new Outer(data).inner().get()"), members)
    assert runs(f"Outer o = new Outer(data); {sink('o.new Inner().get()')}", members)
    assert not runs(f'Outer o = new Outer("ls"); {sink("o.new Inner().get()")}', members)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Function<String, String> f = s -> s; x = f.apply(data);", True),
        ('Function<String, String> f = s -> "ls"; x = f.apply(data);', False),
        ("Supplier<String> f = () -> data; x = f.get();", True),
        ("BiFunction<String, String, String> f = (a, b) -> a; x = f.apply(data, x);", True),
        ("BiFunction<String, String, String> f = (a, b) -> b; x = f.apply(data, x);", False),
        ('Function<String, String> f = s -> s; x = f.andThen(s -> "ls").apply(data);', False),
        ("Function<String, String> f = s -> s; x = f.andThen(s -> s + x2).apply(data);", True),
        ("Function<String, String> f = String::trim; x = f.apply(data);", True),
        (
            "var f = new Function<String, String>() { public String apply(String s) { return s; } };x = f.apply(data);",
            True,
        ),
    ],
)
def test_functional_interfaces_run_what_they_hold(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = "", x2 = ""; {code} {sink("x")}') is expected


def test_a_reference_to_a_private_method_can_be_passed_on(runs: Reaches) -> None:
    members = """static void pass(Consumer<String> c, String s) { c.accept(s); }
    private static void use(String s) { try { Runtime.getRuntime().exec(s); } catch (Exception e) { } }"""
    assert runs("pass(Code::use, data);", members)
    assert not runs('pass(Code::use, "ls");', members)


@pytest.mark.parametrize(
    "start",
    [
        "new Thread(() -> { BODY }).start();",
        "new Thread(new Runnable() { public void run() { BODY } }).start();",
        "new Task(data).start();",
        "Executors.newFixedThreadPool(1).submit(() -> { BODY });",
        "CompletableFuture.runAsync(() -> { BODY });",
    ],
)
def test_tasks_run_when_they_are_started(runs: Reaches, start: str) -> None:
    body = "try { Runtime.getRuntime().exec(data); } catch (Exception e) { }"
    members = """static class Task extends Thread { String s; Task(String s) { this.s = s; }
    public void run() { try { Runtime.getRuntime().exec(s); } catch (Exception e) { } } }"""
    assert runs(start.replace("BODY", body), members)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CompletableFuture.supplyAsync(() -> data).thenApply(s -> s.trim()).get()", True),
        ('CompletableFuture.supplyAsync(() -> data).thenApply(s -> "ls").get()', False),
        ("Executors.newCachedThreadPool().submit(() -> data).get()", True),
        ('Executors.newCachedThreadPool().submit(() -> "ls").get()', False),
    ],
)
def test_futures_give_what_their_task_returned(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(sink(code)) is expected


@pytest.mark.parametrize(("name", "expected"), [("same", True), ("fixed", False)])
def test_reflection_on_known_names_runs_the_named_method(runs: Reaches, name: str, expected: bool) -> None:
    members = """public static String same(String s) { return s; }
    public static String fixed(String s) { return "ls"; }"""
    code = f'Object r = Code.class.getMethod("{name}", String.class).invoke(null, data); {sink("(String) r")}'
    assert runs(code, members) is expected


def test_what_is_no_object_is_null(runs: Reaches) -> None:
    assert not runs(f"if (!(data instanceof Object)) {sink('data')}")
    assert not runs(f"if (null instanceof String) {sink('data')}")


def test_assertions_do_not_protect_because_they_are_usually_off(runs: Reaches) -> None:
    assert runs(f'assert data.matches("[a-z]+"); {sink("data")}')
    assert not runs(f'if (data.matches("[a-z]+")) {sink("data")}')


def test_a_relative_program_name_is_no_injection(runs: Reaches) -> None:
    assert not runs(sink('"ls"'))


def test_a_class_that_extends_a_collection_is_one(runs: Reaches) -> None:
    code = 'List<String> l = new ArrayList<String>() {{ add("ls"); add(data); }};'
    assert runs(f"{code} {sink('l.get(1)')}")
    assert not runs(f"{code} {sink('l.get(0)')}")


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("if (!file.getCanonicalFile().toPath().startsWith(root)) throw new Exception();", False),
        ("if (!file.toPath().normalize().startsWith(root)) throw new Exception();", False),
        ("String p = file.getCanonicalPath(); if (!p.startsWith(root)) throw new Exception();", False),
        ("if (!file.exists()) throw new Exception();", True),
        ("String p = file.getPath(); if (!p.startsWith(root)) throw new Exception();", True),
    ],
)
def test_a_canonical_path_below_a_folder_stays_there(lines: Lines, check: str, expected: bool) -> None:
    code = f"""import java.io.*;
import java.util.zip.*;
public class Unpack {{
  public void unpack(ZipEntry entry, File root) throws Exception {{
    File file = new File(root, entry.getName());
    {check}
    new FileOutputStream(file);
  }}
}}
"""
    assert (7 in lines("java", code, 22)) is expected


LAYERS = """private Service service; private Names names = new Names();
    interface Service { Object add(String s); }
    static class Implementation implements Service {
      private final Store store;
      private final String tool = "tool ";
      Implementation(Store store) { this.store = store; }
      public Object add(String s) { return %s; }
      private Object own(String s) { return store.insert(tool, s); }
    }
    static class Store { Object insert(String tool, String s) { Runtime.getRuntime().exec(tool + s); return ""; } }
    static class Names { Object insert(String tool, String s) { return tool; } }"""


@pytest.mark.parametrize("body", ["store.insert(tool, s)", "own(s)", "this.store.insert(this.tool, s)"])
def test_behind_an_interface_the_implementation_knows_its_own_fields_and_methods(runs: Reaches, body: str) -> None:
    assert runs("service.add(data);", LAYERS % body)
    assert not runs('service.add("ls");', LAYERS % body)
    assert not runs("names.insert(data, data);", LAYERS % body)


def test_an_interface_that_gathers_others_leads_to_those_who_implement_them(runs: Reaches) -> None:
    members = """@Autowired private Everything all;
    interface Search { void find(String s) throws Exception; }
    interface Everything extends java.util.RandomAccess, Search { }
    static class SearchImpl implements Search {
      private final Runtime os = Runtime.getRuntime();
      public void find(String s) throws Exception { this.os.exec("ls " + s); }
    }"""
    assert runs("all.find(data);", members)
    assert not runs('all.find("x");', members)


def test_a_tested_component_of_a_record_is_what_the_test_lets_through(runs: Reaches) -> None:
    record = 'record Query(String text, String sort) { }\nstatic final Set<String> OK = Set.of("a");'
    check = "Query q = new Query(data, data); if (!OK.contains(q.sort())) return null;"
    assert not runs(f"{check} {sink('q.sort()')}", record)
    assert runs(f"{check} {sink('q.text()')}", record)


def test_an_element_that_is_declared_a_number_is_one(runs: Reaches) -> None:
    build = "StringBuilder b = new StringBuilder(); for (%s x : data) { b.append(x).append(','); }"
    assert runs(f"{build % 'Object'} {sink('b.toString()')}")
    assert not runs(f"{build % 'Long'} {sink('b.toString()')}")


JAXRS = """package users;
import jakarta.ws.rs.*;
import jakarta.ws.rs.core.*;
import lombok.extern.slf4j.Slf4j;
@Slf4j
@Path("/users")
public class Users {
  @GET public Response one(@QueryParam("name") String name) throws Exception {
    BODY
    return Response.ok().build();
  }
}
"""


def test_handlers_are_known_where_several_packages_of_the_framework_are_imported_whole(lines: Lines) -> None:
    assert lines("java", JAXRS.replace("BODY", sink("name")), 78) == [9]


def test_a_logger_that_lombok_adds_is_one(lines: Lines) -> None:
    assert lines("java", JAXRS.replace("BODY", 'log.info("user {}", name);'), 117) == [9]
    assert lines("java", JAXRS.replace("BODY", 'log.info("user");').replace("@Slf4j\n", ""), 117) == []


ADDRESS = """import java.net.*; import java.util.Set;
import org.springframework.web.bind.annotation.*;
@RestController
public class Code {
  static final Set<String> OK = Set.of("a.example.org");
  @GetMapping("/run") public Object run(@RequestParam String u) throws Exception {
    URI p = URI.create(u); String h = p.getHost();
    TEST
    return new URL(u).openStream();
  }
}
"""
ADDRESSES = {
    'if (!"a.example.org".equals(p.getHost())) return null;': False,
    "if (!OK.contains(new URL(u).getHost())) return null;": False,
    "if (h == null || !OK.contains(h)) throw new IllegalArgumentException();": False,
    'if (!"https".equals(p.getScheme())) return null;': True,
    "if (h == null) return null;": True,
}


@pytest.mark.parametrize("check", ADDRESSES)
def test_an_address_whose_host_was_allowed_leads_there(lines: Lines, check: str) -> None:
    assert bool(lines("java", ADDRESS.replace("TEST", check), 918)) is ADDRESSES[check]


ROUTES = """import static spark.Spark.*;
import spark.Request;
public class Code {
  public static void main(String[] args) {
    get("/run", (req, res) -> { Runtime.getRuntime().exec(ARG); return "done"; });
  }
}
"""


def test_static_imports_on_demand_bring_the_functions_of_a_class(lines: Lines) -> None:
    assert lines("java", ROUTES.replace("ARG", 'req.queryParams("x")'), 78) == [5]
    assert lines("java", ROUTES.replace("ARG", "args[0]"), 78) == [5]
    assert lines("java", ROUTES.replace("ARG", '"ls"').replace('"ls"', 'new String[] {"/bin/ls"}'), 78) == []


TABLE = """import java.util.*;
import javax.servlet.http.*;
public class Code extends HttpServlet {
  interface Step { void apply(Deque<String> args) throws Exception; }
  private final Map<String, Step> steps = new HashMap<>();
  Code() {
    steps.put("run", a -> Runtime.getRuntime().exec(a.pop()));
    steps.put("list", this::list);
  }
  void list(Deque<String> a) throws Exception { Runtime.getRuntime().exec(new String[] {"/bin/ls"}); }
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws Exception {
    Deque<String> args = new ArrayDeque<>(Arrays.asList(request.getParameter("x").split(" ")));
    Step step = steps.get(args.pop());
    if (step != null) step.apply(args);
  }
}
"""


def test_what_a_constructor_puts_into_a_table_is_what_the_handler_calls(lines: Lines) -> None:
    assert lines("java", TABLE, 78) == [7]
