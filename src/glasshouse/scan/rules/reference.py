"""Pages of the manual that are computed from the rules and from the schema; nothing in them is written by hand.

``rules_page`` describes every rule, ``format_page`` how to write one.  The same rules give the same text.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.scan.rules import schema
from glasshouse.scan.rules.loader import EVERYTHING, RuleSet
from glasshouse.scan.rules.schema import Rule

TITLES = {
    "python": "Python",
    "javascript": "JavaScript and TypeScript",
    "java": "Java and JSP",
    "c": "C and C++",
    "go": "Go",
    "php": "PHP",
    "cobol": "COBOL",
    "dependencies": "Dependencies",
    "system": "Systems",
    "shared": "All languages",
}
_FENCE = {
    "python": "python",
    "javascript": "javascript",
    "java": "java",
    "c": "c",
    "go": "go",
    "php": "php",
    "cobol": "cobol",
}
_EXAMPLE = """\
rules:
  - id: py-shop-raw-price
    title: Price taken from the request
    languages: [python]
    cwe: [20]
    owasp: "A04:2021 Insecure Design"
    severity: medium
    confidence: medium
    message: "{source} decides the price in {sink}"
    why: A customer can choose the price.
    fix:
      text: Look the price up.
      before: |
        charge(request.form["price"])
      after: |
        charge(PRICES[request.form["item"]])
    taint: trust
    source_kinds: [request]
    sinks:
      - call: [shop.payment.charge]
        args: ["0|amount"]
        label: charges it
    tests:
      positive:
        - |
          import shop.payment
          from flask import request
          shop.payment.charge(request.form["price"])
      negative:
        - |
          import shop.payment
          shop.payment.charge(5)
"""


def rules_page(rules: RuleSet) -> str:
    """Every rule, by language and CWE."""
    ordered = sorted(rules.rules.values(), key=lambda rule: (rule.cwe[0], rule.id))
    lines = [
        "# Rules",
        "",
        "This page is computed from the rule files. `glasshouse explain RULE` shows the same text offline;",
        "[the rule format](rules-format.md) says how to write rules of your own.",
        "",
        "| languages | rules | weaknesses (CWE) |",
        "| --- | ---: | ---: |",
    ]
    groups = {group: [rule for rule in ordered if _group(rule) == group] for group in (*EVERYTHING, "shared")}
    for group, members in groups.items():
        if not members:
            continue
        weaknesses = {number for rule in members for number in rule.cwe}
        lines.append(f"| [{TITLES[group]}](#{_anchor(TITLES[group])}) | {len(members)} | {len(weaknesses)} |")
    lines.append("")
    for group, members in groups.items():
        if members:
            lines.extend(_language_section(TITLES[group], members))
    return "\n".join(lines).rstrip("\n") + "\n"


def format_page() -> str:
    """How rule and model files are written, from the schema's own words."""
    lines = [
        "# The rule format",
        "",
        "This page is computed from the schema that the loader checks rule files against.",
        "Give files of your own with `--rule-path FILE` or `rule_paths` in `glasshouse.toml`.",
        "",
        "```text",
        inspect.cleandoc(schema.__doc__ or ""),
        "```",
        "",
        "## Example",
        "",
        "```yaml",
        _EXAMPLE.rstrip("\n"),
        "```",
        "",
    ]
    lines.extend(["## Weakness classes", "", "A rule's `taint` and a sanitiser's `classes` name one of these.", ""])
    lines.extend(f"- `{name}`: {text}" for name, text in _weakness_classes().items())
    lines.append("")
    for struct in _structs():
        lines.extend(_struct_section(struct))
    return "\n".join(lines).rstrip("\n") + "\n"


def example() -> str:
    """The example rule file of the format page."""
    return _EXAMPLE


def _group(rule: Rule) -> str:
    return rule.languages[0] if len(rule.languages) == 1 else "shared"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _language_section(title: str, rules: list[Rule]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    weakness = 0
    for rule in rules:
        if rule.cwe[0] != weakness:
            weakness = rule.cwe[0]
            yield f"### CWE-{weakness}"
            yield ""
        yield from _rule_section(rule)


def _rule_section(rule: Rule) -> Iterator[str]:
    fence = _FENCE.get(rule.languages[0], "text")
    yield f"#### {rule.id}"
    yield ""
    yield f"**{rule.title}**"
    yield ""
    yield f"- severity: {rule.severity}"
    yield f"- confidence: {rule.confidence}"
    yield "- CWE: " + ", ".join(f"[CWE-{n}](https://cwe.mitre.org/data/definitions/{n}.html)" for n in rule.cwe)
    yield f"- OWASP: {rule.owasp}"
    yield f"- languages: {', '.join(rule.languages)}"
    yield ""
    yield _prose(rule.why)
    yield ""
    yield f"How to fix: {_prose(rule.fix.text)}"
    yield ""
    for label, code in (("Before", rule.fix.before), ("After", rule.fix.after)):
        yield f"{label}:"
        yield ""
        yield f"```{fence}"
        yield code.rstrip("\n")
        yield "```"
        yield ""
    if rule.references:
        yield "See also: " + ", ".join(f"<{reference}>" for reference in rule.references)
        yield ""


def _prose(text: str) -> str:
    """Text in which Markdown and HTML characters show as they are, except for code in backticks."""
    pieces = re.split(r"(`[^`]*`)", text.strip())
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<>\[\]\\])", r"\\\1", piece) for piece in pieces)


def _weakness_classes() -> dict[str, str]:
    from glasshouse.scan.rules.loader import DATA
    from glasshouse.scan.rules.parse import parse_rules

    return dict(parse_rules((DATA / "classes.yaml").read_bytes(), "classes.yaml", built_in=True).taint_classes)


def _structs() -> list[type[Any]]:
    """The schema's structs, the outermost first."""
    found = [item for item in vars(schema).values() if isinstance(item, type) and issubclass(item, msgspec.Struct)]
    first = {"RuleFile": 0, "Rule": 1}
    return sorted(
        (item for item in found if item.__module__ == schema.__name__), key=lambda item: first.get(item.__name__, 2)
    )


def _struct_section(struct: type[Any]) -> Iterator[str]:
    yield f"## {struct.__name__}"
    yield ""
    yield inspect.cleandoc(struct.__doc__ or "").replace("``", "`")
    yield ""
    yield "| field | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    comments = _comments(struct)
    for field in msgspec.structs.fields(struct):
        default = "required" if field.required else _default(field)
        kind = str(struct.__annotations__.get(field.name, "")).replace("|", "\\|")
        yield f"| `{field.name}` | `{kind}` | {default} | {comments.get(field.name, '')} |"
    yield ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
        return "" if value in ("", (), None) else f"`{value}`"
    return ""


def _comments(struct: type[Any]) -> dict[str, str]:
    """The remarks behind the fields in the schema's source."""
    found = {}
    for line in inspect.getsource(struct).splitlines():
        match = re.fullmatch(r"    (\w+): [^#]*#\s*(.*)", line)
        if match:
            found[match.group(1)] = match.group(2).replace("|", "\\|")
    return found
