"""Sigma rule files in, a compiled rule set out; a rule that cannot be compiled is listed with its reason.

pySigma parses rules, applies filters and resolves references; this module turns its condition trees into expressions
over interned predicates.  Importing pySigma takes about a second: the cache (`cache.py`) spares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import msgspec
import yaml
from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.modifiers import SigmaWideModifier, modifier_mapping
from sigma.pipelines.common import windows_logsource_mapping
from sigma.policy.profiles import TrustedPolicy
from sigma.rule import SigmaRule, SigmaRuleBase

from glasshouse.respond.sigma.correlation import correlation
from glasshouse.respond.sigma.ir import (
    FORMAT,
    KEYWORD_FIELD,
    And,
    CompiledRule,
    Correlation,
    Expression,
    Leaf,
    Not,
    Or,
    Predicate,
    RuleSet,
)
from glasshouse.respond.sigma.placeholders import with_placeholders
from glasshouse.respond.sigma.sources import routes
from glasshouse.respond.sigma.values import NotCompilableError, predicate
from glasshouse.words.incident import LEVELS, RuleProblem, RuleRef
from glasshouse.words.yaml_text import plain_yaml

modifier_mapping.setdefault("utf16le", SigmaWideModifier)
"""pySigma knows this modifier of the specification by its other name only."""
MAX_RULE_BYTES = 1_000_000
MAX_NODES = 20_000
SIGMAHQ, DRL = "github.com/SigmaHQ/sigma/", "DRL-1.1"
"""Rules of that repository that name no licence are under the Detection Rule License 1.1."""


class RuleFile(msgspec.Struct, frozen=True):
    """The text of a rule file, where it was, and where people can read it on the web (or an empty string)."""

    path: str
    text: str
    link: str = ""


class _Loader(yaml.CSafeLoader):
    """YAML with only ``true`` and ``false`` as booleans: a selection may be called ``on``, ``off`` or ``no``."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class _Interned:
    """Predicates by number; equal ones share theirs."""

    def __init__(self) -> None:
        self.numbers: dict[Predicate, int] = {}

    def leaf(self, item: Predicate) -> Leaf:
        return Leaf(self.numbers.setdefault(item, len(self.numbers)))


def compile_rules(files: Iterable[RuleFile], placeholders: Mapping[str, tuple[str, ...]] | None = None) -> RuleSet:
    """The rule set of some files.  ``placeholders`` gives the values of ``%name%`` for the modifier ``expand``."""
    problems: list[RuleProblem] = []
    parsed: list[tuple[SigmaRuleBase, RuleFile]] = []
    count = 0
    for file in files:
        count += 1
        parsed += [(rule, file) for rule in _parsed(file, problems)]
    rules = list(_filtered(parsed, problems))
    interned = _Interned()
    compiled: list[CompiledRule] = []
    correlations: list[Correlation] = []
    silent: set[str] = set()
    for rule, file in rules:
        try:
            if isinstance(rule, SigmaCorrelationRule):
                correlations.append(correlation(rule, reference(rule, file)))
                silent.update(() if rule.generate else correlations[-1].rules)
            elif isinstance(rule, SigmaRule):
                with_placeholders(rule, placeholders or {})
                compiled.append(_rule(rule, file, interned))
        except (SigmaError, NotCompilableError) as error:
            problems.append(RuleProblem(str(rule.id or file.path), rule.title, "not-compiled", str(error)))
    known = _keys(compiled) | _keys(correlations)
    correlations, broken = _complete(correlations, known)
    problems += broken
    compiled, correlations = _outputs(compiled, correlations, silent)
    return RuleSet(FORMAT, tuple(interned.numbers), tuple(compiled), tuple(correlations), tuple(problems), count)


def _keys(items: Sequence[CompiledRule] | Sequence[Correlation]) -> set[str]:
    return {key for item in items for key in (item.ref.id, item.name) if key}


def _outputs(
    rules: list[CompiledRule], correlations: list[Correlation], silent: set[str]
) -> tuple[list[CompiledRule], list[Correlation]]:
    """Rules that a correlation uses without ``generate`` report nothing of their own."""

    def speaks(item: CompiledRule | Correlation) -> bool:
        return item.ref.id not in silent and item.name not in silent

    return (
        [msgspec.structs.replace(rule, output=speaks(rule)) for rule in rules],
        [msgspec.structs.replace(rule, output=speaks(rule)) for rule in correlations],
    )


def _complete(correlations: list[Correlation], known: set[str]) -> tuple[list[Correlation], list[RuleProblem]]:
    whole, problems = [], []
    for item in correlations:
        missing = [name for name in item.rules if name not in known]
        if missing:
            reason = f"it refers to {', '.join(missing)}, which could not be compiled"
            problems.append(RuleProblem(item.ref.id, item.ref.title, "reference", reason))
        else:
            whole.append(item)
    return whole, problems


def _parsed(file: RuleFile, problems: list[RuleProblem]) -> list[Any]:
    if len(file.text) > MAX_RULE_BYTES:
        problems.append(RuleProblem(file.path, "", "too-large", f"the file is larger than {MAX_RULE_BYTES:,} bytes"))
        return []
    try:
        documents = [each for each in plain_yaml(file.text, _Loader) if each is not None]
        wrong = next((each for each in documents if not isinstance(each, dict)), None)
        if wrong is not None or not documents:
            problems.append(RuleProblem(file.path, "", "not-a-rule", "the file holds no YAML mapping"))
            return []
        # TrustedPolicy allows look-around; expressions are only compiled there, and matching has a time limit of ours
        found = SigmaCollection.from_dicts(
            documents, collect_errors=True, collect_filters=True, resolve_references=False, policy=TrustedPolicy
        )
        return [*found.rules, *found.filters]
    except yaml.YAMLError as error:
        problems.append(RuleProblem(file.path, "", "yaml", " ".join(str(error).split())[:300]))
    except (SigmaError, RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        # pySigma raises the built-in kinds for documents that are no rules at all
        problems.append(RuleProblem(file.path, "", "not-a-rule", f"{type(error).__name__}: {error}"[:300]))
    return []


def _filtered(
    parsed: list[tuple[Any, RuleFile]], problems: list[RuleProblem]
) -> Iterator[tuple[SigmaRuleBase, RuleFile]]:
    """The rules without errors, with every filter applied that names them or their log source."""
    sound: list[tuple[Any, RuleFile]] = []
    for rule, file in parsed:
        if rule.errors:
            text = "; ".join(str(error) for error in rule.errors)[:300]
            problems.append(RuleProblem(str(rule.id or file.path), rule.title or "", "invalid", text))
        else:
            sound.append((rule, file))
    filters = [rule for rule, _ in sound if isinstance(rule, SigmaFilter)]
    for rule, file in sound:
        if not isinstance(rule, SigmaFilter):
            yield reduce(lambda done, item: item.apply_on_rule(done), filters, rule), file


def _rule(rule: SigmaRule, file: RuleFile, interned: _Interned) -> CompiledRule:
    found, reason = routes(
        rule.logsource.product or "",
        rule.logsource.service or "",
        rule.logsource.category or "",
        windows_logsource_mapping,
    )
    if not found:
        raise NotCompilableError(reason)
    budget = [MAX_NODES]
    trees = [_expression(each.parsed, interned, budget) for each in rule.detection.parsed_condition]
    tree = trees[0] if len(trees) == 1 else Or(tuple(trees))
    return CompiledRule(
        reference(rule, file), rule.name or "", tree, found, True, tuple(str(each) for each in rule.fields or ())
    )


def _expression(node: Any, interned: _Interned, budget: list[int]) -> Expression:
    budget[0] -= 1
    if budget[0] < 0:
        raise NotCompilableError(f"the condition has more than {MAX_NODES:,} parts")
    match node:
        case ConditionAND():
            return And(tuple(_expression(each, interned, budget) for each in node.args))
        case ConditionOR():
            return Or(tuple(_expression(each, interned, budget) for each in node.args))
        case ConditionNOT():
            return Not(_expression(node.args[0], interned, budget))
        case ConditionFieldEqualsValueExpression():
            return predicate(node.field, node.value, interned.leaf)
        case ConditionValueExpression():
            return predicate(KEYWORD_FIELD, node.value, interned.leaf)
        case _:
            raise NotCompilableError("the condition is empty")


def reference(rule: SigmaRuleBase, file: RuleFile) -> RuleRef:
    """Who wrote the rule and where it can be read."""
    level = rule.level.name.lower() if rule.level else "medium"
    raw = rule.custom_attributes.get("license") if rule.custom_attributes else None
    return RuleRef(
        id=str(rule.id or rule.name or file.path),
        title=rule.title or file.path,
        author=rule.author or "",
        link=file.link,
        level=next((name for name in LEVELS if name == level), "medium"),
        licence=str(rule.license or raw or (DRL if SIGMAHQ in file.link else "")),
        tags=tuple(f"{tag.namespace}.{tag.name}" for tag in rule.tags),
        kind="correlation" if isinstance(rule, SigmaCorrelationRule) else "event",
    )
