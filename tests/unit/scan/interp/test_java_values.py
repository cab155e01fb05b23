"""Java's collections, holders and text: what goes in comes out, and what was taken out or replaced does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]

Lines = Callable[[str, str, int], list[int]]
HEAD = """import java.io.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.function.*;
import java.util.stream.*;
import org.springframework.web.bind.annotation.*;
@RestController
public class Code {
  @GetMapping("/run")
  public String run(@RequestParam String data) throws Exception {
"""


@pytest.fixture
def runs(lines: Lines) -> Callable[[str], bool]:
    """``runs(code)``: whether Java code that has a request parameter in ``data`` runs it as a command."""
    return lambda code: bool(lines("java", f'{HEAD}{code}\nreturn "";\n}}\n}}\n', 78))


def sink(expression: str) -> str:
    return f"Runtime.getRuntime().exec({expression});"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('list.add("a"); list.add(data); x = list.get(1);', True),
        ('list.add("a"); list.add(data); x = list.get(0);', False),
        ('list.add(data); list.set(0, "a"); x = list.get(0);', False),
        ('list.add("a"); list.add(0, data); x = list.get(0);', True),
        ('list.add("a"); list.add(data); list.remove(1); x = list.toString();', False),
        ('list.add("a"); list.add(data); list.remove(data); x = list.toString();', False),
        ('list.add("a"); list.add(data); list.remove(0); x = list.get(0);', True),
        ("list.add(data); list.clear(); x = list.toString();", False),
        ('list.add(data); x = String.join(" ", list);', True),
        ('list.addAll(Arrays.asList("a", data)); x = list.get(1);', True),
        ('list.add(data); Collections.addAll(list, "a", "b"); x = list.get(2);', False),
        ('list.add("b"); list.add(data); x = list.subList(0, 1).get(0);', False),
        ("list.add(data); list.removeIf(y -> true); x = list.toString();", False),
    ],
)
def test_list_elements_keep_their_places(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = ""; List<String> list = new ArrayList<>(); {code} {sink("x")}') is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Queue<String> q = new LinkedList<>(); q.offer(data); q.offer(safe); x = q.poll();", True),
        ("Queue<String> q = new LinkedList<>(); q.offer(safe); q.offer(data); x = q.poll();", False),
        ("Deque<String> q = new ArrayDeque<>(); q.push(safe); q.push(data); x = q.pop();", True),
        ("Deque<String> q = new ArrayDeque<>(); q.push(data); q.push(safe); x = q.pop();", False),
        ("Stack<String> q = new Stack<>(); q.push(data); q.push(safe); x = q.peek();", False),
        ("Stack<String> q = new Stack<>(); q.push(data); q.push(safe); q.pop(); x = q.pop();", True),
        ("Deque<String> q = new ArrayDeque<>(); q.addLast(data); q.addLast(safe); x = q.pollLast();", False),
        ("Queue<String> q = new PriorityQueue<>(); q.add(safe); q.add(data); x = q.poll();", True),
    ],
)
def test_queues_and_stacks_have_an_order(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = "", safe = "ls"; {code} {sink("x")}') is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('map.put("a", data); map.put("b", "ls"); x = map.get("a");', True),
        ('map.put("a", data); map.put("b", "ls"); x = map.get("b");', False),
        ('map.put("a", data); map.put("a", "ls"); x = map.get("a");', False),
        ('map.put("a", data); map.remove("a"); x = map.toString();', False),
        ('map.put("a", "ls"); map.replace("a", data); x = map.get("a");', True),
        ('map.replace("a", data); x = map.toString();', False),
        ('map.put("a", "ls"); map.putIfAbsent("a", data); x = map.get("a");', False),
        ('x = map.getOrDefault("a", data);', True),
        ('map.computeIfAbsent("a", key -> data); x = map.get("a");', True),
        ('map.merge("a", "x", String::concat); map.merge("a", data, String::concat); x = map.get("a");', True),
        ('map.put("a", data); for (Map.Entry<String, String> e : map.entrySet()) x = e.getValue();', True),
        ('map.put("a", data); for (Map.Entry<String, String> e : map.entrySet()) x = e.getKey();', False),
        ('map.put(data, "a"); for (String key : map.keySet()) x = key;', True),
        ('map.put("a", data); for (String value : map.values()) x = value;', True),
    ],
)
def test_map_values_belong_to_their_keys(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = ""; Map<String, String> map = new HashMap<>(); {code} {sink("x")}') is expected


def test_a_set_from_which_the_data_was_removed_is_clean(runs: Reaches) -> None:
    start = 'Set<String> set = new HashSet<>(); set.add(data); set.add("ls");'
    assert runs(f"{start} {sink('set.iterator().next()')}")
    assert not runs(f"{start} set.remove(data); {sink('set.iterator().next()')}")


def test_an_iterator_gives_every_element(runs: Reaches) -> None:
    code = 'List<String> l = List.of("a", data); Iterator<String> i = l.iterator(); while (i.hasNext()) x = i.next();'
    assert runs(f'String x = ""; {code} {sink("x")}')
    assert not runs(f'String x = ""; {code.replace("x = i.next();", "i.next();")} {sink("x")}')


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Stream.of(data).map(s -> s.trim()).findFirst().get()", True),
        ('Stream.of(data).map(s -> "ls").findFirst().get()', False),
        ('List.of("a", data).stream().collect(Collectors.joining(" "))', True),
        ('List.of("a", "b").stream().map(s -> s + data).collect(Collectors.toList()).get(0)', True),
        ('List.of("a", data).stream().filter(s -> s.equals("a")).findFirst().get()', False),
        ("Optional.of(data).map(String::trim).orElse(null)", True),
        ('Optional.of("a").orElse(data)', False),
        ('Optional.ofNullable(null).map(v -> data).orElse("ls").toString()', False),
        ('Stream.of("a", data).skip(1).findFirst().get()', True),
        ('Stream.of("a", data).limit(1).findFirst().get()', False),
        ('Stream.of(data, "b").reduce("", (a, b) -> a + b)', True),
        ('List.of(data).stream().collect(Collectors.toMap(k -> k, v -> "ls")).get("a")', False),
    ],
)
def test_streams_and_optionals_carry_what_their_functions_give(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(sink(code)) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('new StringBuilder("ls ").append(data).toString()', True),
        ('new StringBuilder("ls ").append("-l").toString()', False),
        ('new StringBuilder(data).delete(0, 10000).append("ls").toString()', False),
        ('new StringBuilder("ls").insert(2, data).toString()', True),
        ('new StringBuilder("ls").insert(2, data).reverse().toString()', True),
        ('String.format("ls %s", data)', True),
        ("new String(data.toCharArray())", True),
        ('String.valueOf("ls".toCharArray())', False),
        ('new StringJoiner(" ").add("ls").add(data).toString()', True),
        ('"ls ".concat(data)', True),
        ('"ls".isEmpty() ? data : "ls"', False),
        ('Objects.equals("a", "b") ? data : "ls"', False),
    ],
)
def test_text_is_followed_through_builders_and_library_functions(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(sink(code)) is expected


def test_emptying_a_builder_removes_its_data(runs: Reaches) -> None:
    start = "StringBuilder b = new StringBuilder(); b.append(data);"
    assert runs(f"{start} {sink('b.toString()')}")
    assert not runs(f"{start} b.setLength(0); b.append(1); {sink('b.toString()')}")
    assert not runs(f'{start} b.replace(0, b.length(), "ls"); {sink("b.toString()")}')


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("String[] a = new String[2]; a[1] = data; String[] b = a; x = b[1];", True),
        ("String[] a = new String[2]; a[1] = data; x = a[0];", False),
        ("String[][] a = new String[1][1]; a[0][0] = data; x = a[0][0];", True),
        ('String[][] a = {{data}, {"ls"}}; x = a[1][0];', False),
        ("String[] a = {data}; String[] b = new String[1]; System.arraycopy(a, 0, b, 0, 1); x = b[0];", True),
        ('String[] a = {"ls"}; if (a.length > 3) x = data;', False),
    ],
)
def test_array_elements_keep_their_places(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = ""; {code} {sink("x")}') is expected


def test_an_index_outside_an_array_ends_the_block(runs: Reaches) -> None:
    assert not runs(f"int[] a = new int[2]; int b = a[2]; {sink('data')}")
    assert runs(f"int[] a = new int[2]; try {{ int b = a[2]; }} catch (Exception e) {{ }} {sink('data')}")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('AtomicReference<String> r = new AtomicReference<>(data); r.set("ls"); x = r.get();', False),
        ('AtomicReference<String> r = new AtomicReference<>("ls"); r.set(data); x = r.get();', True),
        ('AtomicReference<String> r = new AtomicReference<>("ls"); x = r.updateAndGet(v -> data);', True),
        ("ThreadLocal<String> r = new ThreadLocal<>(); r.set(data); x = r.get();", True),
        ("ThreadLocal<String> r = new ThreadLocal<>(); r.set(data); r.remove(); x = r.get();", False),
    ],
)
def test_holders_hold_what_was_set_last(runs: Reaches, code: str, expected: bool) -> None:
    assert runs(f'String x = ""; {code} {sink("x")}') is expected


def test_what_is_written_to_memory_can_be_read_from_it(runs: Reaches) -> None:
    write = "ByteArrayOutputStream out = new ByteArrayOutputStream(); new PrintStream(out).print({});"
    assert runs(write.format("data") + sink("out.toString()"))
    assert not runs(write.format('"ls"') + sink("out.toString()"))


def test_numbers_are_no_commands_but_characters_are(lines: Lines) -> None:
    code = HEAD.replace("String data", "TYPE data") + sink("String.valueOf(data)") + 'return "";\n}\n}\n'
    assert lines("java", code.replace("TYPE", "int"), 78) == []
    assert lines("java", code.replace("TYPE", "char"), 78)
