"""Java control flow that decides wrongly: sign-in steps behind values the caller chooses, connections that nobody
signed in on, loops that cannot end, generators that are seeded with what others know.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments, everything, facts_of, walk, written
from glasshouse.scan.detect.mentions import mentions_of
from glasshouse.scan.detect.secrets import is_placeholder

_CALLS = (ir.CALL, ir.CALL_METHOD)
_LEAVING = (ir.RETURN, ir.RAISE)
_SIGN_IN = re.compile(
    r"log_?[io]n(?!g)|logged_?[io]n|sign_?in|authenticat|authoriz|[a-z]Auth$|^auth$|grant|permission|privilege",
    re.IGNORECASE,
)
_ASKING = re.compile(r"(is|has|get|can|set|find|on|to|add|put|build|create|new|with)(?=[A-Z_]|$)")
_CALLER_SAYS = frozenset({"getParameter", "getHeader", "getCookies", "getQueryString"})
_EQUAL = frozenset({"equals", "equalsIgnoreCase", "contentEquals"})
_LISTENERS = ("ServerSocket", "ServerSocketChannel", "SSLServerSocket")
_CLOCK = frozenset({"currentTimeMillis", "nanoTime", "getTime", "now", "toEpochMilli", "hashCode"})
_CONVERSIONS = frozenset(
    {
        "toString",
        "valueOf",
        "toByteArray",
        "getBytes",
        "longValue",
        "intValue",
        "parseLong",
        "parseInt",
        "array",
        "putLong",
    }
)
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|token|secret|otp$|nonce|salt|session_?id|(activation|reset|api|access|auth|private|signing)_?(key|code)"
    r"|series|verification_?code|csrf|captcha",
    re.IGNORECASE,
)
_GUESSABLE = frozenset({"RandomStringUtils", "Random", "Math", "ThreadLocalRandom", "random", "current"})
_PASSWORD = re.compile(r"(^|_|[a-z](?=P))(passw(or)?d|pwd|passphrase)$", re.IGNORECASE)
_MIN_PASSWORD = 4  # characters
_DRAWS = re.compile(r"next[A-Z]\w*|ints|longs|doubles|generateSeed")


# --- decisions on what the caller says ------------------------------------------------------------------------------
def find_untrusted_decisions(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """A sign-in or permission step that runs in one branch of a test of caller-chosen data, and not in the other."""
    mentions = mentions_of(file)
    steps = {name for name in mentions.called if _signs_in(name)}
    if not steps:
        return
    seen: set[int] = set()
    for index in mentions.having(ir.IF):
        if not mentions.words[index].isdisjoint(steps):
            hits = _bypasses(facts_of(file), index, file.functions[index].body, {}, 0)
            yield from (hit for hit in hits if _first(seen, hit.span))


def _first(seen: set[int], span: int) -> bool:
    new = span not in seen
    seen.add(span)
    return new


@functools.lru_cache(maxsize=65536)
def _signs_in(name: str) -> bool:
    return _SIGN_IN.search(name) is not None and _ASKING.match(name) is None


def _steps(block: ir.Block) -> dict[str, list[int]]:
    """Sign-in steps in a block: method name to places."""
    found: dict[str, list[int]] = {}
    for instr, _ in walk(block):
        if instr[0] == ir.CALL_METHOD and _signs_in(str(instr[4])):
            found.setdefault(str(instr[4]), []).append(instr[1])
        elif instr[0] == ir.CALL and isinstance(instr[3], str) and _signs_in(instr[3]):
            found.setdefault(instr[3], []).append(instr[1])
    return found


def _leaves(block: ir.Block) -> bool:
    return bool(block) and block[-1][0] in _LEAVING


def _bypasses(facts: Facts, function: int, block: ir.Block, after: dict[str, list[int]], depth: int) -> Iterator[Hit]:
    """``after``: the steps that follow the block."""
    if depth > 40:
        return
    rest = dict(after)
    waiting: list[tuple[ir.Instr, dict[str, list[int]]]] = []
    for instr in reversed(block):
        if instr[0] in (ir.IF, ir.TRY, ir.LOOP, ir.FOREACH, ir.BLOCK):
            waiting.append((instr, rest))
        own = _steps([instr])
        if own:
            rest = {name: [*own.get(name, ()), *rest.get(name, ())] for name in {*own, *rest}}
    for instr, following in reversed(waiting):
        if instr[0] == ir.IF:
            yield from _branches(facts, function, instr, following)
        for field in instr[2:]:
            if isinstance(field, list) and field and isinstance(field[0], list) and isinstance(field[0][0], int):
                yield from _bypasses(facts, function, field, following, depth + 1)


def _branches(facts: Facts, function: int, instr: ir.Instr, after: dict[str, list[int]]) -> Iterator[Hit]:
    sides = []
    for block in (instr[3], instr[4]):
        own = _steps(block)
        follow = {} if _leaves(block) else after
        sides.append((own, {name: len(own.get(name, ())) + len(follow.get(name, ())) for name in {*own, *follow}}))
    names = [name for own, _ in sides for name in own if sides[0][1].get(name, 0) != sides[1][1].get(name, 0)]
    if not names:
        return
    compared = _compared_constant(facts, function, instr[2])
    if compared is None or any(compared.lower() in name.lower() for name in names):
        return
    for own, _ in sides:
        for name in names:
            for span in own.get(name, ()):
                yield Hit(span, function, {"name": name, "sink": name, "source": "data from outside"})


def _compared_constant(facts: Facts, function: int, cond: ir.Operand) -> str | None:
    """The constant that caller-chosen data is compared with in a condition."""
    for origin in facts.origins(function, cond, _logic):
        site = origin.site
        if site is None:
            continue
        instr = site.instr
        if instr[0] == ir.BINOP and instr[3] in ("==", "!="):
            pair = [instr[4], instr[5]]
        elif instr[0] == ir.CALL_METHOD and instr[4] in _EQUAL and arguments(instr):
            pair = [instr[3], arguments(instr)[0]]
        else:
            continue
        for constant, other in (pair, pair[::-1]):
            text = facts.constant(site.function, constant)
            if isinstance(text, str) and text and _said_by_caller(facts, site.function, other):
                return text
    return None


def _logic(facts: Facts, site: Site) -> list[ir.Operand]:
    instr, op = site.instr, site.instr[0]
    if op == ir.MOVE:
        return [instr[3]]
    return [instr[4]] if op == ir.UNOP else []


def _said_by_caller(facts: Facts, function: int, operand: ir.Operand) -> bool:
    for origin in facts.origins(function, operand, everything):
        if origin.site is None:
            place = facts.parameter(origin.function, origin.operand)
            if place is not None:
                owner = facts.file.functions[place[0]]
                kind = owner.params[place[1]].type
                if kind == "Cookie" or (owner.name == "main" and kind == "String[]"):
                    return True
            continue
        instr = origin.site.instr
        if instr[0] == ir.CALL_METHOD:
            if instr[4] in _CALLER_SAYS:
                return True
            if instr[4] in ("getValue", "getName") and _declared(facts, origin.site.function, instr[3]) == "Cookie":
                return True
    return False


def _declared(facts: Facts, function: int, operand: ir.Operand) -> str:
    """The last name of a variable's declared type."""
    place = facts.parameter(function, operand)
    if place is not None:
        return facts.file.functions[place[0]].params[place[1]].type.rpartition(".")[2]
    for site in facts.sites_of(function):
        if site.instr[0] == ir.DECLARE and site.instr[2] == operand:
            return str(site.instr[3]).rpartition(".")[2]
    made = facts.single(function, operand)
    if made is not None and made.instr[0] == ir.NEW:
        return facts.path(made.function, made.instr[3]).rpartition(".")[2]
    name = made.instr[4] if made is not None and made.instr[0] == ir.ATTR else operand
    for cls in facts.file.classes:
        for field, kind in cls.fields:
            if field == name:
                return kind.rpartition(".")[2]
    return ""


# --- connections nobody signed in on --------------------------------------------------------------------------------
def find_channel_authentication(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """A connection is accepted because someone signed in before, elsewhere; who connects is not asked."""
    if "accept" not in mentions_of(file).called:
        return
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] != "accept" or _declared(facts, site.function, site.instr[3]) not in _LISTENERS:
            continue
        for outer in site.within:
            if outer[0] == ir.IF and any(instr is site.instr for instr, _ in walk(outer[3])):
                if _asks_for_sign_in(facts, site.function, outer[2]):
                    yield Hit(site.instr[1], site.function)
                    break


def _asks_for_sign_in(facts: Facts, function: int, cond: ir.Operand) -> bool:
    for origin in facts.origins(function, cond, _logic):
        if origin.site is not None and origin.site.instr[0] in _CALLS:
            instr = origin.site.instr
            name = str(instr[4] if instr[0] == ir.CALL_METHOD else instr[3])
            if _SIGN_IN.search(name):
                return True
    return False


# --- loops that cannot end ------------------------------------------------------------------------------------------
def find_endless_loops(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Loops whose test does not depend on anything they change, and reads that wait for more after the end."""
    for index in mentions_of(file).having(ir.LOOP):
        facts = facts_of(file)
        for site in facts.sites_of(index):
            loop = site.instr
            if loop[0] == ir.LOOP and (_tests_other_variable(facts, index, loop) or _ignores_end(loop)):
                yield Hit(loop[1], index)


def _tests_other_variable(facts: Facts, function: int, loop: ir.Instr) -> bool:
    tested = _tested_locals(facts, function, loop)
    if not tested:
        return False
    body = list(walk([*loop[5], *loop[6]]))
    changed = {written(instr) for instr, _ in body}
    if tested & changed:
        return False
    if loop[6]:
        return any(isinstance(written(instr), str) for instr, _ in walk(loop[6]))
    leaving = (*_LEAVING, ir.BREAK, ir.CONTINUE)
    return not any(instr[0] in leaving for instr, _ in body)


def _tested_locals(facts: Facts, function: int, loop: ir.Instr) -> set[ir.Operand]:
    """Variables the test compares, when it is made of nothing but local variables and constants."""
    tested: set[ir.Operand] = set()
    for instr, _ in walk(loop[3]):
        if instr[0] != ir.BINOP:
            return set()
        tested.update(item for item in instr[4:6] if isinstance(item, str))
    own = facts.file.functions[function]
    local = {param.name for param in own.params}
    local.update(site.instr[2] for site in facts.sites_of(function) if site.instr[0] == ir.DECLARE)
    return tested if tested <= local else set()


def _ignores_end(loop: ir.Instr) -> bool:
    """``while (done < size) done += in.read(...)``: nothing looks at the -1 (of ``skip``: 0) at the end of the data."""
    tested = {item for instr, _ in walk(loop[3]) if instr[0] == ir.BINOP for item in instr[4:6]}
    inside = [instr for instr, _ in walk(loop[5])]
    counts: set[ir.Operand] = set()
    for instr in inside:
        given = len(arguments(instr)) if instr[0] == ir.CALL_METHOD else 0
        if (given in (1, 3) and instr[4] == "read") or (given == 1 and instr[4] in ("skip", "skipBytes")):
            counts.add(instr[2])
        elif instr[0] == ir.MOVE and instr[3] in counts:
            counts.add(instr[2])
    if not counts:
        return False
    added: set[ir.Operand] = set()
    for instr in [*inside, *(item for item, _ in walk(loop[3]))]:
        if instr[0] == ir.BINOP and not counts.isdisjoint(instr[4:6]):
            if instr[3] not in ("+", "-"):
                return False
            added.add(instr[2])
        elif instr[0] == ir.MOVE and instr[3] in added:
            added.add(instr[2])
        elif instr[0] in _CALLS and not counts.isdisjoint(arguments(instr)):
            return False
    leaving = (*_LEAVING, ir.BREAK)
    return bool(added & tested) and not any(instr[0] in leaving for instr in inside)


# --- seeds others know ----------------------------------------------------------------------------------------------
def find_predictable_seeds(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Secure generators whose first seed is a constant or the time, where they are first drawn from."""
    if "SecureRandom" not in mentions_of(file).called and not any(
        item.name == "SecureRandom" or item.module.endswith("SecureRandom") for item in file.imports
    ):
        return
    facts = facts_of(file)
    for function, sites in enumerate(facts.sites):
        states: dict[ir.Operand, tuple[str, int]] = {}
        for site in sites:
            instr = site.instr
            if instr[0] == ir.NEW and facts.path(function, instr[3]).rpartition(".")[2] == "SecureRandom":
                given = arguments(instr)
                kind = "fresh" if not given else "known" if _is_known(facts, function, given[0]) else "good"
                states[instr[2]] = (kind, instr[1])
            elif instr[0] == ir.MOVE and instr[3] in states:
                states[instr[2]] = states[instr[3]]
            elif instr[0] == ir.CALL_METHOD and instr[3] in states:
                states[instr[3]] = _after(facts, function, instr, states[instr[3]])
                if states[instr[3]][0] == "reported":
                    yield Hit(instr[1], function)
        places = {span for kind, span in states.values() if kind == "known"}
        told = {span for kind, span in states.values() if kind in ("told", "reported")}
        yield from (Hit(span, function) for span in sorted(places - told))


def _after(facts: Facts, function: int, instr: ir.Instr, state: tuple[str, int]) -> tuple[str, int]:
    kind, span = state
    if instr[4] == "setSeed" and arguments(instr):
        known = _is_known(facts, function, arguments(instr)[0])
        if kind == "fresh" and known:
            return "known", instr[1]
        return ("good", span) if not known and kind != "told" else state
    if _DRAWS.fullmatch(str(instr[4])):
        return {"known": "reported", "reported": "told", "fresh": "good"}.get(kind, kind), span
    return state


def _is_known(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """Whether a seed is made of constants and the time only."""
    found = False
    for origin in facts.origins(function, operand, everything):
        if origin.site is None:
            if isinstance(origin.operand, str) and origin.operand[:1].isupper():
                continue  # a class whose static method is called
            return False
        instr, op = origin.site.instr, origin.site.instr[0]
        found = True
        if op in (ir.CALL, ir.CALL_METHOD):
            name = str(instr[4] if op == ir.CALL_METHOD else instr[3])
            if name not in _CLOCK and name not in _CONVERSIONS:
                return False
        elif op in (ir.ITEM, ir.ATTR):
            return False
    return found or (isinstance(operand, int) and operand < 0)


# --- secrets made of guessable numbers ------------------------------------------------------------------------------
def find_guessable_secret_methods(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Methods named after a secret that do nothing but return a guessable random text."""
    if not mentions_of(file).called & _GUESSABLE:
        return
    facts = facts_of(file)
    for index, function in enumerate(file.functions):
        if not _SECRET_NAME.search(function.name):
            continue
        for site in facts.sites_of(index):
            if site.instr[0] == ir.RETURN and _is_guessable(facts, index, site.instr[2]):
                yield Hit(function.span, index, {"name": function.name, "sink": function.name})
                break


def _is_guessable(facts: Facts, function: int, operand: ir.Operand) -> bool:
    for origin in facts.origins(function, operand, everything):
        if origin.site is None or origin.site.instr[0] not in (ir.CALL_METHOD, ir.NEW):
            continue
        instr = origin.site.instr
        path = facts.path(origin.site.function, instr[3])
        last = path.rpartition(".")[2]
        if instr[0] == ir.NEW:
            if path in ("Random", "java.util.Random"):
                return True
        elif last == "RandomStringUtils" and str(instr[4]).startswith("random"):
            return len(instr[5]) < 6  # the longest form is given its generator
        elif last in ("Math", "ThreadLocalRandom") and instr[4] in ("random", "current"):
            return True
    return False


# --- passwords in the program ---------------------------------------------------------------------------------------
def _compares_passwords(file: ir.File) -> bool:
    """Whether a file that compares texts has a name of a password at all, of whatever kind; one cheap pass."""
    mentions = mentions_of(file)
    if mentions.called.isdisjoint(_EQUAL):
        return False
    if any(_is_password(name) for name in mentions.called):
        return True
    for index in mentions.having(ir.CALL_METHOD):
        function = file.functions[index]
        if any(isinstance(const, str) and _is_password(const) for const in function.consts):  # keys of tables
            return True
        for instr in instructions(function.body):
            op = instr[0]
            if op == ir.MOVE or op == ir.CAST:
                used = instr[-1:]
            elif op == ir.CALL_METHOD and instr[4] in _EQUAL:
                used = [instr[3], *instr[5]]
            elif op == ir.IMPORT:
                used = [instr[4], instr[3].rpartition(".")[2]]
            else:
                continue
            if any(name.__class__ is str and _is_password(name) for name in used):
                return True
    return False


@functools.lru_cache(maxsize=65536)
def _is_password(name: str) -> bool:
    return _PASSWORD.search(name) is not None


def find_password_comparisons(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``password.equals("constant")``, either way round."""
    if not _compares_passwords(file):
        return
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD):
        given = arguments(site.instr)
        if site.instr[4] not in _EQUAL or len(given) != 1:
            continue
        for named, constant in ((site.instr[3], given[0]), (given[0], site.instr[3])):
            name = facts.path(site.function, named).rpartition(".")[2] if not isinstance(named, str) else named
            if not _is_password(name):
                continue
            text = facts.constant(site.function, constant)
            if isinstance(text, str) and len(text) >= _MIN_PASSWORD and not is_placeholder(text):
                yield Hit(site.instr[1], site.function, {"name": name, "sink": name, "value": ""})
                break
