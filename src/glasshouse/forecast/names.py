"""What a listing calls a vendor or product, as phrases that a description may use for it.

``Adaptive Security Appliance (ASA) and Firepower Threat Defense (FTD)`` is four names; ``IOS XE Software`` is IOS XE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.forecast.text import words

Phrase = tuple[str, ...]

_PARENTHESES = re.compile(r"\(([^)]*)\)")
_BETWEEN = re.compile(r",|/| and | for |;")
GENERIC = frozenset(
    "multiple products product software server client web management system platform devices device series routers "
    "router firmware appliance appliances and or the for of on in service services application enterprise "
    "edition".split()
)
"""Words that name nothing by themselves; at the end of a product's name they are left off."""
_COMPANY = frozenset("networks systems corporation technologies".split())
COMMON = frozenset(
    "word core edge framework kernel sense salt office access reader acrobat exchange server gateway manager connect "
    "portal client desktop mobile zip expedition pixel ui nas web".split()
)
"""Products whose name is an everyday word: they are meant only where their vendor is named too."""
PLACES = frozenset("on for under via".split())
"""Before a name they tell what something runs on: `Chrome on Windows` is no flaw of Windows."""


def vendor_phrases(name: str) -> dict[Phrase, str]:
    """The phrases that stand for a vendor, each with its spelling."""
    found = {}
    for phrase, spelled in _parts(name):
        if _names_something(phrase):
            found[phrase] = spelled
            if len(phrase) > 1 and phrase[-1] in _COMPANY:
                found[phrase[:-1]] = spelled
    return found


def product_phrases(name: str) -> dict[Phrase, str]:
    """The phrases that stand for a product, each with its spelling."""
    found = {}
    for whole, spelled in _parts(name):
        phrase = whole
        while len(phrase) > 1 and phrase[-1] in GENERIC:
            phrase = phrase[:-1]
        if _names_something(phrase):
            found[phrase] = spelled
    return found


def _parts(name: str) -> Iterator[tuple[Phrase, str]]:
    for part in _BETWEEN.split(_PARENTHESES.sub(r", \1,", name)):
        if phrase := tuple(words(part)):
            yield phrase, part.strip()


def _names_something(phrase: Phrase) -> bool:
    return not all(word in GENERIC for word in phrase)
