"""Finds weaknesses in source code: source tree in, findings out.

Order of work: ``discover`` lists files, workers parse and lower each file to the IR (``lowered``), ``analysis`` runs an
abstract interpreter over all files together, ``report`` makes findings.  Knows nothing of who asked; writes nothing.
"""

from typing import TYPE_CHECKING

from glasshouse.scan.settings import ScanSettings

if TYPE_CHECKING:
    from glasshouse.scan.run import scan_tree

__all__ = ["ScanSettings", "scan_tree"]


def __getattr__(name: str) -> object:
    if name == "scan_tree":
        from glasshouse.scan.run import scan_tree

        return scan_tree
    raise AttributeError(name)
