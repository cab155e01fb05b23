"""The audit pack: every document, the published log, the verifier and a list of digests, in one reproducible archive.

An auditor needs Python and the package ``cryptography``, and nothing from us.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from glasshouse.dossier import vocabulary
from glasshouse.dossier.document import Audience, Document, for_audience
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.exports.cyclonedx import cyclonedx
from glasshouse.dossier.exports.oscal import oscal
from glasshouse.dossier.kinds.registry import KINDS, make
from glasshouse.dossier.render.registry import render

MAX_RECEIPTS = 1_000
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip archive: the same bytes whenever it is packed
README = """Audit pack of {subject}

Evidence as of {as_of}: log {origin}, {size} entries.

documents/   each document as HTML and JSON; the JSON names the log entries behind every computed value
exports/     the evidence by measure as OSCAL assessment results, the model as a CycloneDX bill of materials
receipts/    a proof that the log holds it, for each entry that a value names
             python verify_glasshouse.py receipts/N.tlog-proof --policy KEYS-YOU-GOT-ELSEWHERE
log/         the published log: checkpoint, tiles and entries, without payloads; log.policy holds the operator's keys
verify_glasshouse.py   checks every hash and signature of log/ (Python 3.11 and the package `cryptography`):
             python verify_glasshouse.py log --policy KEYS-YOU-GOT-ELSEWHERE
SHA256SUMS   digests of all files: sha256sum -c SHA256SUMS
"""


def documents(made: Iterable[Document]) -> Iterator[tuple[str, bytes]]:
    """Every document as HTML and JSON, by its name in the pack."""
    for document in made:
        for form in ("html", "json"):
            yield f"documents/{document.kind}.{form}", render(document, form)


def exports(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """The formats of others, by their names in the pack."""
    for name, body in (("oscal.json", oscal(evidence)), ("cyclonedx.json", cyclonedx(evidence))):
        vocabulary.check(body.decode(), name)
        yield f"exports/{name}", body


def named_entries(made: Iterable[Document]) -> list[int]:
    """The log entries that values of documents name, each once, in order; a bounded number of them."""
    return sorted({entry for document in made for value in document.values() for entry in value.entries})[:MAX_RECEIPTS]


def published(log: Path) -> Iterable[tuple[str, bytes]]:
    """The files of a published log, in order of their names."""
    for path in sorted(each for each in log.rglob("*") if each.is_file()):
        yield f"log/{path.relative_to(log).as_posix()}", path.read_bytes()


def audit_pack(evidence: Evidence, audience: Audience, log: Path, verifier: str, proof: Callable[[int], str]) -> bytes:
    """The archive.

    ``log`` is a directory that `glasshouse log export` wrote, ``verifier`` the one file's text, ``proof`` gives the
    receipt of an entry.
    """
    made = [for_audience(make(kind, evidence, audience), audience) for kind in KINDS]
    basis = evidence.basis
    said = README.format(
        subject=evidence.model.identity.name, as_of=basis.as_of.isoformat(), origin=basis.origin, size=basis.size
    )
    packed = io.BytesIO()
    sums: list[str] = []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, body: bytes) -> None:
            sums.append(f"{hashlib.sha256(body).hexdigest()}  {name}\n")
            _write(archive, name, body)

        add("README.txt", said.encode())
        add("verify_glasshouse.py", verifier.encode())
        for name, body in chain(documents(made), exports(evidence)):
            add(name, body)
        for entry in named_entries(made):
            add(f"receipts/{entry}.tlog-proof", proof(entry).encode())
        for name, body in published(log):
            add(name, body)
        _write(archive, "SHA256SUMS", "".join(sums).encode())
    return packed.getvalue()


def _write(archive: zipfile.ZipFile, name: str, body: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, body)
