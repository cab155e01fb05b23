"""Adds the compiled rules to the wheel: a scan then starts without parsing YAML.  A wrong rule file stops the build."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "glasshouse/scan/rules/data/compiled.msgpack"


class CompiledRules(BuildHookInterface[Any]):
    """Runs the package's own rule compiler on the sources that go into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a temporary folder; the source tree stays as it is."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        try:
            from glasshouse.scan.rules.loader import compile_shipped
        finally:
            sys.path.pop(0)
        self._folder = tempfile.TemporaryDirectory(prefix="glasshouse-build-")
        target = Path(self._folder.name) / "compiled.msgpack"
        target.write_bytes(compile_shipped())
        build_data["force_include"][str(target)] = PLACE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder once the wheel is written."""
        if version != "editable":
            self._folder.cleanup()
