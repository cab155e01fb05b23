"""Training requests made from `misuse_templates.yaml`: what is asked for crossed with how it is asked."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

TEMPLATES = Path(__file__).resolve().parent / "misuse_templates.yaml"
SLOT = re.compile(r"\{(\w+)\}")


class Made(msgspec.Struct, frozen=True):
    """One written request."""

    text: str
    label: str
    source: str
    category: str


class Maker:
    """Fills templates; the same seed gives the same requests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - requests that can be made again, not a secret
        self._parts: dict[str, Any] = yaml.safe_load(TEMPLATES.read_text())
        self._everyday = [each for kind in ("everyday", "coding") for each in self._parts["legitimate"][kind]]
        self._harmful = [each for phrases in self._parts["misuse"].values() for each in phrases]

    def fill(self, template: str, **given: str) -> str:
        """The template with every slot filled, the given ones as told."""

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in given:
                return given[name]
            if name.lower() == "e":
                phrase = self.fill(self._random.choice(self._everyday))
                return phrase[0].upper() + phrase[1:] if name == "E" else phrase
            return self.fill(self._random.choice(self._parts["doc"] if name == "doc" else self._parts["slots"][name]))

        return SLOT.sub(value, template)

    def asked(self, phrase: str) -> str:
        """A request for what the phrase says, in one of the frames."""
        what = self.fill(phrase)
        return self.fill(self._random.choice(self._parts["frames"]), i=what, I=what[0].upper() + what[1:])

    def requests(self, per_phrase: int) -> Iterator[Made]:
        """Every phrase ``per_phrase`` times in a frame; jailbreaks and injections in proportion."""
        for kind, phrases in self._parts["misuse"].items():
            label = "malicious"
            for phrase in phrases:
                for _ in range(per_phrase):
                    yield Made(self.asked(phrase), label, f"written_{kind}", kind)
        for kind, phrases in self._parts["legitimate"].items():
            label = {"defensive": "defensive", "dual-use": "dual_use"}.get(kind, "benign")
            for phrase in phrases:
                for _ in range(per_phrase * 2):
                    yield Made(self.asked(phrase), label, f"written_{kind}", "")
        for template in self._parts["jailbreak"]:
            for _ in range(per_phrase * 3):
                phrase = self.fill(self._random.choice(self._harmful + self._everyday))
                persona = self._random.choice(self._parts["slots"]["persona"])
                text = self.fill(template, i=phrase, I=phrase[0].upper() + phrase[1:], persona=persona)
                yield Made(text, "jailbreak", "written_jailbreak", "jailbreak")
        for template in self._parts["injection"]:
            for _ in range(per_phrase * 2):
                yield Made(self.fill(template), "injection", "written_injection", "prompt-injection")
        for text in self._parts["fragments"]:
            yield Made(text, "benign", "written_fragments", "")
        for kind, label in (
            ("analysis_questions", "defensive"),
            ("small_talk", "benign"),
            ("plain_documents", "benign"),
        ):
            for template in self._parts[kind]:
                for _ in range(per_phrase * 3):
                    yield Made(self.fill(template), label, f"written_{kind}", "")


def written(seed: int = 7, per_phrase: int = 20) -> list[Made]:
    """The requests that training adds to the data, without repetitions."""
    return list({each.text: each for each in Maker(seed).requests(per_phrase)}.values())
