"""In a worker: what a file of C or C++ gets from the headers it includes.  Each header is read once per process."""

from __future__ import annotations

import functools
from hashlib import blake2b

from glasshouse.scan.discover import ReadLimits, SourceFile, read_source
from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.memory.outside import NOTHING, Outside, together
from glasshouse.scan.memory.program import FileFacts
from glasshouse.words.finding import NotAnalysed

LIMITS = LowerLimits(max_seconds=10.0)
MAX_HEADER = 1_000_000  # bytes


def outside_of(headers: tuple[SourceFile, ...]) -> Outside:
    """What the headers of a file, nearest first, say together."""
    if not headers:
        return NOTHING
    return together(tuple(facts for header in headers if (facts := header_facts(header)) is not None))


@functools.lru_cache(maxsize=600)
def header_facts(header: SourceFile) -> FileFacts | None:
    """One header, lowered for those who include it; None if it cannot be read."""
    data = read_source(header, ReadLimits(MAX_HEADER, False, False))
    if isinstance(data, NotAnalysed):
        return None
    reader = front_end("c")
    assert isinstance(reader, CFrontEnd)
    tag = blake2b(header.path.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest() + "."
    return FileFacts(reader.lower_with(data, header.path, LIMITS, {}, tag))
