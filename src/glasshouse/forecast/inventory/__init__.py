"""Reading inventories: which software, in which versions, a tree or a service contains.

Reads CycloneDX, SPDX, lock files and package databases of Linux distributions, and a table of services.  Depends on
nothing else in the forecast, so that other engines can use it: ``read_inventory(path)`` gives components and what
was left out.
"""

from glasshouse.forecast.inventory.component import Component, Inventory, LeftOut
from glasshouse.forecast.inventory.read import read_inventory

__all__ = ["Component", "Inventory", "LeftOut", "read_inventory"]
