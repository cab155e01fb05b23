"""The console: only with the token, from its own pages; a passkey's verdict is signed, counted and recorded."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.unit.door.simulated_organisation import TARGET, SimulatedOrganisation
from tests.unit.guard.software_passkey import SoftwarePasskey

from glasshouse.console.access import COOKIE, Guarded
from glasshouse.console.app import console_app
from glasshouse.guard.passkeys import RelyingParty
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.words.act import Act
from glasshouse.words.engagement import ApprovalRule
from glasshouse.words.errors import ApprovalNeededError, DoorClosedError

ORIGIN, TOKEN = "http://localhost:8750", "t" * 32
ACT = Act("code.scan", (TARGET,), "audit", describes="<script>alert(1)</script>")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


class Browser:
    """Asks the application as a browser on its pages would."""

    def __init__(self, app: Guarded) -> None:
        self.app = app
        self.headers = {"host": "localhost:8750", "cookie": f"{COOKIE}={TOKEN}", "origin": ORIGIN}

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, b"", headers)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self._ask("POST", path, json.dumps(body).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        named = self.headers | {"content-length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}
        place, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": place, "raw_path": place.encode(), "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in named.items()], "http_version": "1.1", "scheme": "http",
            "root_path": "", "server": ("localhost", 8750), "client": ("127.0.0.1", 5),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not waiting:
                await asyncio.Event().wait()  # a browser that stays
            return waiting.pop()

        async def send(message: Any) -> None:
            sent.append(dict(message))

        asyncio.run(self.app(scope, receive, send))
        found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(each.get("body", b"") for each in sent[1:]).decode())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables."""
    file = tmp_path_factory.mktemp("store") / "store.db"
    open_database(StorePlace(file=file)).close()
    return file


@pytest.fixture
def acme(tmp_path: Path, store: Path) -> Iterator[SimulatedOrganisation]:
    """An organisation with one request that waits."""
    (tmp_path / "home").mkdir()
    shutil.copyfile(store, tmp_path / "home" / "store.db")
    made = SimulatedOrganisation(tmp_path, approvals=(ApprovalRule(("code.scan",), 1),))
    with pytest.raises(ApprovalNeededError):
        made.door.admit(made.ada, ACT)
    yield made
    made.close()


@pytest.fixture
def browser(acme: SimulatedOrganisation) -> Browser:
    """A browser on the console of that organisation."""
    return Browser(console_app(acme.door, RelyingParty("localhost", ORIGIN), TOKEN))


def registered(browser: Browser) -> SoftwarePasskey:
    """Bo's passkey, registered through the pages."""
    passkey = SoftwarePasskey("localhost", ORIGIN)
    options = browser.post("/people/bo/options", {})
    done = browser.post("/people/bo/passkey", {"answer": passkey.register(options.body)})
    assert (done.status, json.loads(done.body)) == (200, {"registered": True})
    return passkey


def test_an_approver_registers_a_passkey_reads_the_request_and_approves_it(
    acme: SimulatedOrganisation, browser: Browser
) -> None:
    (request,) = acme.door.waiting.all()
    name = request.terms.id
    assert name in browser.get("/").body
    passkey = registered(browser)
    page = browser.get(f"/requests/{name}")
    assert request.terms.digest() in page.body
    assert "Approve with a passkey" in page.body
    options = browser.post(f"/requests/{name}/options", {"person": "bo", "verdict": "approve"})
    vote = {"person": "bo", "verdict": "approve", "answer": passkey.sign(options.body)}
    done = browser.post(f"/requests/{name}/vote", vote)
    assert json.loads(done.body)["state"] == "approved", done.body
    assert acme.door.waiting.covers(name, acme.ada, ACT)
    assert [kind for kind, _ in acme.kinds()][-1] == "approval.vote"
    assert json.loads(browser.post(f"/requests/{name}/vote", vote).body)["code"] == "access.transition"


def test_an_answer_to_a_denial_approves_nothing(acme: SimulatedOrganisation, browser: Browser) -> None:
    name = acme.door.waiting.all()[0].terms.id
    passkey = registered(browser)
    options = browser.post(f"/requests/{name}/options", {"person": "bo", "verdict": "deny"})
    answer = browser.post(
        f"/requests/{name}/vote", {"person": "bo", "verdict": "approve", "answer": passkey.sign(options.body)}
    )
    assert answer.status == 409
    assert acme.door.waiting.get(name).state == "waiting"


def test_what_others_wrote_is_shown_as_text(browser: Browser, acme: SimulatedOrganisation) -> None:
    for path in ("/", f"/requests/{acme.door.waiting.all()[0].terms.id}"):
        assert "<script>alert" not in browser.get(path).body
        assert "&lt;script&gt;" in browser.get(path).body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, 401),
        ({"cookie": f"{COOKIE}=wrong"}, 401),
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": ""}, 403),
        ({"content_length": "9999999"}, 413),
        ({"content_length": "x"}, 413),
        ({"transfer_encoding": "chunked"}, 413),
    ],
)
def test_a_stranger_gets_nothing(browser: Browser, headers: dict[str, str], status: int) -> None:
    answer = browser.post("/people/bo/options", {}, **headers)
    assert answer.status == status
    assert "challenge" not in answer.body


def test_the_token_in_the_address_opens_the_session_and_leaves_the_address(browser: Browser) -> None:
    assert browser.get("/?token=wrong", cookie="").status == 401
    answer = browser.get(f"/?token={TOKEN}", cookie="")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=strict" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("path", "says"),
    [("/requests/none", "no approval request none"), ("/people/none", "no person none"), ("/nowhere", "no such page")],
)
def test_an_address_without_a_page_says_so_and_leads_back(browser: Browser, path: str, says: str) -> None:
    answer = browser.get(path)
    assert answer.status == 404
    assert says in answer.body
    assert '<a href="/">' in answer.body


def test_every_value_of_the_list_stands_under_its_name_on_a_narrow_screen_too(browser: Browser) -> None:
    page = browser.get("/").body
    names = re.findall(r'scope="col">([^<]+)<', page)
    assert names
    assert re.findall(r'data-name="([^"]+)"', page) == names * page.count('<td role="cell" data-name="Request">')


def test_every_answer_carries_a_strict_content_policy(browser: Browser) -> None:
    for path in ("/", "/static/console.js", "/nowhere", "/requests/none"):
        headers = browser.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [[], {"person": 5}, {"person": "bo"}, {"person": "bo", "verdict": "maybe"}])
def test_nonsense_is_answered_with_one_clear_error(browser: Browser, body: object) -> None:
    answer = browser.post("/requests/x/options", body)
    assert answer.status == 400
    assert "not understood" in answer.body


def test_a_registration_lapses_with_its_challenge(browser: Browser) -> None:
    passkey = SoftwarePasskey("localhost", ORIGIN)
    options = browser.post("/people/bo/options", {})
    answer = {"answer": passkey.register(options.body)}
    assert browser.post("/people/bo/passkey", answer).status == 200
    assert browser.post("/people/bo/passkey", answer).status == 400
    assert browser.post("/people/nobody/options", {}).status == 404


def test_the_door_is_closed_when_the_server_ends(acme: SimulatedOrganisation, browser: Browser) -> None:
    told = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]
    said: list[str] = []

    async def receive() -> dict[str, Any]:
        return told.pop()

    async def send(message: Any) -> None:
        said.append(message["type"])

    asyncio.run(browser.app({"type": "lifespan", "state": {}}, receive, send))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(DoorClosedError):
        acme.door.admit(acme.ada, ACT)
