"""CycloneDX 1.6 ML-BOM: the model as a component with its card, its data sets, and its measured figures."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from glasshouse import __version__
from glasshouse.dossier.evidence import Evidence
from glasshouse.dossier.exports.oscal import SPACE


def cyclonedx(evidence: Evidence) -> bytes:
    """The bill of materials as JSON.  Figures come from recorded runs only."""
    identity, basis = evidence.model.identity, evidence.basis
    serial = uuid.uuid5(SPACE, f"bom\n{identity.name}\n{basis.checkpoint}")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": basis.as_of.isoformat(),
            "tools": {"components": [{"type": "application", "name": "glasshouse", "version": __version__}]},
        },
        "components": [_component(evidence), *_datasets(evidence)],
    }
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _component(evidence: Evidence) -> dict[str, Any]:
    model = evidence.model
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model:{model.identity.name}",
        "name": model.identity.name,
        "version": model.identity.version,
        "description": model.intended_use,
        "modelCard": _card(evidence),
    }
    if model.identity.weights_digest:
        content = model.identity.weights_digest.removeprefix("sha256:")
        component["hashes"] = [{"alg": "SHA-256", "content": content}]
    if model.licence:
        component["licenses"] = [{"license": {"name": model.licence}}]
    return component


def _card(evidence: Evidence) -> dict[str, Any]:
    model = evidence.model
    metrics = [
        {
            "type": metric.name,
            "value": f"{metric.estimate:.6g}",
            "slice": run.suite,
            "confidenceInterval": {"lowerBound": f"{metric.low:.6g}", "upperBound": f"{metric.high:.6g}"},
        }
        for run in evidence.my_runs()
        for metric in run.metrics
    ]
    card: dict[str, Any] = {
        "modelParameters": {
            "architectureFamily": model.architecture or "not given",
            "inputs": [{"format": each} for each in model.inputs],
            "outputs": [{"format": each} for each in model.outputs],
            "datasets": [{"ref": f"data:{number}"} for number, _ in enumerate(_sources(evidence))],
        },
        "considerations": {"useCases": [model.intended_use]},
    }
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _sources(evidence: Evidence) -> list[tuple[str, str, int]]:
    training = evidence.training()
    if training is not None and training.sources:
        return list(training.sources)
    return [(each.name, each.licence, each.rows) for each in evidence.model.data]


def _datasets(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "type": "data",
            "bom-ref": f"data:{number}",
            "name": name,
            "licenses": [{"license": {"name": licence}}],
            "properties": [{"name": "glasshouse:rows", "value": str(rows)}],
        }
        for number, (name, licence, rows) in enumerate(_sources(evidence))
    ]
