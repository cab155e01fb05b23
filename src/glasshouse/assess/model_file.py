"""``model.yaml``: which model is assessed, by digest; its statements are shown as statements, not as measurements."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from glasshouse.assess.yaml_file import decode
from glasshouse.words.errors import ModelFileError

MAX_NAME = 200
DIGEST = r"^sha256:[0-9a-f]{64}$"


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and version, and exactly one digest: of the weights, or of the description of a hosted endpoint."""

    name: str
    version: str
    weights_digest: str = ""
    endpoint_digest: str = ""
    endpoint: str = ""
    depends_on: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that runs must carry."""
        return self.weights_digest or self.endpoint_digest


class Placing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether and when the model is placed on the Union market; a model that never is, is assessed all the same."""

    on_union_market: bool
    date: dt.date | None = None
    channels: tuple[str, ...] = ()


class Compute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training compute.  ``operations`` counts floating-point operations (1e25 is a number, not 1025)."""

    operations: float | None = None
    method: str = ""
    energy_mwh: float | None = None
    wall_clock_days: float | None = None
    hardware_days: float | None = None
    hardware: str = ""


class DataSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source of training or test data."""

    name: str
    licence: str
    kind: Literal["web crawling", "private", "user data", "public", "synthetic", "other"]
    rows: int = 0
    unit: str = "rows"
    digest: str = ""
    use: Literal["training", "validation", "testing"] = "training"


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model as its provider describes it.  ``suites`` are the evaluations that ``glasshouse assess run`` runs."""

    identity: Identity
    provider: str
    intended_use: str
    placing: Placing
    suites: tuple[str, ...] = ()
    not_for: str = ""
    licence: str = ""
    architecture: str = ""
    parameters: int | None = None
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    compute: Compute = Compute()
    data: tuple[DataSource, ...] = ()
    contact: str = ""


def load_model(name: str, text: bytes) -> ModelFile:
    """The model of a YAML text.  Raises `ModelFileError` naming the field."""
    model = decode(name, text, ModelFile, ModelFileError)
    identity = model.identity
    digests = [each for each in (identity.weights_digest, identity.endpoint_digest) if each]
    if len(digests) != 1:
        raise ModelFileError("give exactly one of identity.weights_digest and identity.endpoint_digest", where=name)
    if not _is_digest(digests[0]):
        raise ModelFileError(f"a digest is written sha256: and 64 hex digits, not `{digests[0][:80]}`", where=name)
    for field, said in (("name", identity.name), ("version", identity.version)):
        if not said.strip() or len(said) > MAX_NAME or not said.isprintable():
            raise ModelFileError(f"identity.{field} is one line of 1 to {MAX_NAME} printable characters", where=name)
    if model.placing.on_union_market and model.placing.date is None:
        raise ModelFileError("placing.on_union_market is true and placing.date is missing", where=name)
    return model


def _is_digest(text: str) -> bool:
    import re

    return re.fullmatch(DIGEST, text) is not None
