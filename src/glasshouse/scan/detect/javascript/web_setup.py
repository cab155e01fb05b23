"""How a JavaScript server is put together: missing middleware, directories and error texts given away."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.requests import ROUTE_METHODS, is_request
from glasshouse.scan.detect.javascript.values import Facts, Site, arguments, everything, facts_of, parts

_APP = re.compile(
    r"^(express|express-promise-router|polka|restify)(\(\)|\.Router\(\)|\.createServer\(\))|^(app|router|server|api)$"
)
_COOKIES = re.compile(r"^(cookie-parser|cookie-session|express-session|client-sessions|cookies|passport)(\.\w+)*\(\)$")
_CSRF = re.compile(r"csrf|csurf|xsrf|surf-?protection", re.IGNORECASE)
_LIMIT = re.compile(r"rate.?limit|limiter|throttl|slow.?down|express-brute|brute|ddos|toobusy", re.IGNORECASE)
_SESSION_READS = frozenset({"cookies", "session", "signedCookies", "user", "isAuthenticated"})
_FILES, _PROGRAM, _LOGIN, _DATABASE = "uses the file system", "runs a program", "checks credentials", "uses a database"
_DRIVERS = "mysql2?|pg|sqlite3|mongodb|mongoose|knex|sequelize|redis|mssql|better-sqlite3|mariadb|ioredis"
_LOGINS = "authenticate|login|logIn|signIn|verifyPassword|authorize"
_QUERIES = "findOne|findById|findOneAndUpdate|findAll|aggregate|insertOne|insertMany|updateOne|deleteOne|countDocuments"
_HOLDERS = "db|pool|conn|connection|client|database|knex|sequelize|collection"
_EXPENSIVE = (
    (re.compile(r"^(fs|fs-extra|graceful-fs|mz/fs)(/promises)?\.(promises\.)?\w+"), _FILES),
    (re.compile(r"\.(sendFile|sendfile|download)$"), _FILES),
    (re.compile(r"^(child_process|execa|shelljs|cross-spawn)(\.\w+)?$"), _PROGRAM),
    (re.compile(rf"^(passport|bcrypt|bcryptjs|argon2)\.\w+|(^|\.)({_LOGINS}|verifyToken|isAuthorized)$"), _LOGIN),
    (re.compile(rf"^({_DRIVERS})\b.*\.\w+$"), _DATABASE),
    (re.compile(rf"\.({_QUERIES}|executeSql)$"), _DATABASE),
    (re.compile(rf"(^|\.)({_HOLDERS})\.(query|execute|run|all|each|find|collection)$"), _DATABASE),
)
_NOT_EXPENSIVE = re.compile(r"^fs\.(existsSync|constants)|\.(createHash)$")
_MAX_REACH = 40


def _routes(facts: Facts) -> Iterator[tuple[Site, list[ir.Operand]]]:
    """(registration, handlers) of every route of an Express-like application."""
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] not in ROUTE_METHODS or site.instr[4] in ("use", "head", "options"):
            continue
        given = arguments(site.instr)
        if len(given) < 2 or not isinstance(facts.constant(site.function, given[0]), str):
            continue
        if _APP.match(facts.path(site.function, site.instr[3])):
            yield site, given[1:]


def _handlers(facts: Facts, site: Site, operands: list[ir.Operand]) -> Iterator[int]:
    for operand in operands:
        target = facts.function_of(site.function, operand)
        if target is not None:
            yield target


def _reached(facts: Facts, function: int) -> list[int]:
    """The function, those inside it, and those of the file that they call by name."""
    found = [function]
    for index in found:
        if len(found) > _MAX_REACH:
            break
        more = [place for place, item in enumerate(facts.file.functions) if item.parent == index]
        for site in facts.sites[index]:
            if site.instr[0] == ir.CALL:
                target = facts.function_of(site.function, site.instr[3])
                more.extend([] if target is None else [target])
        found.extend(place for place in more if place not in found)
    return found


def _used(facts: Facts) -> Iterator[tuple[Site, ir.Operand, str]]:
    """(registration, middleware, its path) of every ``app.use``."""
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] in ("use", "register", "all"):
            for operand in arguments(site.instr):
                yield site, operand, _middleware_path(facts, site.function, operand)


def _middleware_path(facts: Facts, function: int, operand: ir.Operand) -> str:
    path = facts.path(function, operand)
    single = facts.single(function, operand)
    if isinstance(operand, str) and single is not None and operand not in path:
        path = f"{path} {operand}"  # the variable's own name says something too: `const limiter = make()`
    return path


# --- forged requests --------------------------------------------------------------------------------------------------


def find_missing_csrf(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Cookie or session middleware with state-changing routes that use it, and no token check in the file."""
    facts = facts_of(file)
    if any(_CSRF.search(item.module) for item in file.imports) or _mentions_csrf(facts):
        return
    changing = [
        (site, handlers)
        for site, handlers in _routes(facts)
        if site.instr[4] in ("post", "put", "patch", "delete", "del", "all")
    ]
    if not any(
        _uses_session(facts, target) for site, operands in changing for target in _handlers(facts, site, operands)
    ):
        return
    for site, operand, path in _used(facts):
        if _COOKIES.match(path.split(" ")[0]):
            definition = facts.single(site.function, operand)
            place = definition if definition is not None and definition.instr[0] != ir.MOVE else site
            yield Hit(place.instr[1], place.function)
            return


def _mentions_csrf(facts: Facts) -> bool:
    """A call or option such as ``lusca.csrf()`` or ``{ csrf: true }``, or a function of that name."""
    for function in facts.file.functions:
        if _CSRF.search(function.name) or any(
            isinstance(text, str) and len(text) < 60 and _CSRF.search(text) for text in function.consts
        ):
            return True
    return any(_CSRF.search(facts.callee(site)) for site in facts.every(ir.CALL, ir.CALL_METHOD))


def _uses_session(facts: Facts, function: int) -> bool:
    for index in _reached(facts, function):
        for site in facts.sites[index]:
            instr = site.instr
            if (
                instr[0] in (ir.ATTR, ir.CALL_METHOD)
                and instr[4] in _SESSION_READS
                and is_request(facts, index, instr[3])
            ):
                return True
    return False


# --- rate limits ------------------------------------------------------------------------------------------------------


def find_missing_rate_limits(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Routes with expensive handlers where neither the application nor the route has a limiter."""
    facts = facts_of(file)
    limited = {
        facts.path(site.function, site.instr[3]): site.instr[1]
        for site, _, path in reversed(list(_used(facts)))
        if _LIMIT.search(path)
    }
    for site, operands in _routes(facts):
        since = limited.get(facts.path(site.function, site.instr[3]))
        if since is not None and since < site.instr[1]:
            continue
        if any(_LIMIT.search(_middleware_path(facts, site.function, operand)) for operand in operands):
            continue
        reason = next((text for text in (_expense(facts, site, operand) for operand in operands) if text), "")
        if reason:
            yield Hit(_start_line(site.instr[1]), site.function, {"name": reason})


def _start_line(span: int) -> int:
    """The first line of a region only: a route's body may be long."""
    line, column, end_line, _ = ir.unpack_span(span)
    return span if line == end_line else ir.pack_span(line, column, line, column + 1)


def _expense(facts: Facts, site: Site, operand: ir.Operand) -> str:
    """Why a handler is expensive, or ""."""
    path = facts.path(site.function, operand)
    if path.startswith("passport.authenticate"):
        return "checks credentials"
    target = facts.function_of(site.function, operand)
    if target is None:
        return ""
    reason = ""
    for index in _reached(facts, target):
        for call in facts.sites[index]:
            if call.instr[0] not in (ir.CALL, ir.CALL_METHOD):
                continue
            name = facts.callee(call)
            if _LIMIT.search(name):
                return ""
            if not reason and not _NOT_EXPENSIVE.search(name):
                reason = next((text for pattern, text in _EXPENSIVE if pattern.search(name)), "")
    return reason


# --- directories ------------------------------------------------------------------------------------------------------

_STATIC = frozenset({"express.static", "serve-static", "koa-static", "@koa/static", "ecstatic"})
_PRIVATE = re.compile(
    r"(^|/)(node_modules(/(@[^/]+/)?[^/]+)?|\.git|\.ssh|\.env)$|^(§|~|\.|)$|^/$|^(§/)?\.\.(/\.\.)*$|^~/[^/]+$|^/(etc|home|root|var)(/|$)"
)


def find_exposed_directories(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Static serving of the program's own directory, its dependencies, a home directory or a system directory."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL, ir.CALL_METHOD):
        given = arguments(site.instr)
        if facts.callee(site) not in _STATIC or not given:
            continue
        folder = folder_text(facts, site.function, given[0])
        if folder is not None and _PRIVATE.search(posixpath.normpath(folder) if folder else ""):
            shown = folder.replace("§", "__dirname").replace("~", "the home directory") or "the current directory"
            yield Hit(site.instr[1], site.function, {"value": shown})


def folder_text(facts: Facts, function: int, operand: ir.Operand, depth: int = 0) -> str | None:
    """A path as text, ``§`` for the program's directory and ``~`` for a home directory; None when unknown."""
    if depth > 12:
        return None
    text = facts.constant(function, operand)
    if isinstance(text, str):
        return text
    name = facts.path(function, operand)
    if name in ("__dirname", "process.cwd()", "import.meta.dirname", "process.env.PWD"):
        return "§"
    if name in ("os.homedir()", "process.env.HOME"):
        return "~"
    site = facts.single(function, operand)
    if site is None or facts.parameter(function, operand) is not None:
        return None
    instr = site.instr
    if instr[0] == ir.MOVE:
        return folder_text(facts, site.function, instr[3], depth + 1)
    pieces: list[ir.Operand] = []
    separator = ""
    if instr[0] == ir.BINOP and instr[3] == "+":
        pieces = instr[4:6]
    elif instr[0] == ir.TEMPLATE:
        pieces = instr[3]
    elif (
        facts.callee(site) in ("path.join", "path.resolve", "path.posix.join")
        if instr[0] in (ir.CALL, ir.CALL_METHOD)
        else False
    ):
        pieces, separator = arguments(instr), "/"
    texts = [folder_text(facts, site.function, piece, depth + 1) for piece in pieces]
    if not texts or None in texts:
        return None
    return separator.join(text for text in texts if text)


# --- errors -----------------------------------------------------------------------------------------------------------


def find_development_error_handlers(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``app.use(errorhandler())`` outside a test of the environment."""
    facts = facts_of(file)
    for site, _, path in _used(facts):
        if path.split(" ")[0] not in ("errorhandler()", "express.errorHandler()", "koa-error()", "youch()"):
            continue
        if not any(outer[0] in (ir.IF, ir.SWITCH) for outer in site.within) and not _only_in_development(
            facts, site.function
        ):
            yield Hit(site.instr[1], site.function)


def _only_in_development(facts: Facts, function: int) -> bool:
    """``app.configure('development', () => ...)``."""
    calls = [callback.site for callback in facts.callbacks.get(function, ())]
    return any(
        facts.constant(call.function, operand) == "development" for call in calls for operand in arguments(call.instr)
    )


_RESPONSE = re.compile(r"^(res|resp|response|reply|ctx|h)(\.(status|code|type|set|header|res|response)\b.*)?$")
_SENDS = frozenset({"send", "end", "write", "json", "jsonp", "render", "response", "throw"})


def find_stack_traces(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Answers that hold the stack of an error."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD, ir.SET_ATTR):
        if site.instr[0] == ir.CALL_METHOD:
            if site.instr[4] not in _SENDS or not _is_response(facts, site.function, site.instr[3]):
                continue
            values = arguments(site.instr)
        else:
            if site.instr[3] != "body" or facts.path(site.function, site.instr[2]) not in ("ctx", "ctx.response"):
                continue
            values = [site.instr[4]]
        if any(_holds_stack(facts, site.function, value) for value in values):
            yield Hit(site.instr[1], site.function)


def _is_response(facts: Facts, function: int, operand: ir.Operand) -> bool:
    path = facts.path(function, operand).replace("()", "")
    if _RESPONSE.match(path):
        return True
    place = facts.parameter(function, operand)
    return (
        place is not None
        and place[1] == 1
        and len(facts.file.functions[place[0]].params) <= 3
        and bool(facts.callbacks.get(place[0]))
    )


def _holds_stack(facts: Facts, function: int, value: ir.Operand) -> bool:
    for origin in facts.origins(function, value, everything, callers=True):
        site = origin.site
        if site is not None and site.instr[0] == ir.ATTR and site.instr[4] == "stack":
            return not any(
                outer[0] == ir.IF and _asks_environment(facts, outer, site.function) for outer in site.within
            )
    return False


def _asks_environment(facts: Facts, instr: ir.Instr, function: int) -> bool:
    """The branch is taken only for development."""
    return any(
        "env" in facts.path(o.function, o.operand).lower() for o in facts.origins(function, instr[2], everything)
    )


# --- links from the host header ---------------------------------------------------------------------------------------

_MAILERS = frozenset({"sendMail", "sendmail", "sendEmail", "send"})


def find_host_header_links(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Mails whose text holds the Host header of a request."""
    facts = facts_of(file)
    for site in facts.every(ir.CALL_METHOD):
        if site.instr[4] not in _MAILERS or not arguments(site.instr):
            continue
        if site.instr[4] == "send" and "mail" not in facts.path(site.function, site.instr[3]).lower():
            continue
        for operand in arguments(site.instr):
            if any(
                _is_host(facts, o.site)
                for o in facts.origins(site.function, operand, _text_pieces, callers=True)
                if o.site
            ):
                yield Hit(site.instr[1], site.function, {"sink": "a link in a mail"})
                break


def _text_pieces(facts: Facts, site: Site) -> list[ir.Operand]:
    if site.instr[0] in (ir.MAKE, ir.CALL, ir.CALL_METHOD):
        return everything(facts, site)
    return parts(facts, site)


def _is_host(facts: Facts, site: Site | None) -> bool:
    if site is None:
        return False
    instr = site.instr
    field = instr[4] if instr[0] == ir.ATTR else facts.literal(site.function, instr[4]) if instr[0] == ir.ITEM else ""
    if isinstance(field, str) and field.lower() in ("host", "hostname", "x-forwarded-host"):
        holder = facts.single(site.function, instr[3])
        if holder is not None and holder.instr[0] == ir.ATTR and holder.instr[4] == "headers":
            return is_request(facts, holder.function, holder.instr[3])
        return is_request(facts, site.function, instr[3])
    if instr[0] == ir.CALL_METHOD and instr[4] in ("get", "header") and arguments(instr):
        name = facts.constant(site.function, arguments(instr)[0])
        return (
            isinstance(name, str)
            and name.lower() in ("host", "x-forwarded-host")
            and is_request(facts, site.function, instr[3])
        )
    return False
