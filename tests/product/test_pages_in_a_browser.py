"""What people see, in a real browser: the console decides with a passkey, the report of a scan can be searched."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.product.browser import Page, in_browser, needs_chromium
from tests.unit.door.simulated_organisation import ACT, SimulatedOrganisation

from glasshouse.words.engagement import ApprovalRule
from glasshouse.words.errors import ApprovalNeededError

pytestmark = needs_chromium


@contextmanager
def console(home: Path) -> Iterator[str]:
    """The served console of a home; its address with the token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "GLASSHOUSE_HOME": str(home)}
    command = [sys.executable, "-m", "glasshouse", "console", "--port", str(port)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = re.search(r"http://\S+", process.stderr.readline())
            assert found
            while not _listens(port):
                assert process.poll() is None, process.stderr.read()
            yield found[0]
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        if tried.connect_ex(("127.0.0.1", port)) == 0:
            return True
    time.sleep(0.05)
    return False


@pytest.fixture
def waiting(tmp_path: Path) -> tuple[Path, str]:
    """The home of an organisation, and the request that waits there."""
    acme = SimulatedOrganisation(tmp_path, approvals=(ApprovalRule(("code.scan",), 1),))
    with pytest.raises(ApprovalNeededError):
        acme.door.admit(acme.ada, ACT)
    (request,) = acme.door.waiting.all()
    acme.close()
    return acme.home.folder, request.terms.id


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_an_approver_registers_a_passkey_and_decides(tmp_path: Path, waiting: tuple[Path, str], verdict: str) -> None:
    home, name = waiting
    with console(home) as address:

        async def visit(page: Page) -> None:
            origin = address.partition("/?")[0]
            await page.open(address)
            assert await page.run("location.search") == ""
            assert name in await page.run("document.body.textContent")
            await page.open(f"{origin}/people/bo")
            await page.run("document.querySelector('#register button').click()")
            await page.until("said.textContent === 'The passkey is registered.'")
            await page.open(f"{origin}/requests/{name}")
            if verdict == "deny":
                await page.run("document.querySelector('button.deny').click()")
                await page.until("said.textContent === 'A denial says why.'")
                await page.run("vote.elements.reason.value = 'not this week'")
            await page.run(f"document.querySelector('button[value={verdict}]').click()")
            await page.until("said.textContent.startsWith('Recorded as entry')")

        in_browser(tmp_path / "browser", visit)
    acme = SimulatedOrganisation(tmp_path)
    decided = acme.door.waiting.get(name)
    assert decided.state == {"approve": "approved", "deny": "denied"}[verdict]
    assert [(vote.approver, vote.verdict) for vote in decided.votes] == [("bo", verdict)]
    assert decided.votes[0].reason == ("not this week" if verdict == "deny" else "")
    assert acme.kinds()[-1][0] == "approval.vote"
    acme.close()


SHOP = Path(__file__).parents[2] / "examples" / "shop"
CHOOSE = """((filters) => {
  query.value = filters.words; path.value = filters.path; rule.value = filters.rule;
  const boxes = [...document.querySelectorAll('input[name=severity]')];
  boxes.forEach((box) => { box.checked = filters.severities.includes(box.value); });
  document.getElementById('filters').dispatchEvent(new Event('input'));
  return [...document.querySelectorAll('.finding')].map((item) => item.hidden);
})(%s)"""
TOLD = """[...document.querySelectorAll('.finding')].map((item) => ({
  severity: item.dataset.severity, rule: item.dataset.rule, path: item.dataset.path,
  text: item.firstElementChild.textContent + ' ' + item.dataset.path}))"""


def test_the_filters_of_a_report_show_what_matches_them_all_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "glasshouse", "scan", str(SHOP), "--format", "html"]
    environ = {**os.environ, "GLASSHOUSE_HOME": str(tmp_path / "home")}
    made = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert made.returncode == 1, made.stderr
    (tmp_path / "report.html").write_bytes(made.stdout)
    chance = Random(5)

    async def visit(page: Page) -> None:
        await page.open((tmp_path / "report.html").as_uri())
        told = await page.run(TOLD)
        assert len(told) > 30
        severities, words = (
            sorted({each["severity"] for each in told}),
            ["SQL", "cwe-79", "query user", "python", "no such"],
        )
        seen = set()
        for _ in range(60):
            chosen = {
                "severities": chance.sample(severities, chance.randint(0, len(severities))),
                "words": chance.choice(["", "", *words]),
                "path": chance.choice(["", "", "web", "Python", ".java"]),
                "rule": chance.choice(["", "", chance.choice(told)["rule"]]),
            }
            wanted = [matches(each, chosen) for each in told]
            assert [not hidden for hidden in await page.run(CHOOSE % json.dumps(chosen))] == wanted, chosen
            assert await page.run("document.getElementById('none').hidden") is any(wanted)
            assert (await page.run("shown.textContent")).startswith(f"{sum(wanted)} ")
            seen.add(sum(wanted))
        assert len(seen) > 5

    in_browser(tmp_path / "browser", visit)


def matches(finding: dict[str, str], chosen: dict[str, Any]) -> bool:
    """What the filters promise."""
    text = finding["text"].lower()
    return (
        finding["severity"] in chosen["severities"]
        and chosen["path"].lower() in finding["path"].lower()
        and chosen["rule"] in ("", finding["rule"])
        and all(word in text for word in chosen["words"].lower().split())
    )
