"""How the basis of a value is shown, the same in every format."""

from __future__ import annotations

from glasshouse.dossier.document import Document
from glasshouse.dossier.values import BASES, Shares, Value

MAX_ENTRIES_SHOWN = 8
SECOND = "%Y-%m-%d %H:%M:%S UTC"


def basis_text(value: Value) -> str:
    """The basis in a few words: which entries, who and when, which file, or what would fill the gap."""
    if value.basis == "missing":
        return f"missing: {value.needs}" if value.needs else "missing"
    if value.basis == "external":
        return f"external: {short(value.digest)}"
    words = [_entries(value.entries)] if value.entries else []
    if value.span is not None:
        words.append(f"over entries {value.span[0]} to {value.span[1]}")
    if value.basis == "attested" and value.at is not None:
        words.insert(0, f"{value.who}, {value.at.date().isoformat()}")
    if value.digest:
        words.append(short(value.digest))
    return f"{value.basis}: {', '.join(words)}"


def _entries(entries: tuple[int, ...]) -> str:
    shown = ", ".join(str(entry) for entry in entries[:MAX_ENTRIES_SHOWN])
    more = f" and {len(entries) - MAX_ENTRIES_SHOWN} more" if len(entries) > MAX_ENTRIES_SHOWN else ""
    return f"{'entry' if len(entries) == 1 else 'entries'} {shown}{more}"


def short(digest: str) -> str:
    """The first 12 hex digits of a digest with its algorithm; the whole digest is in the JSON form."""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:12]}" if digits else digest[:19]


def headline(document: Document) -> str:
    """The share of each basis in one line: of the questions, and of the rows of tables."""
    questions, rows = document.shares(), document.row_shares()
    asks = any(section.fields for section in document.sections)
    parts = [_shares("question" if questions.total == 1 else "questions", questions)] if asks else []
    parts += [_shares("row of tables" if rows.total == 1 else "rows of tables", rows)] if rows.total or not asks else []
    return "; ".join(parts)


def _shares(what: str, counts: Shares) -> str:
    parts = [f"{getattr(counts, basis)} {basis} ({counts.percent(basis):.0f} %)" for basis in BASES]
    return f"{counts.total} {what}: {', '.join(parts)}"


def provenance(document: Document) -> str:
    """What the document was computed from, in one line."""
    basis = document.basis
    erased = f", {basis.erased} payloads erased" if basis.erased else ""
    return (
        f"Evidence as of {basis.as_of.strftime(SECOND)}: log {basis.origin}, {basis.size} entries, "
        f"checkpoint {short(basis.checkpoint)}{erased}; for {document.audience}."
    )
