"""The console's routes: pages that show requests, and the two steps of signing a verdict or registering a passkey."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from glasshouse.access import register
from glasshouse.access.local import local_caller
from glasshouse.console.access import Guarded
from glasshouse.door.administration import Administration
from glasshouse.door.door import Door
from glasshouse.door.local import user_name
from glasshouse.guard import passkeys
from glasshouse.words.approval import Verdict
from glasshouse.words.display import counted
from glasshouse.words.errors import GlasshouseError, UsageError

if TYPE_CHECKING:
    from glasshouse.words.party import Person

TOKEN, ORIGIN = "GLASSHOUSE_CONSOLE_TOKEN", "GLASSHOUSE_CONSOLE_ORIGIN"
HERE = Path(__file__).parent
REGISTRATION_S = 300
MAX_PENDING = 100


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first step of a vote: who, what, and why."""

    person: str
    verdict: Verdict
    reason: str = ""


class Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second step: the passkey's answer."""

    person: str
    verdict: Verdict
    answer: str
    reason: str = ""


class Registered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The passkey's answer to a registration."""

    answer: str


class Console:
    """What the routes share: the door, the site that passkeys are for, and registrations under way."""

    def __init__(self, door: Door, party: passkeys.RelyingParty) -> None:
        self.door, self.party = door, party
        self.caller = local_caller(user_name(), ())
        self._pending: dict[str, tuple[bytes, float]] = {}
        loader = jinja2.FileSystemLoader(HERE / "templates")
        self._pages = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._pages.filters["date"] = lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._pages.filters["counted"] = counted

    def page(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self._pages.get_template(name).render(**values), status)

    def shown(self, show: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """The route of a page; an error is a page too, with the way out."""

        @wraps(show)
        def route(request: Request) -> Response:
            try:
                return show(request)
            except GlasshouseError as error:
                return self.page("error.html", error.status, said=error.what, hint=error.hint)

        return route

    def no_page(self, _: Request, __: Exception) -> Response:
        """What is at an address where nothing is."""
        return self.page("error.html", 404, said="There is no such page", hint="")

    def index(self, _: Request) -> Response:
        """What waits, and what is stopped."""
        waiting, halts = self.door.waiting.all(), self.door.directory.halts()
        people = [each for each in self.door.tables.people.all() if "approver" in each.roles and each.active]
        return self.page("index.html", waiting=waiting, halts=halts, people=people)

    def request(self, request: Request) -> Response:
        """One request with everything an approver must know."""
        found = self.door.waiting.get(request.path_params["name"])
        able = [each for each in self.door.tables.people.all() if self._may(found.terms.id, each)]
        return self.page("request.html", request=found, terms=found.terms, people=able)

    def person(self, request: Request) -> Response:
        """A person's passkeys, and a button to register one."""
        return self.page("person.html", person=self.door.tables.people.get(request.path_params["name"]))

    def ask(self, name: str, body: Ask) -> object:
        """What the browser hands to the passkey: the challenge is over the terms, the verdict and its reason."""
        terms, person = self.door.waiting.get(name).terms, self.door.tables.people.get(body.person)
        return _raw(passkeys.assertion_options(self.party, person, terms, body.verdict, body.reason))

    def cast(self, name: str, body: Cast) -> object:
        """Counts the vote and records it."""
        person = self.door.tables.people.get(body.person)
        vote = passkeys.vote_from(body.answer, person, body.verdict, body.reason, self.door.now())
        after, receipt = self.door.waiting.vote(name, vote, self.caller)
        return {"state": after.state, "entry": receipt.index}

    def begin(self, name: str, _: object) -> object:
        """What the browser hands to a new passkey; good for five minutes."""
        person = self.door.tables.people.get(name)
        now = time.monotonic()
        self._pending = {who: kept for who, kept in self._pending.items() if kept[1] > now}
        if len(self._pending) >= MAX_PENDING:
            raise UsageError("too many registrations are under way", hint="Wait five minutes.")
        self._pending[name] = (secrets.token_bytes(32), now + REGISTRATION_S)
        return _raw(passkeys.registration_options(self.party, person, self._pending[name][0]))

    def finish(self, name: str, body: Registered) -> object:
        """Registers the passkey; the change is in the log."""
        challenge, until = self._pending.pop(name, (b"", 0.0))
        if not challenge or until < time.monotonic():
            raise UsageError("the registration has lapsed", hint="Begin again.")
        key = passkeys.registered_key(self.party, body.answer, challenge)
        Administration(self.door, self.caller).change(
            "access.change",
            f"person:{name}",
            f"passkey for {name}",
            lambda to: register.add_approver_key(to, name, key),
        )
        return {"registered": True}

    def _may(self, name: str, person: Person) -> bool:
        from glasshouse.guard.approvals import may_vote

        try:
            may_vote(self.door.waiting.get(name).terms, person, self.door.now())
        except GlasshouseError:
            return False
        return any(key.kind == "passkey" for key in person.approver_keys)


def console_app(door: Door, party: passkeys.RelyingParty, token: str) -> Guarded:
    """The console as an ASGI application; it closes the door when its server ends."""
    console = Console(door, party)
    routes = [
        Route("/", console.shown(console.index)),
        Route("/requests/{name}", console.shown(console.request)),
        Route("/people/{name}", console.shown(console.person)),
        Route("/requests/{name}/options", _answered(console.ask, Ask), methods=["POST"]),
        Route("/requests/{name}/vote", _answered(console.cast, Cast), methods=["POST"]),
        Route("/people/{name}/options", _answered(console.begin, dict[str, str]), methods=["POST"]),
        Route("/people/{name}/passkey", _answered(console.finish, Registered), methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]

    @asynccontextmanager
    async def serving(_: Starlette) -> AsyncIterator[None]:
        with door:
            yield

    app = Starlette(routes=routes, exception_handlers={404: console.no_page}, lifespan=serving)
    return Guarded(app, token, party.origin)


def application() -> Guarded:
    """The application of a served console; the command that serves it sets its environment."""
    origin = os.environ[ORIGIN]
    host = origin.partition("://")[2].partition(":")[0]
    return console_app(Door.open(os.environ), passkeys.RelyingParty(host, origin), os.environ[TOKEN])


def _answered(step: Callable[[str, Any], object], kind: Any) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        try:
            body = msgspec.json.decode(await request.body() or b"{}", type=kind)
            return JSONResponse(await run_in_threadpool(step, request.path_params["name"], body))
        except msgspec.MsgspecError as error:
            return JSONResponse({"error": f"not understood: {error}", "hint": "Reload the page."}, 400)
        except GlasshouseError as error:
            return JSONResponse({"error": error.what, "hint": error.hint, "code": error.code}, error.status)

    return route


def _raw(text: str) -> object:
    return msgspec.json.decode(text)
