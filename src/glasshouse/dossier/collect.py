"""From the log to `Evidence`: one pass over its entries, in their order, with memory that does not grow with the log.

The caller hands in entries already opened (`Observed`); nothing here knows where they came from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from glasshouse.assess.classify import Classification
from glasshouse.assess.framework import Framework, framework_digest
from glasshouse.assess.gate import Commitment, Verdict
from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.records import (
    AssessRecord,
    ClassificationRecorded,
    EstimateRecorded,
    FrameworkCommitted,
    ModelRegistered,
    OverrideRecorded,
    RunRecorded,
    VerdictRecorded,
    answers_bytes,
)
from glasshouse.assess.register import Estimate, register
from glasshouse.assess.runs import Run, Sample
from glasshouse.dossier.document import Basis
from glasshouse.dossier.events import VOTE, read_event
from glasshouse.dossier.evidence import (
    Attestation,
    Evidence,
    External,
    Incident,
    Month,
    Override,
    Registered,
    Training,
    Version,
)
from glasshouse.dossier.involvement import Involvement
from glasshouse.dossier.months import REQUESTS, counted, with_false_alarm
from glasshouse.dossier.records import (
    Attested,
    DocumentMade,
    DossierRecord,
    ExternalKept,
    TrainingRecorded,
    holds,
    statement_bytes,
)
from glasshouse.dossier.values import Value
from glasshouse.duties.clock import Clock
from glasshouse.duties.law import Law
from glasshouse.duties.records import Case, Duties, DutyRecord, Recorded, clocks, fold
from glasshouse.duties.registers import ComplaintDecided, ComplaintReceived, row_clocks
from glasshouse.words.errors import EvidenceError

Record = AssessRecord | DossierRecord | DutyRecord
RECORD_KINDS = frozenset(
    str(each.__struct_config__.tag) for union in (AssessRecord, DossierRecord, DutyRecord) for each in union.__args__
)
_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def encoded(record: Record) -> bytes:
    """The record as the log keeps it.

    Raises `EvidenceError` where it would not come back as it is, such as for an endless number, which JSON has not.
    """
    body = msgspec.json.encode(record, order="deterministic")
    try:
        _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        tag = record.__struct_config__.tag
        raise EvidenceError(f"a record {tag} cannot be kept, for it could not be read again: {error}") from error
    return body


class Observed(msgspec.Struct, frozen=True):
    """One entry as it is read: envelope, and its payload where it was opened.

    ``record`` is the body of a record of ours, ``event`` the OCSF event of an act; both None when erased or not opened.
    """

    index: int
    at: dt.datetime
    kind: str
    decision: str
    record: bytes | None = None
    event: bytes | None = None
    about: int | None = None
    organisation: str = ""
    key: str = ""


class Log(msgspec.Struct):
    """What one pass over the log gathered, for every model at once."""

    models: dict[str, tuple[ModelFile, str]] = {}
    frameworks: dict[str, Framework] = {}
    commitments: list[Commitment] = []
    newest_framework: str = ""
    runs: list[Run] = []
    drawn: dict[int, tuple[Sample, ...]] = {}
    verdicts: list[tuple[Verdict, int]] = []
    overrides: list[Override] = []
    estimates: list[tuple[Estimate, str]] = []
    classifications: dict[str, tuple[Classification, int]] = {}
    trainings: list[Training] = []
    attestations: list[Attestation] = []
    externals: list[External] = []
    versions: list[tuple[str, Version]] = []  # by subject
    duties: list[Recorded] = []
    involved: dict[str, Involvement] = {}  # by case; filled by a second pass where people linked entries
    months: dict[str, Month] = {}
    guard_counts: dict[str, int] = {}
    policy: tuple[str, int] = ("", -1)
    upholding: set[int] = set()  # requests to uphold an appeal
    complaints: set[str] = set()  # those about screening
    erased: int = 0


def gather(entries: Iterable[Observed]) -> Log:
    """One pass.  Raises `EvidenceError` for a record that cannot be read, naming its entry."""
    log = Log()
    for entry in entries:
        if entry.kind in RECORD_KINDS:
            if entry.record is None:
                log.erased += 1
            else:
                _take(log, entry, _decode(entry))
        elif entry.kind == "ledger.erase":
            log.erased += 1
        elif entry.kind.startswith("act.") or entry.kind == VOTE:
            _count(log, entry)
    return log


def _decode(entry: Observed) -> Record:
    assert entry.record is not None
    try:
        return _DECODER.decode(entry.record)
    except msgspec.MsgspecError as error:
        raise EvidenceError(f"the record cannot be read: {error}", where=f"entry {entry.index}") from error


def _take(log: Log, entry: Observed, record: Record) -> None:
    replace = msgspec.structs.replace
    match record:
        case FrameworkCommitted(framework=framework):
            digest = framework_digest(framework)
            log.frameworks[digest] = framework
            log.newest_framework = digest
            log.commitments.append(Commitment(digest, entry.at, entry.index))
        case ModelRegistered(model=model, digest=digest):
            log.models[model.identity.name] = (model, digest)
        case RunRecorded(run=run, samples=samples, draw=draw):
            log.runs.append(replace(run, entry=entry.index))
            log.drawn[entry.index] = tuple(each for each in samples if each.id in draw)
        case VerdictRecorded(verdict=verdict):
            log.verdicts.append((verdict, entry.index))
        case OverrideRecorded(model=model_name, tier=tier, names=names, reason=reason):
            log.overrides.append(Override(model_name, tier, names, reason, entry.at, entry.index))
        case EstimateRecorded(estimate=estimate, model_digest=digest):
            log.estimates.append((replace(estimate, entry=entry.index), digest))
        case ClassificationRecorded(model=model_name, result=result, answers=answers):
            sound = holds(record.public_key, record.signature, answers_bytes(model_name, answers))
            log.classifications[model_name] = (
                replace(result, signed_by=record.public_key if sound else ""),
                entry.index,
            )
        case TrainingRecorded(training=training):
            log.trainings.append(replace(training, entry=entry.index))
        case Attested(statement=statement, public_key=key, signature=signature):
            sound = holds(key, signature, statement_bytes(statement))
            log.attestations.append(replace(statement, entry=entry.index, signer=key, unsound=not sound))
        case ExternalKept(external=external):
            log.externals.append(replace(external, entry=entry.index))
        case DocumentMade(kind=kind, subject=subject, audience=audience, digest=digest):
            log.versions.append((subject, Version(kind, audience, digest, entry.at, entry.index)))
        case _:
            log.duties.append(Recorded(entry.index, entry.at, record))
            _complaint(log, entry, record)


def _complaint(log: Log, entry: Observed, record: Record) -> None:
    """A complaint about screening that is upheld is a false alarm of the month in which it was decided."""
    if isinstance(record, ComplaintReceived) and record.about == "screening":
        log.complaints.add(record.id)
    if isinstance(record, ComplaintDecided) and record.upheld and record.id in log.complaints:
        log.months[_month(entry.at)] = with_false_alarm(_month_of(log, entry))


def _count(log: Log, entry: Observed) -> None:
    event = read_event(entry.event, entry.index) if entry.event is not None else None
    name = _month(entry.at)
    log.months[name] = counted(_month_of(log, entry), entry.index, entry.kind, entry.decision, event)
    if entry.about in log.upholding and entry.decision == "done":
        log.months[name] = with_false_alarm(log.months[name])
    if event is None or entry.kind not in REQUESTS:
        return
    if event.upholds_an_appeal and entry.kind == "act.request":
        log.upholding.add(entry.index)
    if event.policy.version:
        log.policy = (event.policy.version, entry.index)
    if entry.kind != "act.request":
        for rule in event.rules:
            log.guard_counts[rule] = log.guard_counts.get(rule, 0) + 1


def _month(at: dt.datetime) -> str:
    return f"{at.year:04}-{at.month:02}"


def _month_of(log: Log, entry: Observed) -> Month:
    name = _month(entry.at)
    return log.months.get(name) or Month(name, span=(entry.index, entry.index))


def named(log: Log, model: str) -> tuple[ModelFile, str]:
    """The newest file of a registered model and its digest; `EvidenceError` with the names that there are."""
    if model not in log.models:
        known = ", ".join(sorted(log.models)) or "none"
        raise EvidenceError(f"no model `{model}` is registered in this log; there are: {known}")
    return log.models[model]


def evidence(log: Log, model: str, basis: Basis, law: Law, organisation: str = "") -> Evidence:
    """What the log holds about one model.  Raises `EvidenceError` for a model that was never registered.

    Clocks stand as of the evidence, not as of now, so that the same log gives the same document.
    """
    file, digest = named(log, model)
    framework = log.frameworks.get(log.newest_framework)
    duties = fold(log.duties)
    weights = file.identity.digest
    estimates = [estimate for estimate, of in log.estimates if of == weights]
    return Evidence(
        basis=msgspec.structs.replace(basis, erased=log.erased),
        model=file,
        model_file_digest=digest,
        organisation=organisation,
        framework=framework,
        commitments=tuple(log.commitments),
        runs=tuple(log.runs),
        drawn=log.drawn,
        verdicts=tuple(log.verdicts),
        overrides=tuple(log.overrides),
        register=register(framework, weights, log.runs, estimates, log.guard_counts) if framework else None,
        classification=log.classifications.get(model),
        trainings=tuple(log.trainings),
        attestations=tuple(log.attestations),
        externals=tuple(each for each in log.externals if each.model in ("", model)),
        months=tuple(log.months[name] for name in sorted(log.months)),
        incidents=incidents(duties, law, basis.as_of, log.involved),
        registers=registers(duties, model, law, basis.as_of),
        policy_hash=log.policy[0],
        policy_entry=log.policy[1],
        versions=tuple(version for subject, version in log.versions if subject == model),
    )


def incidents(
    duties: Duties, law: Law, as_of: dt.datetime, involved: Mapping[str, Involvement]
) -> tuple[Incident, ...]:
    """Every case as a report shows it, with its clocks as of the evidence."""
    return tuple(
        _incident(case, clocks(duties, case, law, as_of), involved.get(name, Involvement()))
        for name, case in duties.cases.items()
    )


def registers(duties: Duties, model: str, law: Law, as_of: dt.datetime) -> tuple[Registered, ...]:
    """Every register row about the model, or about no model in particular, with its clocks as of the evidence."""
    return tuple(
        Registered(row, row_clocks(row, law, as_of, duties.calendar, duties.scope))
        for row in duties.rows.values()
        if row.opened.model in ("", model)
    )


def _incident(case: Case, standing: tuple[Clock, ...], involved: Involvement) -> Incident:
    points = {}
    for name, note in case.notes.items():
        said: Any = note.record
        points[name] = Value(said.text, "attested", (note.entry,), who=f"{said.name} ({said.role})", at=note.at)
    opened = case.opened
    return Incident(
        opened.case,
        opened.title,
        opened.model,
        case.at,
        case.entries,
        points,
        standing,
        case.filings,
        case.closed,
        involved,
    )
