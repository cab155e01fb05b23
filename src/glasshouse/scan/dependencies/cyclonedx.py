"""Components as a CycloneDX 1.6 bill of materials (ECMA-424), the same for the same components."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from glasshouse.words.dependency import Dependency

MAX_PLACES = 50


def cyclonedx(dependencies: Iterable[Dependency], version: str) -> str:
    """The bill as JSON; a component that several files list occurs once, with its places."""
    places: dict[tuple[str, str, str, str], list[Dependency]] = {}
    for each in dependencies:
        places.setdefault((each.purl, each.ecosystem, each.name, each.version), []).append(each)
    components = [_component(found) for _, found in sorted(places.items())]
    digest = hashlib.sha256(msgspec.json.encode(components)).digest()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "Glasshouse", "version": version}]},
            "lifecycles": [{"phase": "post-build"}],
        },
        "components": components,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _component(found: list[Dependency]) -> dict[str, Any]:
    first = found[0]
    key = "\0".join((first.purl, first.ecosystem, first.name, first.version))
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32],
        "name": first.name,
    }
    if first.version:
        made["version"] = first.version
    if first.purl:
        made["purl"] = first.purl
    occurrences = [
        {"location": each.location.path} | ({"line": each.location.line} if each.location.line else {})
        for each in found[:MAX_PLACES]
    ]
    made["evidence"] = {"occurrences": occurrences}
    return made
