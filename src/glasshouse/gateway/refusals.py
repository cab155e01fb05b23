"""Why a request is not served, in the words of the caller's dialect."""

from __future__ import annotations

from glasshouse.gateway.dialect.interface import Dialect, ErrorKind, RequestShapeError
from glasshouse.ledger.receipt import Receipt
from glasshouse.words.errors import (
    ApprovalNeededError,
    BudgetError,
    CredentialError,
    DeniedError,
    GlasshouseError,
    QuotaError,
    StoppedError,
    UpstreamError,
    WithheldError,
)

_KINDS: tuple[tuple[type[GlasshouseError], ErrorKind], ...] = (
    (CredentialError, "authentication"),
    (ApprovalNeededError, "approval"),
    (QuotaError, "budget"),
    (BudgetError, "budget"),
    (WithheldError, "withheld"),
    (StoppedError, "stopped"),
    (DeniedError, "permission"),
    (UpstreamError, "upstream"),
)


class Refusal(Exception):  # noqa: N818 - it is an answer, no fault
    """An answer other than what was asked for.

    ``recorded`` tells whether the log holds it already, ``receipt`` proves that it does.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        *,
        retry_after_s: int = 0,
        recorded: bool = False,
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        self.kind, self.code, self.message = kind, code, message
        self.retry_after_s, self.recorded, self.receipt = retry_after_s, recorded, receipt

    def body(self, dialect: Dialect, request_id: str) -> bytes:
        """The answer's body."""
        return dialect.error(self.kind, self.message, self.code, request_id)

    def event(self, dialect: Dialect, request_id: str) -> bytes:
        """The same in the middle of a stream."""
        return dialect.error_event(self.kind, self.message, self.code, request_id)


def refusal_for(error: GlasshouseError | RequestShapeError) -> Refusal:
    """The refusal that an error leads to; what nobody foresaw keeps the door closed."""
    if isinstance(error, RequestShapeError):
        where = f" (at `{error.where}`)" if error.where else ""
        return Refusal("invalid_request", "gateway.request", f"{error.what}{where}")
    kind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), None)
    message = f"{error.what}. {error.hint}"
    if kind is None:
        return Refusal("closed", error.code, f"Glasshouse does not act on what it cannot record or decide: {message}")
    recorded = isinstance(error, (DeniedError, ApprovalNeededError, QuotaError, CredentialError))
    place = f" {error.where}." if recorded and error.where else ""
    receipt = error.receipt if isinstance(error.receipt, Receipt) else None
    return Refusal(kind, error.code, f"{message}{place}", recorded=recorded, receipt=receipt)
