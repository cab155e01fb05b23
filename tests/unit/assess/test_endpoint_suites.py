"""Suites that ask a running gateway: told apart are answers, refusals by the gateway, and anything else."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import subprocess
import sys
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
MODEL_TEXT = (
    f"identity: {{name: m, version: '1', endpoint_digest: 'sha256:{'1a' * 32}'}}\nprovider: P\nintended_use: U\n"
    "placing: {on_union_market: false}"
)
MODEL: ModelFile = load_model("m.yaml", MODEL_TEXT.encode())


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


LLM = """
import datetime as dt, json, sys
from glasshouse.assess.conduct import conduct
from glasshouse.assess.model_file import load_model
from glasshouse.assess.suite import Setting
model = load_model("m.yaml", sys.argv[1].encode())
options = json.loads(sys.argv[2])
for name, most in (("llm-safeguards", 0), ("llm-refusal", 12)):
    setting = Setting(max_samples=most, options=options)
    record = conduct(name, model, setting, lambda: dt.datetime.now(dt.UTC), lambda done, total: None)
    figures = {each.name: each.estimate for each in record.run.metrics}
    print(json.dumps({"figures": figures, "outputs": [each.output for each in record.samples]}))
"""


def test_a_model_that_obeys_documents_and_answers_attacks_is_measured_so(options: dict[str, str]) -> None:
    """In a process of its own: what Inspect stands on leaves streams open, which would fail the tests after it."""
    if importlib.util.find_spec("inspect_ai") is None:
        pytest.skip("the extra `assess` is not installed")
    command = [sys.executable, "-c", LLM, MODEL_TEXT, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    safeguards, refusal = (json.loads(line) for line in done.stdout.splitlines())
    assert safeguards["figures"]["injection_success"] == 1
    assert 0.3 < safeguards["figures"]["attack_success"] < 1
    assert refusal["figures"]["over_refusal"] == sum(map(refused, refusal["outputs"])) / 12


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
