"""Capabilities over HTTP: admitted, done, kept, followed, paged; errors are problems."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.transport import Response
from tests.product.gateway.world import Answer, Caller, World, denials, outcomes, served

from glasshouse.gateway.acts.openapi import document
from glasshouse.gateway.acts.work import WORKS
from glasshouse.words.engagement import CodeScope, Scope

WEAK = "import os\nfrom flask import request\n\n\ndef run():\n    os.system(request.args['cmd'])\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with one weakness."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "app.py").write_text(WEAK)
    return folder


@pytest.fixture(scope="module")
def key(world: World, tree: Path) -> str:
    """A key whose scope is that tree."""
    capabilities = ("model.call", "code.scan", "vulnerability.forecast", "events.respond", "access.halt")
    scope = Scope(code=(CodeScope(str(tree)),), files=(str(tree),), records=("*",))
    return world.engage("scanning", scope=scope, capabilities=capabilities)


async def get(caller: Caller, path: str, key: str, query: bytes = b"", **more: Any) -> Any:
    answer = await caller.call(path, method="GET", key=key, query=query, **more)
    assert answer.status == 200, answer.body
    return answer.json()


def scan(*paths: Path | str) -> dict[str, Any]:
    return {"capability": "code.scan", "input": {"paths": [str(path) for path in paths]}}


def test_a_scan_is_asked_for_followed_paged_and_recorded(world: World, tree: Path, key: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/acts", scan(tree), key=key, headers=[("prefer", "wait=60")])
            assert answer.status == 200, answer.body
            act = answer.json()
            assert act["state"] == "done"
            assert answer.headers["location"] == f"/v1/acts/{act['id']}"
            shown = await get(caller, f"/v1/acts/{act['id']}/results", key)
            findings = [each["value"] for each in shown["results"] if each["kind"] == "Finding"]
            assert [each["rule_id"] for each in findings] == ["py-command-injection"]
            assert shown["next"] is None
            first = await get(caller, f"/v1/acts/{act['id']}/results", key, b"limit=1")
            assert (len(first["results"]), first["next"]) == (1, 1)
            followed = await caller.call(f"/v1/acts/{act['id']}/events", method="GET", key=key)
            assert followed.body.count(b"event: result") == act["results"]
            assert followed.body.rstrip().split(b"event: ")[-1].startswith(b"end")
            assert (await get(caller, "/v1/acts", key))["acts"][0]["id"] == act["id"]
            assert world.entries()[act["request"]].kind == "act.request"
            assert world.entries()[act["outcome"]].about == act["request"]
            assert outcomes(world)[-1]["items"] == act["results"]
            proof = await caller.call(f"/v1/receipts/{act['outcome']}", method="GET", key=key)
            assert proof.body.startswith(b"c2sp.org/tlog-proof@v1\n")

    asyncio.run(main())


FLAW = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2024-01-01T00:00:00Z",
    "summary": "Template injection",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "acme"}, "versions": ["2.1"]}],
}


def test_dependencies_and_systems_are_scanned_as_code_is(world: World, tree: Path, key: str) -> None:
    """What the command line does with --deps and --system."""
    (tree / "advisories").mkdir()
    (tree / "advisories" / "one.json").write_text(json.dumps(FLAW))
    command = (sys.executable, "-m", "glasshouse", "advisories", "import", str(tree / "advisories"))
    subprocess.run(command, env={**os.environ, **world.environ}, check=True, capture_output=True)
    root = tree / "root"
    for name, text in {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/ssh/sshd_config": "PermitRootLogin yes\n",
        "app/requirements.txt": "acme==2.1\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    async def found(caller: Caller, subject: str) -> set[str]:
        asked = {"capability": "code.scan", "input": {"paths": [str(root)], "subject": subject}}
        act = (await caller.call("/v1/acts", asked, key=key, headers=[("prefer", "wait=60")])).json()
        assert act["state"] == "done", act
        shown = await get(caller, f"/v1/acts/{act['id']}/results", key)
        return {each["value"]["rule_id"] for each in shown["results"] if each["kind"] == "Finding"}

    async def main() -> None:
        async with served(world) as caller:
            assert await found(caller, "dependencies") == {"dependency-vulnerable"}
            assert "system-ssh-root-login" in await found(caller, "system")

    asyncio.run(main())


def test_what_is_outside_the_scope_is_denied_before_anything_is_read(world: World, tree: Path, key: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            for path in ("/etc", f"{tree}/../..", str(tree.parent)):
                before = denials(world)
                answer = await caller.call("/v1/acts", scan(path), key=key)
                assert answer.status == 403
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "door.denied"
                assert "core.out-of-scope" in answer.json()["detail"]
                assert denials(world) == before + 1

    asyncio.run(main())


def test_an_engine_that_fails_says_why_and_the_log_says_so(world: World, tree: Path, key: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            body = scan(tree / "missing")
            answer = await caller.call("/v1/acts", body, key=key, headers=[("prefer", "wait=60")])
            act = answer.json()
            assert (act["state"], act["code"]) == ("failed", "act.failed")
            assert "missing" in act["message"] or "usage.path" in act["message"]
            assert outcomes(world)[-1]["outcome"] == "failed"

    asyncio.run(main())


def test_acts_of_another_engagement_do_not_exist(world: World, tree: Path, key: str) -> None:
    async def main() -> None:
        async with served(world) as caller:
            answer = await caller.call("/v1/acts", scan(tree), key=key, headers=[("prefer", "wait=60")])
            act = answer.json()
            for path in (f"/v1/acts/{act['id']}", f"/v1/acts/{act['id']}/results", f"/v1/receipts/{act['outcome']}"):
                other = await caller.call(path, method="GET")
                assert other.status == 404
            assert (await caller.call("/v1/acts", method="GET", key=None)).status == 401

    asyncio.run(main())


def test_a_key_can_halt_its_own_engagement_and_no_other(world: World, tree: Path) -> None:
    scope = Scope(code=(CodeScope(str(tree)),), records=("*",))
    key = world.engage("halting", scope=scope, capabilities=("code.scan", "access.halt"))
    register_role(world)

    async def main() -> None:
        async with served(world) as caller:
            foreign = {"kind": "engagement", "value": "audit", "reason": "not mine"}
            assert (await caller.call("/v1/halts", foreign, key=key)).status == 403
            own = {"kind": "engagement", "value": "halting", "reason": "a leaked key"}
            ordered = await caller.call("/v1/halts", own, key=key)
            assert ordered.status == 201, ordered.body
            await asyncio.sleep(0.25)
            refused = await caller.call("/v1/acts", scan(tree), key=key)
            assert refused.status == 403
            assert "core.halted" in refused.body.decode()

    asyncio.run(main())


def register_role(world: World) -> None:
    """The workload becomes an administrator too, so that it may order halts."""

    def add(door: Any) -> None:
        roles = ("administrator", "operator")
        door.tables.workloads.change("robot", lambda old: msgspec.structs.replace(old, roles=roles))

    world.change(add)


@pytest.fixture(scope="module")
def call(world: World) -> Iterator[Callable[..., Answer]]:
    """Requests to one application that stays up: generated ones are many."""
    with asyncio.Runner() as runner:
        serving = served(world)
        caller = runner.run(serving.__aenter__())
        yield lambda *given, **more: runner.run(caller.call(*given, **more))
        runner.run(serving.__aexit__(None, None, None))


INPUTS = st.dictionaries(
    st.sampled_from(["paths", "logs", "cves", "mode", "x"]),
    st.none() | st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=3),
    max_size=3,
)
BODIES = st.fixed_dictionaries({"capability": st.sampled_from([*WORKS, "code.prove"]), "input": INPUTS})


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_any_body_is_answered_with_a_problem_or_an_act(call: Callable[..., Answer], key: str, body: bytes) -> None:
    answer = call("/v1/acts", body, key=key)
    assert answer.status in (202, 400, 403, 404, 503)
    if answer.status != 202:
        assert answer.json()["code"]


schema = schemathesis.openapi.from_dict(document())
# every request here carries a key: that others are refused is tested in test_refusals
ELSEWHERE = ("ignored_auth", "unsupported_method", "positive_data_acceptance")
EXCLUDED: Any = [schemathesis.checks.CHECKS.get_one(name) for name in ELSEWHERE]


@schema.parametrize()
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_the_api_answers_as_its_document_says(
    case: schemathesis.Case[Any], call: Callable[..., Answer], key: str
) -> None:
    request = prepared(case.as_transport_kwargs(base_url="http://gateway"))
    path, _, query = request.path_url.partition("?")
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = [(name, str(value)) for name, value in request.headers.items() if name.lower() not in OURS]
    answer = call(unquote(path), body, method=request.method, key=key, headers=headers, query=query.encode())
    lists = {name: [value] for name, value in answer.headers.items()}
    response = Response(answer.status, lists, answer.body, request, 0.0, verify=False)
    case.validate_response(response, excluded_checks=EXCLUDED)


OURS = ("authorization", "x-api-key", "content-length")
KNOWN = ("method", "url", "headers", "data", "json", "params", "cookies")


def prepared(wanted: dict[str, Any]) -> requests.PreparedRequest:
    """The request that schemathesis would send."""
    return requests.Request(**{name: value for name, value in wanted.items() if name in KNOWN}).prepare()
