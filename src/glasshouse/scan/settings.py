"""What a caller may choose about a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec


class ScanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Choices and limits of one scan; every limit names its unit."""

    mode: Literal["application", "library", "both"] = "both"
    languages: tuple[str, ...] = ()  # empty = all
    rules: tuple[str, ...] = ()  # only these rule ids or globs ("-id" removes)
    jobs: int = 0  # 0 = number of cores
    cluster: str = ""  # address of a Ray cluster that reads the files; empty = this machine
    cache_dir: Path | None = None  # None = no cache
    ignore_files: bool = True
    inline_ignores: bool = True
    max_file_bytes: int = 2_000_000
    max_file_seconds: float = 20.0
    max_files: int = 500_000
    include_tests: bool = True
    rule_paths: tuple[Path, ...] = ()  # extra rule files
