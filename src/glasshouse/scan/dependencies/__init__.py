"""Dependencies with published flaws: inventories of a tree or image held against imported advisories."""

from glasshouse.scan.dependencies.run import Known, scan_dependencies

__all__ = ["Known", "scan_dependencies"]
