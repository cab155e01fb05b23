"""Makes the JSON Schema that our OCSF events are validated with from a checkout of the published schema.

python scripts/extract_ocsf.py CHECKOUT [COMMIT]      writes tests/data/ocsf/ocsf-1.8.0.schema.json

CHECKOUT is a clone of github.com/ocsf/ocsf-schema (Apache-2.0); COMMIT is the one of the release.  Only the classes and
objects that Glasshouse writes are taken; other objects are accepted as they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "tests" / "data" / "ocsf" / "ocsf-1.8.0.schema.json"
RELEASE = "3dcb905d26523ce4d5d0ba3c28c8507e2c859407"  # "v1.8.0 prep (#1592)": version.json says 1.8.0
CLASSES = {
    6003: "events/application/api_activity.json",
    2002: "events/findings/vulnerability_finding.json",
    2003: "events/findings/compliance_finding.json",
    2004: "events/findings/detection_finding.json",
    2005: "events/findings/incident_finding.json",
}
BASES = {
    "application": "events/application/application.json",
    "finding": "events/findings/finding.json",
    "base_event": "events/base_event.json",
}
OBJECTS = """
actor affected_code api authorization compliance cwe evidences file finding_info metadata network_endpoint organization
policy product request resource_details service user vulnerability
""".split()
TYPES: dict[str, dict[str, Any]] = {
    "boolean_t": {"type": "boolean"},
    "integer_t": {"type": "integer"},
    "long_t": {"type": "integer"},
    "port_t": {"type": "integer", "minimum": 0, "maximum": 65535},
    "timestamp_t": {"type": "integer"},
    "float_t": {"type": "number"},
    "json_t": {},
    "object_t": {"type": "object"},
}


class Schema:
    """The published schema at one commit."""

    def __init__(self, checkout: Path, commit: str) -> None:
        self.checkout, self.commit = checkout, commit
        self.dictionary = self.read("dictionary.json")

    def read(self, path: str) -> Any:
        """One of its files."""
        command = ["git", "-C", str(self.checkout), "show", f"{self.commit}:{path}"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def attributes(self, definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The attributes of a class or object with those of its bases and profiles; what is nearer wins."""
        found: dict[str, dict[str, Any]] = {}
        base = definition.get("extends")
        if base in BASES:
            found = self.attributes(self.read(BASES[base]))
        elif base not in (None, "object"):
            found = self.attributes(self.read(f"objects/{base}.json"))
        own = dict(definition["attributes"])
        includes = own.pop("$include", [])
        for profile in [includes] if isinstance(includes, str) else includes:
            for name, each in self.read(profile)["attributes"].items():
                found.setdefault(name, each | {"requirement": "optional"})  # a profile binds those who declare it
        for name, each in own.items():
            merged = found.get(name, {}) | each
            if "enum" in found.get(name, {}) and "enum" in each:
                merged["enum"] = found[name]["enum"] | each["enum"]
            found[name] = merged
        return found

    def category(self, definition: dict[str, Any]) -> int:
        """The number of a class's category."""
        while "category" not in definition:
            definition = self.read(BASES[definition["extends"]])
        if definition["category"] == "other" and "extends" in definition:
            raise SystemExit("a class without a category")
        return int(self.read("categories.json")["attributes"][definition["category"]]["uid"])

    def schema(self, definition: dict[str, Any]) -> dict[str, Any]:
        """A class or object as JSON Schema."""
        attributes = self.attributes(definition)
        required = sorted(name for name, each in attributes.items() if each.get("requirement") == "required")
        made: dict[str, Any] = {
            "type": "object",
            "properties": {name: self.attribute(name, each) for name, each in sorted(attributes.items())},
            "required": required,
            "additionalProperties": False,
        }
        at_least_one = definition.get("constraints", {}).get("at_least_one")
        if at_least_one:
            made["anyOf"] = [{"required": [name]} for name in at_least_one]
        return made

    def attribute(self, name: str, own: dict[str, Any]) -> dict[str, Any]:
        """One attribute."""
        known = self.dictionary["attributes"][name] | own
        one = self.value(known["type"])
        values = known.get("enum")
        if values and "integer" in one.get("type", ""):
            one = {"enum": sorted(int(each) for each in values)}
        return {"type": "array", "items": one} if known.get("is_array") else one

    def value(self, kind: str) -> dict[str, Any]:
        """A single value of a type of the dictionary, or an object."""
        if kind in OBJECTS:
            return {"$ref": f"#/$defs/{kind}"}
        if kind in TYPES:
            return TYPES[kind]
        types = self.dictionary["types"]["attributes"]
        if kind not in types:
            return {"type": "object"}
        return TYPES.get(types[kind].get("type", ""), {"type": "string"})


def main(arguments: list[str]) -> int:
    """Writes the file."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    schema = Schema(Path(arguments[0]), arguments[1] if len(arguments) > 1 else RELEASE)
    version = schema.read("version.json")["version"]
    classes = {}
    for uid, path in CLASSES.items():
        definition = schema.read(path)
        made = schema.schema(definition)
        category = schema.category(definition)
        if category * 1000 + definition["uid"] != uid:
            raise SystemExit(f"{path} is not class {uid} in this release")
        made["properties"] |= {"class_uid": {"const": uid}, "category_uid": {"const": category}}
        classes[str(uid)] = made
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Extracted by scripts/extract_ocsf.py from github.com/ocsf/ocsf-schema, version {version}, commit "
        f"{schema.commit}; Copyright OCSF a Series of LF Projects, LLC; Apache License 2.0.",
        "$defs": classes | {name: schema.schema(schema.read(f"objects/{name}.json")) for name in OBJECTS},
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    print(f"{OUT}: {OUT.stat().st_size:,} bytes, version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
