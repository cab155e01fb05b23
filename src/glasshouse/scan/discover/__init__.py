"""Finds the source files below the paths a user names, and reads them safely.

``discover`` walks (no content is read, except the first bytes of names without extension); ``read_source`` runs in the
workers and turns one file into valid UTF-8.  Whatever is left out comes back as ``NotAnalysed``.

Report paths: when every named path lies below the current directory, paths are relative to the current directory;
otherwise they are relative to the deepest directory that contains all named paths (``report_root``).  So the same
command in the same place always gives the same paths, and two files never share one.
"""

from glasshouse.scan.discover.model import DiscoverSettings, ReadLimits, SkipDirectory, SourceFile
from glasshouse.scan.discover.read import read_source
from glasshouse.scan.discover.walk import discover, report_root

__all__ = ["DiscoverSettings", "ReadLimits", "SkipDirectory", "SourceFile", "discover", "read_source", "report_root"]
