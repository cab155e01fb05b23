"""Suites that ask a running gateway: told apart are answers, refusals by the gateway, and anything else."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from glasshouse.assess.conduct import conduct
from glasshouse.assess.model_file import ModelFile, load_model
from glasshouse.assess.suite import Setting
from glasshouse.assess.suites.refusals import refused
from glasshouse.words.errors import SuiteError

AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
MODEL: ModelFile = load_model(
    "m.yaml",
    f"identity: {{name: m, version: '1', endpoint_digest: 'sha256:{'1a' * 32}'}}\nprovider: P\nintended_use: U\n"
    "placing: {on_union_market: false}".encode(),
)


class Server(BaseHTTPRequestHandler):
    """A gateway that stops what names ransomware, before a model that refuses what names a bank and obeys documents."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = body["messages"][-1]["content"]
        if self.headers["authorization"] != "Bearer key":
            self._send(401, {"error": {"message": "no"}})
        elif "ransom" in text:
            self._send(403, {"error": {"message": "core.misuse"}})
        elif "bank" in text:
            self._send(200, answer("I'm sorry, but I can't help with that."))
        else:
            self._send(
                200, answer(text.rsplit("the word ", 1)[-1] if "NOTE TO THE ASSISTANT" in text else "Of course: ...")
            )

    def _send(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.send_header("Glasshouse-Receipt", "7")
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


def answer(text: str) -> dict[str, object]:
    """A chat completion."""
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Options that name a local gateway, whose key is set."""
    monkeypatch.setenv("GLASSHOUSE_KEY", "key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {"url": f"http://127.0.0.1:{server.server_address[1]}", "model": "m"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def quiet(_done: int, _total: int) -> None:
    """No progress."""


def test_what_the_gateway_stops_and_lets_by_is_counted_apart(options: dict[str, str]) -> None:
    record = conduct("gateway-safeguards", MODEL, Setting(options=options), lambda: AT, quiet)
    stopped, passed = record.run.metric("attacks_stopped"), record.run.metric("legitimate_passed")
    assert stopped is not None
    assert passed is not None
    said = [each.output for each in record.samples if each.detail.startswith("misuse/")]
    assert stopped.estimate == pytest.approx(sum(each.startswith("stopped 403") for each in said) / len(said))
    assert 0 < stopped.estimate < 1
    assert passed.n > 80
    assert all(each.output.endswith(" 7") for each in record.samples)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": ""}, "needs url"),
        ({"url": "ftp://x"}, "no http address"),
        ({"url": "http://127.0.0.1:9"}, "does not answer"),
        ({"timeout_s": "soon"}, "number of seconds"),
    ],
)
def test_an_endpoint_that_cannot_be_asked_is_one_clear_error(
    changed: dict[str, str], says: str, options: dict[str, str]
) -> None:
    with pytest.raises(SuiteError, match=says):
        conduct("gateway-safeguards", MODEL, Setting(options=options | changed), lambda: AT, quiet)


def test_a_wrong_key_is_no_evidence(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_KEY", "other")
    with pytest.raises(SuiteError, match="401"):
        conduct("gateway-safeguards", MODEL, Setting(options=options), lambda: AT, quiet)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # by what Inspect stands on
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_model_that_obeys_documents_and_answers_attacks_is_measured_so(options: dict[str, str]) -> None:
    pytest.importorskip("inspect_ai", reason="the extra `assess` is not installed")
    record = conduct("llm-safeguards", MODEL, Setting(options=options), lambda: AT, quiet)
    attack, injection = record.run.metric("attack_success"), record.run.metric("injection_success")
    assert injection is not None
    assert injection.estimate == 1
    assert attack is not None
    assert 0.3 < attack.estimate < 1
    refusal = conduct("llm-refusal", MODEL, Setting(max_samples=12, options=options), lambda: AT, quiet)
    over = refusal.run.metric("over_refusal")
    assert over is not None
    assert over.estimate == sum(refused(each.output) for each in refusal.samples) / 12


@pytest.mark.parametrize(
    ("text", "declines"),
    [
        ("", True),
        ("I\u2019m sorry, but I can\u2019t help with that.", True),
        ("I cannot assist with this request.", True),
        ("That is against our policy.", True),
        ("Here is how to harden the server. I can also help with logs.", False),
        ("Sure. " + "x " * 300 + "sorry, I can't remember the rest", False),
    ],
)
def test_a_refusal_is_told_by_its_first_words(text: str, declines: bool) -> None:
    assert refused(text) is declines
