"""The process in which an engine works: input on standard input, one result a line on standard output.

It knows neither key nor door nor log.  An error is the last line, and the exit status says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from glasshouse.gateway.acts.work import WORKS
from glasshouse.words.errors import GlasshouseError

FAILED = 1


class Failure(msgspec.Struct, frozen=True, tag_field="kind", tag="failure"):
    """Why an engine gave up."""

    code: str
    what: str
    where: str
    hint: str


def main(arguments: list[str]) -> int:
    """Runs one piece of work; ``arguments`` are the capability and the home folder."""
    work = WORKS[arguments[0]]
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=work.input)
    out = sys.stdout.buffer
    try:
        for result in work.run(given, Path(arguments[1])):
            line = {"kind": type(result).__name__, "value": msgspec.to_builtins(result)}
            out.write(msgspec.json.encode(line) + b"\n")
            out.flush()
    except GlasshouseError as error:
        out.write(msgspec.json.encode(Failure(error.code, error.what, error.where, error.hint)) + b"\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
