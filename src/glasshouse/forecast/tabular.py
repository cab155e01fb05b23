"""CSV text to rows, whatever is in it: any line end, fields of any length (callers bound the text)."""

from __future__ import annotations

import csv
import io

MAX_FIELD = 2**31 - 1


def csv_rows(text: str) -> csv.DictReader[str]:
    """The rows of a text with a header line; no content makes it raise."""
    csv.field_size_limit(MAX_FIELD)
    return csv.DictReader(io.StringIO(text, newline=None))
