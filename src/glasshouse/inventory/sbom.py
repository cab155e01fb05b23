"""Software bills of materials: CycloneDX JSON (1.2 to 1.7), SPDX 2 JSON and tag-value, SPDX 3 JSON.

Only what matching needs is read: package URLs, names, versions and suppliers.  The graph of dependencies is not
walked, so cycles in it do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.inventory.component import Component, LeftOut, from_purl

MAX_NESTING = 50


def json_bill(content: bytes) -> Iterator[Component | LeftOut]:
    """CycloneDX or SPDX, told by their own marks."""
    try:
        found = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, dict):
        raise ValueError("the document is no object")
    if found.get("bomFormat") == "CycloneDX" or "components" in found:
        yield from _cyclonedx(found)
    elif "spdxVersion" in found:
        yield from _spdx(found)
    elif "@graph" in found:
        yield from _spdx3(found)
    else:
        raise ValueError("neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`, `@graph`)")


def _cyclonedx(found: dict[str, Any]) -> Iterator[Component | LeftOut]:
    stack: list[tuple[Any, int]] = [(each, 0) for each in reversed(_items(found.get("components")))]
    while stack:
        entry, depth = stack.pop()
        if not isinstance(entry, dict):
            yield LeftOut("components", "an entry is no object")
            continue
        supplier = _supplier(entry)
        name = "/".join(part for part in (_text(entry.get("group")), _text(entry.get("name"))) if part)
        yield _component(_text(entry.get("purl")), name, _text(entry.get("version")), supplier)
        if depth < MAX_NESTING:
            stack += [(each, depth + 1) for each in reversed(_items(entry.get("components")))]


def _spdx(found: dict[str, Any]) -> Iterator[Component | LeftOut]:
    for entry in _items(found.get("packages")):
        if not isinstance(entry, dict):
            yield LeftOut("packages", "an entry is no object")
            continue
        references = [each for each in _items(entry.get("externalRefs")) if isinstance(each, dict)]
        purl = next(
            (_text(each.get("referenceLocator")) for each in references if each.get("referenceType") == "purl"), ""
        )
        supplier = _text(entry.get("supplier")).partition(":")[2].strip() or _text(entry.get("supplier"))
        supplier = "" if supplier == "NOASSERTION" else supplier
        yield _component(purl, _text(entry.get("name")), _text(entry.get("versionInfo")), supplier)


def _spdx3(found: dict[str, Any]) -> Iterator[Component | LeftOut]:
    for entry in _items(found.get("@graph")):
        if isinstance(entry, dict) and str(entry.get("type", "")).endswith("software_Package"):
            purl = _text(entry.get("software_packageUrl"))
            yield _component(purl, _text(entry.get("name")), _text(entry.get("software_packageVersion")), "")


def spdx_tags(content: bytes) -> Iterator[Component | LeftOut]:
    """SPDX 2 in its tag-value form."""
    current: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        tag, separator, value = line.partition(":")
        if not separator:
            continue
        if tag == "PackageName":
            if current:
                yield _tagged(current)
            current = {tag: value.strip()}
        elif tag in ("PackageVersion", "PackageSupplier"):
            current[tag] = value.strip()
        elif tag == "ExternalRef" and " purl " in f" {value} ":
            current["purl"] = value.split()[-1]
    if current:
        yield _tagged(current)


def _tagged(current: dict[str, str]) -> Component | LeftOut:
    supplier = current.get("PackageSupplier", "").partition(":")[2].strip()
    return _component(
        current.get("purl", ""), current.get("PackageName", ""), current.get("PackageVersion", ""), supplier
    )


def _component(purl: str, name: str, version: str, supplier: str) -> Component | LeftOut:
    if purl:
        try:
            return from_purl(purl, supplier)
        except ValueError as error:
            return LeftOut(purl[:100], f"no valid package URL: {error}")
    if not name:
        return LeftOut("entry", "neither package URL nor name")
    return Component("", name, version, supplier)


def _supplier(entry: dict[str, Any]) -> str:
    for key in ("supplier", "manufacturer"):
        value = entry.get(key)
        if isinstance(value, dict) and _text(value.get("name")):
            return _text(value.get("name"))
    return _text(entry.get("publisher"))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip()[:500] if isinstance(value, str) else ""
