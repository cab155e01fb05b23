"""Training texts made from `misuse_documents.yaml` that say what is normal: mails, pages, tables and what tools return,
alone or with what a user asks about them; technical requests; and attempts on a model beside harmless likes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from train.misuse_synthetic import SLOT, Made

PARTS = Path(__file__).resolve().parent / "misuse_documents.yaml"


class Document(msgspec.Struct, frozen=True):
    """A document in parts, and what its user would call it."""

    thing: str
    body: tuple[str, ...]
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    lines: bool = False
    """Whether each part of the body has a line of its own."""


class Documents:
    """Puts texts together; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - texts that can be made again, not a secret
        self._parts: dict[str, Any] = yaml.safe_load(PARTS.read_text())

    def made(self, per_kind: int) -> Iterator[Made]:
        """Of each kind ``per_kind`` texts, repetitions included."""
        documents = {"mails": self._mail, "pages": self._page, "records": self._record, "tables": self._table}
        for kind, make in documents.items():
            for number in range(per_kind):
                yield Made(self._framed(make(), number), "benign", f"written_{kind}", "")
        for _ in range(per_kind):
            yield Made(self._one_of("technical"), "dual_use", "written_technical", "")
            yield Made(self._one_of("plain_probes"), "benign", "written_plain_probes", "")
            yield Made(self._one_of("probes"), "injection", "written_probes", "prompt-injection")

    def _fill(self, template: str, thing: str = "") -> str:
        """The template with every slot filled."""

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name == "thing":
                return thing
            if name in ("n", "nn"):
                return str(self._random.randrange(1, 10) if name == "n" else self._random.randrange(11, 99))
            return self._fill(self._random.choice(self._parts["slots"][name]), thing)

        return SLOT.sub(value, template)

    def _one_of(self, name: str, thing: str = "") -> str:
        return self._fill(self._random.choice(self._parts[name]), thing)

    def _some(self, templates: Sequence[str], least: int, most: int) -> list[str]:
        count = min(len(templates), self._random.randint(least, most))
        return [self._fill(each) for each in self._random.sample(list(templates), count)]

    def _topic(self, kind: str, most: int) -> tuple[str, ...]:
        """Sentences of one topic, with up to three ordinary requests to whoever reads them."""
        topic = self._random.choice(list(self._parts[kind].values()))
        body = self._some(topic["facts"], 2, most)
        for ask in self._some(topic["asks"], 0, 3):
            body.insert(self._random.randint(0, len(body)), ask)
        return tuple(body)

    def _mail(self) -> Document:
        chance = self._random
        subject, name = f"Subject: {self._one_of('subjects')}", self._fill("{name}")
        dated = [subject, f"Sender: {name}", self._fill("Date: {date}")]
        head = chance.choice([[], [], [subject], [f"From: {name}", self._fill("To: {name}"), subject], dated])
        if chance.random() < 0.8:
            head.append(self._one_of("greetings"))
        tail = [self._one_of("closings"), name] if chance.random() < 0.8 else []
        if chance.random() < 0.25:
            tail.append(self._one_of("footers"))
        body = self._topic("mails", 7)
        return Document(chance.choice(["mail", "email", "message"]), body, tuple(head), tuple(tail))

    def _page(self) -> Document:
        body = self._topic("pages", 6)
        if self._random.random() < 0.4:
            body += self._topic("pages", 3)
        return Document(self._random.choice(["page", "text", "article", "document"]), body)

    def _record(self) -> Document:
        """What a tool returns: data, results, logs, tickets, chats, reviews, code."""
        chance = self._random
        kind = chance.choice(list(self._parts["records"]))
        most = 2 if kind in ("json", "code") else 6
        body = [self._fill(chance.choice(self._parts["records"][kind])) for _ in range(chance.randint(1, most))]
        head = chance.choice([(), (), ("Tool result:",), (f"Output of {kind}:",)])
        return Document(chance.choice([kind, "output", "text"]), tuple(body), head, lines=True)

    def _table(self) -> Document:
        chance = self._random
        columns = chance.choice(self._parts["tables"])
        columns = columns[: chance.randint(2, len(columns))]
        rows = [columns, ["---"] * len(columns)][: chance.randint(1, 2)]
        for _ in range(chance.randint(2, 8)):
            rows.append([chance.choice([*self._parts["cells"], str(chance.randrange(1000))]) for _ in columns])
        between = chance.choice([" | ", " | ", ", ", "\t"])
        lines = [between.join(row) for row in rows]
        return Document("table", tuple(f"| {x} |" if between == " | " else x for x in lines), lines=True)

    def _framed(self, document: Document, number: int) -> str:
        """Half of the documents alone, half with what a user asks about them."""
        lines = document.lines or self._random.random() < 0.25
        parts = ["\n".join(document.head), ("\n" if lines else " ").join(document.body), "\n".join(document.tail)]
        text = self._random.choice(["\n"] if lines else ["\n", "\n\n", " "]).join([each for each in parts if each])
        about = self._one_of("about", document.thing)
        return (text, text, f"{about}\n{text}", f"{text}\n\n{about}")[number % 4]


def documents(seed: int = 11, per_kind: int = 150) -> list[Made]:
    """The texts that training adds to the data beside the requests, without repetitions."""
    return list({each.text: each for each in Documents(seed).made(per_kind)}.values())
