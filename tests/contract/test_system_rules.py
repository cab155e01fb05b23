"""Every rule about systems reports its positive examples and stays silent on its negative ones.

An example is a small file system: `# file: PATH [mode=0644] [owner=0] [group=0]` and the content below it,
`# folder: PATH`, `# link: PATH -> TARGET`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator

import pytest

from glasshouse.inventory.trees.model import Node, Unread
from glasshouse.scan.rules.loader import load_rules
from glasshouse.scan.system.model import System
from glasshouse.scan.system.run import found

RULES = load_rules(["system"], select=["system-*"]).rules
HEAD = re.compile(r"# (file|folder|link): (\S+)(?: -> (\S+))?((?: \w+=\d+)*)$")
CASES = [
    pytest.param(rule.id, side, index, id=f"{rule.id}-{side}-{index}")
    for rule in RULES.values()
    for side in ("positive", "negative")
    for index in range(len(getattr(rule.tests, side)))
]
KINDS = {"file": (stat.S_IFREG, "0644"), "folder": (stat.S_IFDIR, "0755"), "link": (stat.S_IFLNK, "0777")}


class Example:
    """A tree made from the text of an example."""

    name = "example"

    def __init__(self, text: str) -> None:
        self.found: dict[str, Node] = {}
        self.contents: dict[str, bytes] = {}
        path = ""
        for line in text.splitlines(keepends=True):
            if head := HEAD.match(line.rstrip("\n")):
                path = head[2]
                kind, mode = KINDS[head[1]]
                given = dict(pair.split("=") for pair in head[4].split())
                bits = kind | int(given.get("mode", mode), 8)
                self.found[path] = Node(
                    path, bits, int(given.get("owner", 0)), int(given.get("group", 0)), link=head[3] or ""
                )
                self.contents[path] = b""
            else:
                self.contents[path] += line.encode()

    def nodes(self, enter: Callable[[str], bool]) -> Iterator[Node | Unread]:
        for path, node in sorted(self.found.items()):
            if all(enter(path[:end]) for end in (match.start() for match in re.finditer("/", path))):
                yield node

    def node(self, path: str) -> Node | None:
        return self.found.get(path)

    def read(self, path: str, limit: int) -> bytes | None:
        return self.contents.get(path)


@pytest.mark.parametrize(("rule_id", "side", "index"), CASES)
def test_a_rule_reports_what_its_examples_say(rule_id: str, side: str, index: int) -> None:
    example = Example(getattr(RULES[rule_id].tests, side)[index])
    assert example.found, "an example names at least one file"
    reported = {hit.rule for hit in found(System(example), RULES, [], "")}
    assert (rule_id in reported) == (side == "positive"), f"reported: {sorted(reported)}"


SECRETS = re.compile(
    r"hunter2hunter|abcdefghij|zzzzzz|token12345|bWU6cGFzcw|npm_abcdef|secret99|letmein123|tok12345|AAAA|\$1\$salt|\$6\$abc"
)


@pytest.mark.parametrize(("rule_id", "side", "index"), CASES)
def test_no_hit_shows_a_secret(rule_id: str, side: str, index: int) -> None:
    example = Example(getattr(RULES[rule_id].tests, side)[index])
    for hit in found(System(example), RULES, [], ""):
        assert not SECRETS.search(f"{hit.name} {hit.shown} {hit.key}"), hit


def test_hits_beyond_the_limit_are_counted_and_said() -> None:
    example = Example("".join(f"# file: srv/f{number} mode=0666\n" for number in range(700)))
    problems: list[object] = []
    hits = list(found(System(example), RULES, problems, ""))  # type: ignore[arg-type]
    assert len(hits) == 500
    assert "700 places" in str(problems[0])
