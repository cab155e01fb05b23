"""The documents by name: what each is, and the function that makes it; a module loads when its document is made."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from glasshouse.dossier.document import Audience, Document
from glasshouse.dossier.evidence import Evidence

KINDS: dict[str, tuple[str, str]] = {
    "model-card": ("model_card", "Model card with Hugging Face front matter."),
    "datasheet": ("datasheet", "Datasheet of the training data (Gebru et al.)."),
    "documentation-form": ("documentation_form", "Model Documentation Form of the GPAI Code of Practice, 47 fields."),
    "framework": ("framework", "Safety and Security Framework, written from the file that the gate executes."),
    "model-report": ("model_report", "Safety and Security Model Report."),
    "classification": ("classification", "Record of the classification under the AI Act."),
    "incident-report": ("incident_report", "Serious incidents: the nine points and their clocks."),
    "monitoring": ("monitoring", "Post-market monitoring: monthly figures from the log."),
}

Maker = Callable[[Evidence, Audience], Document]


def make(kind: str, evidence: Evidence, audience: Audience) -> Document:
    """The document of a kind in `KINDS`, for one audience."""
    module = importlib.import_module(f"glasshouse.dossier.kinds.{KINDS[kind][0]}")
    maker: Maker = module.make
    return maker(evidence, audience)
