"""What a listing calls a vendor or product, as phrases that a description may use for it.

``Adaptive Security Appliance (ASA) and Firepower Threat Defense (FTD)`` is four names; ``IOS XE Software`` is IOS XE.
``SQL Server`` stays whole, for SQL alone would be in every other description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.forecast.text import words

Phrase = tuple[str, ...]

_PARENTHESES = re.compile(r"\(([^)]*)\)")
_BETWEEN = re.compile(r",|/| and |;")
_HARDWARE = frozenset("device devices series routers router appliance appliances".split())
GENERIC = _HARDWARE | frozenset(
    "multiple products product software server client web management system platform firmware and or the for of on in "
    "service services application enterprise edition switches php".split()
)
"""Words that name nothing by themselves; around a product's name they are left off.

PHP is among them: most descriptions that hold the word name a file, few the language.
"""
_COMPANY = frozenset("networks systems corporation technologies".split())
COMMON = frozenset(
    "access acrobat administrator air am api array auditor ba backup business camera cameras chipsets cli client "
    "cloud cms commerce community compact config connect controllers core crm crowd data dcs desktop dir director dns "
    "dsl edge editions ee exchange expedition experience files firewall firewalls framework frontend fusion gateway "
    "gpu helpdesk http hypervisor intelligence ipv6 japanese jungle kernel lifecycle manager media mf mobile nas "
    "networks ng office os pixel portal project publisher reader replication rs salt scripting sdk sense sentry "
    "server spark sql standard storefront streaming studio tar tools trusted udp ui utah vancouver viewer virtual vpn "
    "wap warp web webmail word workspace workstation xe xp xr zip".split()
) | {"user interface", "data center"}
"""Products whose name is an everyday word: they are meant only where their vendor is named too."""
PLACES = frozenset("on for under via".split())
"""Before a product they tell what something runs on: `Chrome on Windows` is no flaw of Windows."""
HOSTS = frozenset(("for",))
"""Before a vendor they do: `a plugin for WordPress`.  But flaws are `discovered on D-Link devices`."""


def vendor_phrases(name: str) -> dict[Phrase, str]:
    """The phrases that stand for a vendor, each with its spelling."""
    found = {}
    for phrase, spelled in _parts(name):
        if _names_something(phrase):
            found[phrase] = spelled
            if len(phrase) > 1 and phrase[-1] in _COMPANY and not is_common(phrase[:-1]):
                found[phrase[:-1]] = spelled
    return found


def product_phrases(name: str) -> dict[Phrase, str]:
    """The phrases that stand for a product, each with its spelling."""
    found = {}
    for whole, spelled in _parts(name):
        phrase = _bare(whole)
        if _names_something(phrase):
            found[phrase] = spelled
    return found


def _bare(phrase: Phrase) -> Phrase:
    """Without the generic words around it, unless an everyday word would be left."""
    while len(phrase) > 1 and phrase[0] in GENERIC and not is_common(phrase[1:]):
        phrase = phrase[1:]
    while len(phrase) > 1 and phrase[-1] in GENERIC and (phrase[-1] in _HARDWARE or not is_common(phrase[:-1])):
        phrase = phrase[:-1]
    return phrase


def is_common(phrase: Phrase) -> bool:
    """Whether everyday language uses the phrase, so that alone it tells of no product."""
    return " ".join(phrase) in COMMON


def _parts(name: str) -> Iterator[tuple[Phrase, str]]:
    for part in _BETWEEN.split(_PARENTHESES.sub(r", \1,", name)):
        if phrase := tuple(words(part)):
            yield phrase, part.strip()


def _names_something(phrase: Phrase) -> bool:
    return not all(word in GENERIC for word in phrase)
