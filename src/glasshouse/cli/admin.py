"""What the administrative commands share: the register opened for the caller, and how records are shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from glasshouse.door.administration import Administration

F = TypeVar("F", bound=Callable[..., object])


@contextmanager
def opened() -> Iterator[Administration]:
    """The register of this machine's home."""
    from glasshouse.door.administration import administration

    with administration(os.environ) as admin:
        yield admin


def with_format(function: F) -> F:
    """Adds ``--format text|json``."""
    choice = click.Choice(["text", "json"])
    return click.option("--format", "form", type=choice, default="text", show_default=True, help="Form of the output.")(
        function
    )


def as_json(value: object) -> None:
    """Prints a value as JSON, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def say(text: str) -> None:
    """Prints a line that may hold other people's text."""
    from glasshouse.words.display import visible

    click.echo(visible(text))


def date(seconds: int) -> str:
    """A time as people read it, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "no end"


def digest_of(path: str) -> str:
    """SHA-256 of a file of evidence; the file itself stays where it is."""
    import hashlib

    from glasshouse.words.errors import PathError
    from glasshouse.words.named_file import open_named

    try:
        with open_named(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=path) from error
