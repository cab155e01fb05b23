"""Signs: what events say about the technique behind an incident, without being an alarm.

``data/signs/*.yml`` holds one sign per technique and kind of event, each with its reason.  Signs run with the rules but
make no detection; what they see is kept by host and minute, and speaks for its techniques in the incidents near it.
They use a small part of Sigma's language (no wildcards), so they are compiled here, in a tenth of a second.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from glasshouse.respond.sigma.ir import (
    FORMAT,
    KEYWORD_FIELD,
    And,
    CompiledRule,
    Expression,
    Kind,
    Leaf,
    Not,
    Or,
    Predicate,
    RuleSet,
)
from glasshouse.respond.sigma.load import read_compiled, write_file
from glasshouse.respond.sigma.sources import routes
from glasshouse.words.errors import SigmaRuleError
from glasshouse.words.incident import Level, RuleRef

DATA = Path(__file__).resolve().parent.parent / "data" / "signs"
NAMESPACE = uuid.UUID("6d6f4a5c-9d2b-5a55-8a2f-7f1c1a0f4e11")
LEVEL: dict[str, Level] = {"weak": "low", "likely": "medium", "strong": "high"}
"""A sign's weight is written as the level of its rule: how much it says, not how grave it is."""
CHANNELS = {
    "security": "Security",
    "system": "System",
    "application": "Application",
    "wmi": "Microsoft-Windows-WMI-Activity/Operational",
    "taskscheduler": "Microsoft-Windows-TaskScheduler/Operational",
    "terminalservices-localsessionmanager": "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
    "printservice-operational": "Microsoft-Windows-PrintService/Operational",
    "windefend": "Microsoft-Windows-Windows Defender/Operational",
    "firewall-as": "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",
    "ldap": "Microsoft-Windows-LDAP-Client/Debug",
    "msexchange-management": "MSExchange Management",
}
_KINDS: dict[str, Kind] = {"contains": "contains", "startswith": "starts", "endswith": "ends", "": "eq"}
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Value = str | int | bool | tuple[str | int, ...]
Selection = Annotated[dict[str, Value], msgspec.Meta(min_length=1)]


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sign: any selection of ``match`` and none of ``but``.

    ``source`` is product/category or product:service as in Sigma.  A selection maps ``field|modifier`` to a value or
    several; modifiers are contains, startswith, endswith, exists, and all.  The empty field name means all fields.
    """

    sign: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    techniques: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=2)]
    weight: Literal["weak", "likely", "strong"]
    because: Text
    source: Text
    match: Annotated[tuple[Selection, ...], msgspec.Meta(min_length=1)]
    but: tuple[Selection, ...] = ()


def read_signs(folder: Path = DATA) -> Iterator[Sign]:
    """The signs in the files of a folder."""
    import yaml

    for file in sorted(folder.glob("*.yml")):
        try:
            yield from msgspec.convert(yaml.load(file.read_bytes(), yaml.CSafeLoader), list[Sign])
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            raise SigmaRuleError(f"the signs cannot be read: {error}", where=str(file)) from None


def sign_rules(cache: Path | None, folder: Path = DATA) -> RuleSet:
    """The signs as compiled rules of the kind ``sign``, from the cache when it has them."""
    digest = hashlib.sha256(f"{FORMAT}".encode())
    for file in sorted(folder.glob("*.yml")):
        digest.update(file.read_bytes())
    place = cache / f"signs-{digest.hexdigest()[:32]}.msgpack" if cache is not None else None
    made = read_compiled(place) if place is not None else None
    if made is None:
        made = compiled(read_signs(folder))
        if place is not None:
            write_file(place, msgspec.msgpack.encode(made))
    return made


def compiled(signs: Iterator[Sign]) -> RuleSet:
    """The rule set of some signs."""
    numbers: dict[Predicate, int] = {}

    def leaf(item: Predicate) -> Expression:
        return Leaf(numbers.setdefault(item, len(numbers)))

    rules = tuple(_rule(each, leaf) for each in signs)
    return RuleSet(FORMAT, tuple(numbers), rules, (), ())


def _rule(sign: Sign, leaf: Callable[[Predicate], Expression]) -> CompiledRule:
    product, _, category = sign.source.partition("/")
    product, _, service = product.partition(":")
    found, reason = routes(product, service, category, CHANNELS)
    if not found or (product == "windows" and service and not found[0].channels):
        raise SigmaRuleError(f"no log source {sign.source}: {reason}", where=sign.sign)
    tree: Expression = Or(tuple(_selection(each, sign, leaf) for each in sign.match))
    if sign.but:
        tree = And((tree, Not(Or(tuple(_selection(each, sign, leaf) for each in sign.but)))))
    tags = tuple(f"attack.{each.lower()}" for each in sign.techniques)
    key = str(uuid.uuid5(NAMESPACE, sign.sign))
    ref = RuleRef(key, sign.because, "Glasshouse", "", LEVEL[sign.weight], "Apache-2.0", tags, "sign")
    return CompiledRule(ref, sign.sign, tree, found)


def _selection(selection: dict[str, Value], sign: Sign, leaf: Callable[[Predicate], Expression]) -> Expression:
    return And(tuple(_condition(name, value, sign, leaf) for name, value in selection.items()))


def _condition(name: str, value: Value, sign: Sign, leaf: Callable[[Predicate], Expression]) -> Expression:
    field, *modifiers = name.split("|")
    if modifiers == ["exists"]:
        found = leaf(Predicate("exists", field, ""))
        return found if value else Not(found)
    together = modifiers[-1:] == ["all"]
    kind = _KINDS.get("|".join(modifiers[:-1] if together else modifiers))
    if kind is None:
        raise SigmaRuleError(f"unknown modifier in {name}", where=sign.sign)
    if field == KEYWORD_FIELD:
        kind = "contains"
    values = value if isinstance(value, tuple) else (value,)
    leaves = tuple(leaf(Predicate(kind, field, _text(each))) for each in values)
    return And(leaves) if together else Or(leaves)


def _text(value: str | int) -> str:
    return str(value).lower()
