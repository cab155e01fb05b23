"""Files that only have the name of a list: a driver's `qcom-rpm.txt`, a chapter called `requirements.txt`."""

from __future__ import annotations

import re

from glasshouse.inventory.trees.model import Tree

MAX_BYTES = 200_000_000
MAX_LINES = 60
LEAST = 0.6
"""The share of lines that must have the form of the list."""
_REQUIREMENT = re.compile(r"(?i)^(?:-|[a-z0-9][a-z0-9._-]*\s*(?:\[[^\]]*\])?\s*(?:[=<>!~;@(\\].*)?$|[a-z+]+://|\.)")
_FORMS = (
    ("rpm.txt", re.compile(r"^\S+-[^-\s]+-[^-\s]+$")),
    ("dpkg.txt", re.compile(r"^\S+\s+\d\S*$")),
    (".txt", _REQUIREMENT),
)


_MARK = re.compile(rb"(?i)cyclonedx|spdx")
MARK_BYTES = 1_000_000


_BILL = re.compile(rb'"(?:bomFormat|spdxVersion|SPDXID)"|spdx\.org/rdf|cyclonedx\.org/schema')
BEGINNING = 4_096


def begins_as_bill(path: str, tree: Tree) -> bool:
    """Whether a JSON file of any name is a bill of materials, as far as its beginning tells."""
    content = tree.read(path, MAX_BYTES)
    return content is not None and _BILL.search(content[:BEGINNING]) is not None


def looks_right(path: str, tree: Tree) -> bool:
    """Whether a file that was found by its name has the form that the name promises; only lists in text may not."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(("bom.json", "bom.xml")):
        content = tree.read(path, MAX_BYTES)
        return content is None or _MARK.search(content[:MARK_BYTES]) is not None
    form = next((form for ending, form in _FORMS if name.endswith(ending)), None)
    if form is None:
        return True
    content = tree.read(path, MAX_BYTES)
    if content is None:
        return True  # said when it is read
    text = content[:20_000].decode("utf-8", "replace")
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")][
        :MAX_LINES
    ]
    return not lines or sum(bool(form.match(line)) for line in lines) >= LEAST * len(lines)
