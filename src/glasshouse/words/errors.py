"""The error tree: every error says what failed, where, why it matters and what to do next.

``code`` is stable and documented; ``exit_code`` is the process status of the command line; ``status`` is the HTTP
status for the gateway.  Raise the most specific class and pass ``what`` in words a user can act on.
"""

from __future__ import annotations


class GlasshouseError(Exception):
    """Base of every error that Glasshouse raises on purpose."""

    code = "internal"
    status = 500
    exit_code = 70
    hint = "Run again with --debug and report what it prints."
    receipt: object | None = None
    """What the log gave for the entry that records the error, where there is one."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        if hint:
            self.hint = hint

    def diagnostics(self) -> str:
        """The message for people: what, where, and the next step, one per line."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n  help: {self.hint}"


class UsageError(GlasshouseError):
    """The caller asked for something that cannot be done as asked."""

    code = "usage"
    status = 400
    exit_code = 2
    hint = "See `glasshouse --help`."


class PathError(UsageError):
    """A path named by the caller does not exist or cannot be read."""

    code = "usage.path"
    hint = "Check the spelling and the permissions of the path."


class ConfigError(UsageError):
    """A configuration file or value is wrong."""

    code = "config"
    hint = "Run `glasshouse config` to see every setting with its origin."


class RuleError(UsageError):
    """A rule or model file does not follow the rule schema."""

    code = "rules.invalid"
    hint = "See docs/reference/rules-format.md for the rule format."


class BaselineError(UsageError):
    """A baseline file or git reference cannot be used."""

    code = "baseline"
    hint = "Write a new baseline with `glasshouse scan --write-baseline FILE`."


class ModelError(GlasshouseError):
    """The weights of a model are missing, damaged, or not the expected ones."""

    code = "guard.model"
    status = 503
    exit_code = 2
    hint = "Install Glasshouse again, or name the digest of your own weights; nothing is screened with unknown weights."


class ForecastStoreError(UsageError):
    """The store of facts about vulnerabilities cannot be opened or read."""

    code = "forecast.store"
    hint = "Name another file with --store, or import again: `glasshouse forecast import KIND PATH`."


class ForecastModelError(GlasshouseError):
    """The weights of the forecast model are missing, damaged or of another version."""

    code = "forecast.model"
    hint = "Install the package again; the weights are part of it."


class UnknownVulnerabilityError(GlasshouseError):
    """Nothing was known about the vulnerability on the day asked for."""

    code = "forecast.unknown"
    status = 404
    exit_code = 4
    hint = "Import records that hold it: `glasshouse forecast import cvelist PATH`."


class InventoryError(UsageError):
    """An inventory (bill of materials, lock file, package list, services table) cannot be read."""

    code = "exposure.inventory"
    hint = "See docs/how-to/exposure.md for the formats that are read."


class NothingToAnalyseError(GlasshouseError):
    """No file below the given paths is in a language we read."""

    code = "scan.nothing"
    status = 422
    exit_code = 4
    hint = "Check the paths, the ignore files and --lang; `glasshouse scan --help` lists the languages."


class LawDataError(UsageError):
    """A file of rules of law lacks a citation, has an unknown field, or contradicts itself."""

    code = "law.data"
    hint = "Correct the row that is named; every row needs citation, confidence and one form of deadline."


class AnchorError(UsageError):
    """An event that starts a legal clock cannot be what was said: it lies in the future or has no time zone."""

    code = "duty.anchor"
    hint = "Give the time of the event with its time zone, such as 2026-11-27T09:30+01:00, not later than now."


class AnswerError(UsageError):
    """An answer to a classification question is none that the question offers."""

    code = "classify.answer"
    hint = "`glasshouse classify --questions` prints every question with its answers."


class ModelFileError(UsageError):
    """A model file has an unknown or missing field, or a malformed digest."""

    code = "assess.model"
    hint = "See docs/how-to/assess-a-model.md for the fields of model.yaml."


class FrameworkError(UsageError):
    """A framework file lacks a margin, one of the specified risks, or names something that is not there."""

    code = "assess.framework"
    hint = "Every threshold needs a margin above 0, every access tier an acceptable tier for each risk."


class CommitmentError(GlasshouseError):
    """Thresholds were not committed to the log before the run they judge."""

    code = "assess.commitment"
    status = 409
    exit_code = 1
    hint = "Commit them first: glasshouse assess commit --framework FILE; then run the evaluations again."


class RegisterError(GlasshouseError):
    """The risk register cannot be closed yet."""

    code = "assess.register"
    status = 409
    exit_code = 1
    hint = "Run the missing evaluations and record the missing estimates; `glasshouse assess register` shows the gaps."


class VocabularyError(GlasshouseError):
    """A document would claim what only an authority can say."""

    code = "dossier.vocabulary"
    status = 422
    exit_code = 2
    hint = "Say what the evidence is and as of when; change the statement that holds the word."


class MissingExtraError(UsageError):
    """A feature needs an optional dependency that is not installed."""

    code = "usage.extra"
    status = 501
    hint = "Install the extra that is named."


class LedgerError(GlasshouseError):
    """The log cannot do what was asked; nothing already stored has changed."""

    code = "ledger"
    status = 503
    exit_code = 3
    hint = "Run `glasshouse verify` on the log's directory to see what holds."


class EntryError(LedgerError):
    """The log does not take this entry: a field out of its alphabet, too long, or an outcome without its request."""

    code = "ledger.entry"
    status = 400
    exit_code = 2
    hint = "Correct the entry; docs/reference/log-format.md gives the form and limits of every field."


class LedgerKeyError(LedgerError):
    """A key file is missing, malformed, or readable by others."""

    code = "ledger.key"
    exit_code = 2
    hint = "Give the key file to the user who runs the log, with mode 0600."


class LedgerBusyError(LedgerError):
    """Another committer holds this log, or too much waits to be written."""

    code = "ledger.busy"
    exit_code = 2
    hint = "Use the running committer (`join=True`), or end the other process."


class LedgerFullError(LedgerError):
    """The disk is full; the entry was not written, and no receipt exists for it."""

    code = "ledger.full"
    status = 507
    hint = "Free space on the log's disk; the log goes on with the next entry."


class LedgerStoppedError(LedgerError):
    """The log has stopped for good, because going on could make it lie."""

    code = "ledger.stopped"
    hint = "Mend the disk, restart the machine, run `glasshouse verify`, and only then remove `ledger.stopped`."


class LedgerVersionError(LedgerError):
    """The log's directory was written by a newer version."""

    code = "ledger.version"
    exit_code = 2
    hint = "Install the version of glasshouse that wrote this log, or a newer one."


class LedgerOutcomeUnknownError(LedgerError):
    """The committer went away before it answered; the entry may or may not be in the log."""

    code = "ledger.unknown"
    hint = "Look for the entry with `glasshouse log tail` before you append it again."


class ErasedError(LedgerError):
    """The payload was erased."""

    code = "ledger.erased"
    status = 410
    exit_code = 2
    hint = "The entry and its proofs remain; the erasure entry says on which basis."


class ErasureRefusedError(LedgerError):
    """The payload must not be erased: a legal hold, or too few approvals."""

    code = "ledger.erasure-refused"
    status = 409
    exit_code = 3
    hint = "Release the hold, or get the approvals of two approvers; docs/how-to/erase-a-payload.md shows how."


class VerificationError(LedgerError):
    """A log, its published form or a receipt does not hold."""

    code = "ledger.verification"
    status = 422
    exit_code = 6
    hint = "Keep the files as they are; compare with a copy and with the checkpoints that witnesses hold."


class RollbackError(LedgerError):
    """Witnesses hold a larger or another log under this name; signing would rewrite history."""

    code = "ledger.rollback"
    exit_code = 6
    hint = "Restore a copy as new as the size that the witnesses hold, or start a log with a new origin."


class SigmaRuleError(UsageError):
    """Sigma rules cannot be used."""

    code = "respond.rules"
    hint = "See docs/how-to/sigma-rules.md; `glasshouse respond rules` lists what is loaded."


class NoEventsError(GlasshouseError):
    """The given logs hold no event that can be read."""

    code = "respond.nothing"
    status = 422
    exit_code = 4
    hint = "Check the paths; docs/reference/log-formats.md lists the formats that are read."


class PlanError(UsageError):
    """A response plan is not valid, or does not fit the incident it is for."""

    code = "respond.plan"
    hint = "Make the plan anew with `glasshouse respond LOGS --plans DIR`."


class ApprovalError(GlasshouseError):
    """A step of a plan may not be carried out: it lacks an approval."""

    code = "respond.approval"
    status = 403
    exit_code = 3
    hint = "Leave out --execute for a dry run; `glasshouse approvals` shows what waits for whom."


class ConnectorError(GlasshouseError):
    """A connector could not carry out a step; what it answered is in the message."""

    code = "respond.connector"
    status = 502
    exit_code = 5
    hint = "Check the connector's settings, then run the plan again: steps that succeeded are not repeated."


class AccessError(GlasshouseError):
    """An organisation, person, key or engagement cannot be changed or used as asked."""

    code = "access"
    status = 400
    exit_code = 2
    hint = "See `glasshouse access --help`."


class UnknownRecordError(AccessError):
    """No organisation, person, key, engagement, halt or approval has that name."""

    code = "access.unknown"
    status = 404
    hint = "List what there is with `glasshouse access list`."


class TransitionError(AccessError):
    """The state of an organisation, key, engagement or approval does not allow that step."""

    code = "access.transition"
    status = 409
    hint = "docs/reference/state-machines.md shows which steps each state allows."


class DuplicateRecordError(AccessError):
    """A record of that name exists already, and nothing was changed."""

    code = "access.duplicate"
    status = 409
    hint = "Choose another name, or change the one that is there."


class CredentialError(GlasshouseError):
    """The key is malformed, unknown, revoked or expired."""

    code = "access.credential"
    status = 401
    exit_code = 3
    hint = "Ask your administrator for a key: `glasshouse access key issue`."


class DeniedError(GlasshouseError):
    """Policy denied the act; the denial is in the log."""

    code = "door.denied"
    status = 403
    exit_code = 3
    hint = "`glasshouse policy explain` says who could do it and why not."


class ApprovalNeededError(GlasshouseError):
    """The act waits for people to approve it; the request is in the log."""

    code = "door.approval_needed"
    status = 202
    exit_code = 3
    hint = "Ask an approver to run `glasshouse approve ID`, then run the same command with GLASSHOUSE_APPROVAL=ID."


class VoteError(GlasshouseError):
    """An approval or denial is refused: wrong person, wrong signature, lapsed, or for another act."""

    code = "guard.vote"
    status = 409
    exit_code = 3
    hint = "`glasshouse approvals` lists what waits and who may approve it."


class PolicyError(GlasshouseError):
    """The policy set or its schema is wrong, so nothing can be decided."""

    code = "guard.policy"
    status = 503
    exit_code = 3
    hint = "Run `glasshouse policy check` and correct the file that it names."


class StoppedError(GlasshouseError):
    """A halt stopped the act while it ran; the log says how far it came."""

    code = "door.stopped"
    status = 403
    exit_code = 3
    hint = "`glasshouse kill --list` shows the halts in force."


class DoorClosedError(GlasshouseError):
    """The request could not be recorded, so nothing was done."""

    code = "door.closed"
    status = 503
    exit_code = 3
    hint = "Glasshouse acts only on what it can record: see that its home is writable and has free space."


class QuotaError(GlasshouseError):
    """The engagement's limit of use is reached."""

    code = "door.quota"
    status = 429
    exit_code = 3
    hint = "Wait for the next period, or ask for a larger quota."


class StoreError(GlasshouseError):
    """The database of organisations, keys and engagements cannot be read or written."""

    code = "store"
    status = 503
    exit_code = 3
    hint = "Run `glasshouse store check`; `glasshouse store restore` brings a backup back."


class DutyError(UsageError):
    """A duty, case or rule that is named is not there, or is there already."""

    code = "duty.case"
    hint = "`glasshouse duty list` shows the cases, `glasshouse duty rules` the rules."


class EvidenceError(GlasshouseError):
    """A record of the log cannot be read, or what a document is about is not in the log."""

    code = "dossier.evidence"
    status = 422
    exit_code = 2
    hint = "Register the model with `glasshouse assess model MODEL.yaml`; check the log with `glasshouse verify`."


class GatewayError(GlasshouseError):
    """A call to a model cannot be relayed as asked."""

    code = "gateway"
    status = 400
    exit_code = 2
    hint = "docs/reference/gateway.md says what the gateway takes."


class LimitsError(GlasshouseError):
    """The shared table of rates and budgets cannot be used, so nothing is relayed."""

    code = "gateway.limits"
    status = 503
    exit_code = 70
    hint = "Move the file `limits` in the home away; today's counts start anew."


class BudgetError(GatewayError):
    """A rate, a budget or the number of concurrent requests is used up."""

    code = "gateway.budget"
    status = 429
    exit_code = 3
    hint = "Wait as long as Retry-After says, or ask for a larger quota."


class UpstreamError(GatewayError):
    """The upstream could not be reached, broke off, or answered what nobody can read."""

    code = "gateway.upstream"
    status = 502
    exit_code = 70
    hint = "Try again; `GET /readyz` says which upstreams answer."


class WithheldError(GatewayError):
    """Screening stopped the answer; the rest of it was not delivered."""

    code = "gateway.withheld"
    status = 403
    exit_code = 3
    hint = "The receipt names the entry; your administrator can review it."


class SuiteError(GlasshouseError):
    """An evaluation cannot be run, or ran on another model than the file names."""

    code = "assess.suite"
    status = 422
    exit_code = 2
    hint = "`glasshouse assess suites` lists the suites with what each needs."


class EngineError(GlasshouseError):
    """An act was admitted, and its engine could not do it; the outcome is in the log."""

    code = "act.failed"
    status = 422
    exit_code = 70
    hint = "Look at `what`; the same input on the command line says more."


class ClusterError(GlasshouseError):
    """The cluster that a scan was to run on cannot be reached, or one of its machines cannot take part."""

    code = "scan.cluster"
    status = 503
    exit_code = 2
    hint = "Start one with `ray start --head`, or scan without --cluster."


class OverloadedError(GlasshouseError):
    """As much as may run at once runs already; nothing was done."""

    code = "act.overloaded"
    status = 429
    exit_code = 70
    hint = "Try again later."
