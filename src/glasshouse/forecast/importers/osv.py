"""Advisories in the OSV format (OSV.dev, GitHub's and PyPA's advisory databases): affected versions.

And facts by alias.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasshouse.forecast.facts import ADVISORY, AnyClaim, Day, Fact, Text, Weaknesses
from glasshouse.forecast.importers import values
from glasshouse.forecast.importers.cvss_scores import Scored, scored_of
from glasshouse.forecast.importers.interface import Document, Rejected, Yield
from glasshouse.forecast.importers.values import InvalidRecordError, items, table
from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.inventory.component import normal_name
from glasshouse.words.yaml_text import one_plain_yaml

MAX_AFFECTED = 2_000
MAX_VERSIONS = 20_000


class OsvImporter:
    """OSV and GitHub security advisories."""

    kind = ADVISORY
    about = "advisories in OSV format (JSON, YAML, an ecosystem's all.zip)"
    suffixes = (".json", ".yaml", ".yml")

    def read(self, document: Document, known_at: Day) -> Iterator[Yield]:
        try:
            yield from _advisory(_parse(document))
        except InvalidRecordError as error:
            yield Rejected(document.name, str(error))


def _parse(document: Document) -> dict[str, Any]:
    if document.name.lower().endswith(".json"):
        return table(values.parse_json(document.content))
    import yaml

    try:
        return table(one_plain_yaml(document.content))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidRecordError(f"not valid YAML: {str(error).splitlines()[0]}") from error


def _advisory(record: dict[str, Any]) -> Iterator[Yield]:
    name = values.text(record.get("id"))
    if not name:
        raise InvalidRecordError("no `id`; is this an OSV record?")
    modified = values.text(str(record.get("modified") or record.get("published") or ""), 40)
    since = values.moment(modified, "modified")
    yield from _affected(record, name, modified)
    claims = [] if record.get("withdrawn") else list(_claims(record))
    for alias in dict.fromkeys((name, *_aliases(record))):
        if alias.startswith("CVE-"):
            cve = values.cve_id(alias)
            yield from (Fact(cve, since, ADVISORY, claim) for claim in claims)


def _aliases(record: dict[str, Any]) -> tuple[str, ...]:
    """Other ids of the same flaw, and the CVE that a distribution's own record follows."""
    related = [*items(record.get("aliases"))[:100], *items(record.get("upstream"))[:100]]
    return tuple(dict.fromkeys(values.text(each) for each in related if isinstance(each, str)))


def _affected(record: dict[str, Any], name: str, modified: str) -> Iterator[Advisory]:
    """One advisory a package: a record lists a package once for each series of its versions."""
    packages: dict[tuple[str, str], tuple[list[Interval], list[str]]] = {}
    withdrawn = bool(record.get("withdrawn"))
    scored: dict[tuple[str, str], Scored] = {}
    whole = scored_of(record)
    for each in items(record.get("affected"))[:MAX_AFFECTED]:
        package = table(table(each).get("package"))
        ecosystem, title = values.text(package.get("ecosystem"), 80), values.text(package.get("name"), 300)
        if not ecosystem or not title:
            continue
        key = ecosystem, normal_name(ecosystem, title)
        intervals, versions = packages.setdefault(key, ([], []))
        if not withdrawn:
            intervals += _intervals(table(each))
            listed = items(table(each).get("versions"))[: MAX_VERSIONS - len(versions)]
            versions += [text for version in listed if (text := values.text(version))]
        own = scored_of(table(each))
        scored[key] = own if own.vector or own.rating else whole
    for (ecosystem, title), (intervals, versions) in packages.items():
        score = scored[ecosystem, title]
        yield Advisory(
            id=name,
            ecosystem=ecosystem,
            package=title,
            modified=modified,
            aliases=_aliases(record),
            intervals=tuple(dict.fromkeys(intervals)),
            versions=tuple(dict.fromkeys(versions)),
            summary=values.text(record.get("summary"), 300)
            or values.text(record.get("details"), 200).partition("\n")[0],
            malicious=name.startswith("MAL-") and not withdrawn,
            withdrawn=withdrawn,
            score=score.score,
            vector=score.vector,
            rating=score.rating,
            weaknesses=values.cwe_numbers(items(table(record.get("database_specific")).get("cwe_ids")))[:10],
            reference=_reference(record),
        )


def _summary(record: dict[str, Any]) -> str:
    return values.text(record.get("summary"), 300) or values.text(record.get("details")).partition("\n")[0]


def _reference(record: dict[str, Any]) -> str:
    """The page of the advisory itself, as far as it names one."""
    found = [table(each) for each in items(record.get("references"))[:100]]
    pages = [values.text(each.get("url"), 300) for each in found if each.get("type") == "ADVISORY"]
    return next((page for page in pages if page.startswith("https://")), "")


def _intervals(affected: dict[str, Any]) -> Iterator[Interval]:
    for each in items(affected.get("ranges"))[:200]:
        if table(each).get("type") not in ("SEMVER", "ECOSYSTEM"):
            continue
        start: str | None = None
        for event in items(table(each).get("events"))[:2_000]:
            (key, value) = next(iter(table(event).items()), ("", ""))
            version = values.text(str(value))
            if key == "introduced":
                if start is not None:
                    yield Interval(start)
                start = version
            elif start is not None and key == "fixed":
                yield Interval(start, fixed=version)
                start = None
            elif start is not None and key == "last_affected":
                yield Interval(start, last_affected=version)
                start = None
        if start is not None:
            yield Interval(start)


def _claims(record: dict[str, Any]) -> Iterator[AnyClaim]:
    if details := values.text(record.get("details"), values.MAX_TEXT):
        yield Text(details)
    numbers = values.cwe_numbers(items(table(record.get("database_specific")).get("cwe_ids")))
    if numbers:
        yield Weaknesses(numbers)
