"""YAML that others wrote: plain values only, nested no deeper than people write it.

The builder in C follows nesting with its own stack and takes the process down at some ten thousand levels, which fit
into a file of a few kilobytes; so the depth is counted first, by events, which nest nothing.
"""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 100


def plain_yaml(text: str | bytes, loader: Any = None) -> list[Any]:
    """The documents of a text.  Raises ``yaml.YAMLError`` for what is no YAML or nested deeper than ``MAX_DEPTH``.

    ``loader`` is a safe loader of the caller's; the fastest there is otherwise.
    """
    import yaml

    chosen = loader or getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    bound_depth(text, chosen)
    return list(yaml.load_all(text, Loader=chosen))


def one_plain_yaml(text: str | bytes, loader: Any = None) -> Any:
    """The one document of a text, None of an empty one; more than one is a ``yaml.YAMLError`` too."""
    import yaml

    documents = plain_yaml(text, loader)
    if len(documents) > 1:
        raise yaml.YAMLError("more than one document")
    return documents[0] if documents else None


def bound_depth(text: str | bytes, loader: Any, limit: int = MAX_DEPTH) -> None:
    """Raises ``yaml.YAMLError`` before anything is built of a text that is nested too deep."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > limit:
                raise yaml.YAMLError(f"nested more than {limit} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
