"""The sources that can be imported, by the name a user types."""

from __future__ import annotations

from glasshouse.forecast.importers.cvelist import CveListImporter
from glasshouse.forecast.importers.epss import EpssImporter
from glasshouse.forecast.importers.exploits import (
    ExploitDbImporter,
    MentionsImporter,
    MetasploitImporter,
    NucleiImporter,
    RepositoriesImporter,
)
from glasshouse.forecast.importers.interface import Importer
from glasshouse.forecast.importers.kev import KevImporter
from glasshouse.forecast.importers.nvd import NvdImporter
from glasshouse.forecast.importers.osv import OsvImporter

IMPORTERS: dict[str, Importer] = {
    importer.kind: importer
    for importer in (
        CveListImporter(),
        NvdImporter(),
        OsvImporter(),
        KevImporter(),
        EpssImporter(),
        MetasploitImporter(),
        ExploitDbImporter(),
        NucleiImporter(),
        RepositoriesImporter(),
        MentionsImporter(),
    )
}
