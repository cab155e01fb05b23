"""Software bills of materials: CycloneDX (JSON, XML), SPDX 2 (JSON, tag-value), SPDX 3 (JSON).

The graph of dependencies only tells what is direct; it is not walked, so cycles in it do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glasshouse.inventory.component import Component, Entry, LeftOut, from_purl
from glasshouse.inventory.document import Document, items, string, table
from glasshouse.inventory.xml_tree import Element, parse_xml

MAX_NESTING = 50
NO_SOFTWARE = frozenset({"file", "data", "cryptographic-asset", "device", "machine-learning-model"})
"""Types of CycloneDX components that have no version to match, unless a package URL says otherwise."""


def json_bill(document: Document) -> Iterator[Entry | LeftOut]:
    """CycloneDX or SPDX, told by their own marks."""
    found = document.json()
    if found.get("bomFormat") == "CycloneDX" or "components" in found:
        yield from _cyclonedx(found, document)
    elif "spdxVersion" in found:
        yield from _spdx(found, document)
    elif "@graph" in found:
        yield from _spdx3(found, document)
    else:
        raise ValueError("neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`, `@graph`)")


def _cyclonedx(found: dict[str, Any], document: Document) -> Iterator[Entry | LeftOut]:
    root = string(table(table(found.get("metadata")).get("component")).get("bom-ref"))
    graph = {
        string(table(each).get("ref")): items(table(each).get("dependsOn")) for each in items(found.get("dependencies"))
    }
    direct = frozenset(each for each in graph.get(root, ()) if isinstance(each, str)) if root in graph else None
    stack: list[tuple[Any, int]] = [(each, 0) for each in reversed(items(found.get("components")))]
    while stack:
        each, depth = stack.pop()
        if not isinstance(each, dict):
            yield LeftOut("components", "an entry is no object")
            continue
        purl, own_name = string(each.get("purl")), string(each.get("name"))
        if purl or string(each.get("type")) not in NO_SOFTWARE:
            name = "/".join(part for part in (string(each.get("group")), own_name) if part)
            line = document.line_of(f'"{purl}"') if purl else document.line_of(f'"{own_name}"')
            is_direct = string(each.get("bom-ref")) in direct if direct is not None else None
            yield _entry(purl, name, string(each.get("version")), _supplier(each), line, is_direct)
        if depth < MAX_NESTING:
            stack += [(child, depth + 1) for child in reversed(items(each.get("components")))]


def xml_bill(document: Document) -> Iterator[Entry | LeftOut]:
    """CycloneDX in XML."""
    root = parse_xml(document.content)
    if root.tag != "bom":
        raise ValueError(f"the root element is <{root.tag[:40]}>, not CycloneDX's <bom>")
    own = root.first("metadata", "component")
    reference = own.attributes.get("bom-ref", "") if own is not None else ""
    graph = {each.attributes.get("ref", ""): each for each in root.every("dependencies", "dependency")}
    top = graph.get(reference)
    direct = frozenset(each.attributes.get("ref", "") for each in top.children) if top is not None else None
    holder = root.first("components")
    stack: list[tuple[Element, int]] = [(each, 0) for each in reversed(holder.children)] if holder is not None else []
    while stack:
        each, depth = stack.pop()
        purl = each.value("purl")
        if each.tag == "component" and (purl or each.attributes.get("type") not in NO_SOFTWARE):
            name = "/".join(part for part in (each.value("group"), each.value("name")) if part)
            supplier = each.value("supplier", "name") or each.value("manufacturer", "name") or each.value("publisher")
            line = (each.first("purl") or each.first("name") or each).line
            is_direct = each.attributes.get("bom-ref", "") in direct if direct is not None else None
            yield _entry(purl, name[:500], each.value("version")[:500], supplier[:500], line, is_direct)
        inner = each.first("components")
        if inner is not None and depth < MAX_NESTING:
            stack += [(child, depth + 1) for child in reversed(inner.children)]


def _spdx(found: dict[str, Any], document: Document) -> Iterator[Entry | LeftOut]:
    links = [table(each) for each in items(found.get("relationships"))]
    described = {string(each) for each in items(found.get("documentDescribes"))}
    described |= {
        string(each.get("relatedSpdxElement")) for each in links if each.get("relationshipType") == "DESCRIBES"
    }
    direct = _direct(links, described)
    for each in items(found.get("packages")):
        if not isinstance(each, dict):
            yield LeftOut("packages", "an entry is no object")
            continue
        own = string(each.get("SPDXID"))
        references = [table(one) for one in items(each.get("externalRefs"))]
        purls = (string(one.get("referenceLocator")) for one in references if one.get("referenceType") == "purl")
        purl, name = next(purls, ""), string(each.get("name"))
        if own in described and not purl:
            continue  # the document's own subject
        supplier = string(each.get("supplier")).partition(":")[2].strip() or string(each.get("supplier"))
        supplier = "" if supplier == "NOASSERTION" else supplier
        line = document.line_of(f'"{purl}"') if purl else document.line_of(f'"{name}"')
        is_direct = own in direct if direct is not None else None
        yield _entry(purl, name, string(each.get("versionInfo")), supplier, line, is_direct)


def _direct(links: list[dict[str, Any]], described: set[str]) -> frozenset[str] | None:
    """What the document's subjects depend on; None where it does not say."""
    if not described:
        return None
    found = {
        string(each.get("relatedSpdxElement"))
        for each in links
        if each.get("relationshipType") == "DEPENDS_ON" and string(each.get("spdxElementId")) in described
    }
    found |= {
        string(each.get("spdxElementId"))
        for each in links
        if each.get("relationshipType") == "DEPENDENCY_OF" and string(each.get("relatedSpdxElement")) in described
    }
    return frozenset(found) or None


def _spdx3(found: dict[str, Any], document: Document) -> Iterator[Entry | LeftOut]:
    for each in items(found.get("@graph")):
        if isinstance(each, dict) and str(each.get("type", "")).endswith("software_Package"):
            purl, name = string(each.get("software_packageUrl")), string(each.get("name"))
            line = document.line_of(f'"{purl or name}"')
            yield _entry(purl, name, string(each.get("software_packageVersion")), "", line, None)


def spdx_tags(document: Document) -> Iterator[Entry | LeftOut]:
    """SPDX 2 in its tag-value form."""
    current: dict[str, str] = {}
    start = 0
    for number, line in enumerate(document.lines(), start=1):
        tag, separator, value = line.partition(":")
        if not separator:
            continue
        if tag == "PackageName":
            if current:
                yield _tagged(current, start)
            current, start = {tag: value.strip()}, number
        elif tag in ("PackageVersion", "PackageSupplier"):
            current[tag] = value.strip()
        elif tag == "ExternalRef" and " purl " in f" {value} " and value.split():
            current["purl"] = value.split()[-1]
    if current:
        yield _tagged(current, start)


def _tagged(current: dict[str, str], line: int) -> Entry | LeftOut:
    supplier = current.get("PackageSupplier", "").partition(":")[2].strip()
    name, version = current.get("PackageName", ""), current.get("PackageVersion", "")
    return _entry(current.get("purl", ""), name, version, supplier, line, None)


def _entry(purl: str, name: str, version: str, supplier: str, line: int, direct: bool | None) -> Entry | LeftOut:
    if not purl:
        if not name:
            return LeftOut("entry", "neither package URL nor name", line)
        return Entry(Component("", name, version, supplier), line, direct)
    try:
        component = from_purl(purl, supplier)
    except ValueError as error:
        return LeftOut(purl[:100], f"no valid package URL: {error}", line)
    return Entry(component, line, direct, purl)


def _supplier(entry: dict[str, Any]) -> str:
    for key in ("supplier", "manufacturer"):
        value = entry.get(key)
        if isinstance(value, dict) and string(value.get("name")):
            return string(value.get("name"))
    return string(entry.get("publisher"))
