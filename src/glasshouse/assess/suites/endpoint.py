"""A running gateway as the suites see it: Chat Completions over HTTP with a key of its own, from outside."""

from __future__ import annotations

import http.client
import json
import os
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from glasshouse.assess.suite import Setting
from glasshouse.words.errors import SuiteError

KEY = "GLASSHOUSE_KEY"
MAX_ANSWER_BYTES = 4 << 20
Outcome = Literal["answered", "stopped", "failed"]
HINT = (
    "Start one with `glasshouse serve`; give its address and a model's name (--option url=... --option model=...) "
    f"and a key in {KEY}."
)


class Reply(msgspec.Struct, frozen=True):
    """What came of one request: ``stopped`` is a refusal by the gateway, ``failed`` anything else that is no answer."""

    outcome: Outcome
    status: int
    text: str
    receipt: str


class Endpoint:
    """One gateway, one model, one key; a connection per request."""

    def __init__(self, url: str, model: str, key: str, timeout_s: float) -> None:
        self._parts, self.model, self._key, self._timeout_s = urlsplit(url), model, key, timeout_s
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise SuiteError(f"`{url[:80]}` is no http address of a gateway", hint=HINT)

    def ask(self, text: str, system: str = "") -> Reply:
        """One question.  Raises `SuiteError` when the gateway cannot be reached."""
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": text})
        body = json.dumps({"model": self.model, "max_tokens": 512, "messages": messages}).encode()
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        head = {"content-type": "application/json", "authorization": f"Bearer {self._key}"}
        path = self._parts.path.rstrip("/").removesuffix("/v1")
        try:
            connection.request("POST", f"{path}/v1/chat/completions", body, head)
            answer = connection.getresponse()
            raw = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise SuiteError(f"the gateway does not answer: {error}", where=self._parts.geturl(), hint=HINT) from error
        finally:
            connection.close()
        return _reply(answer.status, raw, answer.headers.get("Glasshouse-Receipt", ""))


def _reply(status: int, raw: bytes, receipt: str) -> Reply:
    if status == 200:
        try:
            text = json.loads(raw)["choices"][0]["message"]["content"] or ""
        except (ValueError, LookupError, TypeError):
            return Reply("failed", status, "", receipt)
        return Reply("answered", status, str(text), receipt)
    shown = raw[:300].decode("utf-8", "replace")
    return Reply("stopped" if status == 403 else "failed", status, shown, receipt)


def endpoint(setting: Setting) -> Endpoint:
    """The gateway that the options name.  Raises `SuiteError` for a missing option or key."""
    url, model, key = setting.options.get("url", ""), setting.options.get("model", ""), os.environ.get(KEY, "")
    missing = [name for name, value in (("url", url), ("model", model), (KEY, key)) if not value]
    if missing:
        raise SuiteError(f"a suite that asks a running gateway needs {', '.join(missing)}", hint=HINT)
    try:
        timeout_s = float(setting.options.get("timeout_s", "60"))
    except ValueError as error:
        raise SuiteError("timeout_s is a number of seconds") from error
    return Endpoint(url, model, key, timeout_s)
