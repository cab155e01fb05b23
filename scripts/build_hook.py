"""What a wheel carries beside its sources: compiled rules and, where Rust is at hand, the compiled half of screening.

A scan then starts without parsing YAML; a wrong rule file stops the build.  Without Rust the wheel is pure Python and
screens in Python, with the same answers.  ``GLASSHOUSE_COMPILED=0`` leaves the compiled half out, ``1`` insists on it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RULES = "glasshouse/scan/rules/data/compiled.msgpack"
LIBRARY = "libglasshouse_native.so"
NATIVE = f"glasshouse/guard/misuse/data/{LIBRARY}"
SWITCH = "GLASSHOUSE_COMPILED"


class Built(BuildHookInterface[Any]):
    """Compiles into a temporary folder; only an editable installation gets its library into the source tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Makes the files and has them packed."""
        self._folder = tempfile.TemporaryDirectory(prefix="glasshouse-build-")
        library = self._library(Path(self._folder.name))
        if version == "editable":
            if library is not None:
                shutil.copyfile(library, Path(self.root, "src", NATIVE))
            return
        target = Path(self._folder.name) / "compiled.msgpack"
        target.write_bytes(self._rules())
        build_data["force_include"][str(target)] = RULES
        if library is not None:
            build_data["force_include"][str(library)] = NATIVE
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder once the wheel is written."""
        self._folder.cleanup()

    def _rules(self) -> bytes:
        """The package's own rules by the package's own compiler, from the sources that go into the wheel."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        try:
            from glasshouse.scan.rules.loader import compile_shipped
        finally:
            sys.path.pop(0)
        return compile_shipped()

    def _library(self, folder: Path) -> Path | None:
        """The compiled half of screening; None where it is not wanted, or cannot be built and need not be."""
        wanted = os.environ.get(SWITCH, "")
        cargo = shutil.which("cargo")
        if wanted == "0" or (not wanted and (cargo is None or sys.platform != "linux")):
            return None
        if cargo is None:
            raise RuntimeError(f"{SWITCH} asks for the compiled half of screening, and there is no cargo to build it")
        command = [cargo, "build", "--release", "--offline", "--locked", "--target-dir", str(folder / "native")]
        done = subprocess.run(command, cwd=Path(self.root, "native"), check=False, capture_output=True, text=True)
        if done.returncode:
            if wanted:
                raise RuntimeError(f"the compiled half of screening cannot be built:\n{done.stderr}")
            self.app.display_warning(
                f"screening stays in Python, since its compiled half cannot be built:\n{done.stderr}"
            )
            return None
        return folder / "native" / "release" / LIBRARY
