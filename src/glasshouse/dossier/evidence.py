"""All that documents are computed from, as values; whoever reads the log and the registers builds one of these."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

import msgspec

from glasshouse.assess.classify import Classification
from glasshouse.assess.framework import Framework
from glasshouse.assess.gate import Commitment, Verdict
from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.register import Register
from glasshouse.assess.runs import Run, Sample
from glasshouse.dossier.document import Basis
from glasshouse.dossier.involvement import Involvement
from glasshouse.dossier.values import Value, missing
from glasshouse.duties.clock import Clock
from glasshouse.duties.registers import Row

KEY_DIGITS = 16
INCIDENT_RULES = ("aia73_", "aia26_", "aia55_", "cop93_", "cra_", "nis2_", "dora_", "gdpr")


class Attestation(msgspec.Struct, frozen=True):
    """A statement that a named person signed, recorded under ``entry``.  Empty ``model``: the organisation's.

    One whose signature does not hold is kept, and counts as nothing.
    """

    field: str
    text: str
    name: str
    role: str
    at: dt.datetime
    model: str = ""
    entry: int = -1
    signer: str = ""
    unsound: bool = False  # set when read: its signature does not hold

    @property
    def by(self) -> str:
        """Name and role as the signer wrote them, and the start of the key's id, as `access person key` shows it."""
        said = f"{self.name} ({self.role})"
        if not self.signer:
            return said
        return f"{said}, key {hashlib.sha256(base64.b64decode(self.signer)).hexdigest()[:KEY_DIGITS]}"


class External(msgspec.Struct, frozen=True):
    """An outside document, kept unaltered under its digest."""

    id: str
    title: str
    digest: str
    at: dt.datetime
    model: str = ""
    entry: int = -1


class Training(msgspec.Struct, frozen=True):
    """What a training script recorded about the weights it wrote: digests, counts, time; ``split`` is rows by use."""

    model: str
    weights_digest: str
    code_digest: str
    data_digest: str
    split: dict[str, int]
    sources: tuple[tuple[str, str, int], ...]  # name, licence, rows
    labels: dict[str, int] = {}
    started: dt.datetime | None = None
    seconds: float = 0.0
    hardware: str = ""
    parameters: int = 0
    seed: int = 0
    settings: dict[str, str] = {}
    entry: int = -1


class Month(msgspec.Struct, frozen=True):
    """Counts of one calendar month (``2026-11``) from the log; ``span`` is its first and last entry.

    ``approved`` and ``refused`` are requests that people decided.  ``false_alarms`` are requests that screening held up
    and people approved, and complaints and appeals that were upheld.  ``withheld`` answers were stopped by screening,
    ``stopped`` acts by a halt.  Histograms: ``misuse`` of what was denied; the others of all screened requests.
    """

    month: str
    requests: int = 0
    denied: int = 0
    asked: int = 0
    approved: int = 0
    refused: int = 0
    withheld: int = 0
    stopped: int = 0
    interrupted: int = 0
    false_alarms: int = 0
    misuse: dict[str, int] = {}
    scores: tuple[int, ...] = ()  # requests by tenth of the screening score
    categories: dict[str, int] = {}
    lengths: dict[str, int] = {}
    languages: dict[str, int] = {}
    code: dict[str, int] = {}
    span: tuple[int, int] = (0, 0)


class Version(msgspec.Struct, frozen=True):
    """A document that was made before."""

    kind: str
    audience: str
    digest: str
    at: dt.datetime
    entry: int


class Override(msgspec.Struct, frozen=True):
    """A failed gate that people passed by name."""

    model: str
    tier: str
    names: tuple[str, ...]
    reason: str
    at: dt.datetime
    entry: int


class Incident(msgspec.Struct, frozen=True):
    """A case: its nine points (Code, Measure 9.2) as far as they are recorded, and its clocks."""

    id: str
    title: str
    model: str
    opened: dt.datetime
    entries: tuple[int, ...]
    points: dict[str, Value]
    clocks: tuple[Clock, ...] = ()
    filings: tuple[tuple[str, dt.datetime, int], ...] = ()  # rule, when, entry
    closed: dt.datetime | None = None
    involved: Involvement = Involvement()

    @property
    def serious(self) -> bool:
        """Whether it is an incident at all: a review or a new assessment is a case with clocks too."""
        return any(clock.rule.startswith(INCIDENT_RULES) for clock in self.clocks)


class Registered(msgspec.Struct, frozen=True):
    """A line of a register (representative, request, complaint, evaluator's access) with its clocks."""

    row: Row
    clocks: tuple[Clock, ...]


class Evidence(msgspec.Struct, frozen=True):
    """Everything known about one model at one size of the log."""

    basis: Basis
    model: ModelFile
    model_file_digest: str
    organisation: str = ""
    framework: Framework | None = None
    commitments: tuple[Commitment, ...] = ()
    runs: tuple[Run, ...] = ()
    drawn: dict[int, tuple[Sample, ...]] = {}  # entry of a run -> samples of a seeded draw
    verdicts: tuple[tuple[Verdict, int], ...] = ()  # with their entries
    overrides: tuple[Override, ...] = ()
    register: Register | None = None
    classification: tuple[Classification, int] | None = None
    trainings: tuple[Training, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    externals: tuple[External, ...] = ()
    months: tuple[Month, ...] = ()
    incidents: tuple[Incident, ...] = ()
    policy_hash: str = ""
    policy_entry: int = -1
    versions: tuple[Version, ...] = ()  # documents made before
    registers: tuple[Registered, ...] = ()

    @property
    def digest(self) -> str:
        """The digest of the model itself."""
        return self.model.identity.digest

    def attested(self, field: str, asks: str = "") -> Value:
        """The newest statement on a field, of this model before the organisation's; missing with the way to give it."""
        name = self.model.identity.name
        about = [each for each in self.attestations if each.field == field and each.model in ("", name)]
        mine = [each for each in about if not each.unsound]
        if not mine:
            bad = "".join(f"; the signature of entry {each.entry} does not hold" for each in about)
            return missing(f"glasshouse attest {field} --model {name} --value ...{f' ({asks})' if asks else ''}{bad}")
        best = max(mine, key=lambda each: (each.model == name, each.at, each.entry))
        return Value(best.text, "attested", (best.entry,), who=best.by, at=best.at)

    def stated(self, text: object, field: str) -> Value:
        """What the model file says, once somebody attested the whole file; a statement on the field comes first."""
        own = self.attested(field)
        if own.basis == "attested":
            return own
        if text is None or text == "" or text == ():
            return own
        said = (", ".join(map(str, text)) if isinstance(text, tuple) else str(text)).strip()
        whole = [
            each
            for each in self.attestations
            if each.field == "model-file" and each.text == self.model_file_digest and not each.unsound
        ]
        if not whole:
            return missing(
                f"model.yaml says `{said}`; nobody attested it: glasshouse attest model-file --file model.yaml"
            )
        best = max(whole, key=lambda each: (each.at, each.entry))
        return Value(said, "attested", (best.entry,), who=best.by, at=best.at)

    def training(self) -> Training | None:
        """The newest training record of exactly these weights."""
        mine = [each for each in self.trainings if each.weights_digest == self.digest]
        return max(mine, key=lambda each: each.entry, default=None)

    def my_runs(self) -> tuple[Run, ...]:
        """Runs on exactly this model, oldest first."""
        return tuple(sorted((run for run in self.runs if run.model_digest == self.digest), key=lambda run: run.entry))
