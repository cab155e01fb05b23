"""Inventories: which software, in which versions, a tree, an image or a service contains; which advisories match.

``read_inventory(path)`` gives the components of one file and what was left out.
"""

from glasshouse.inventory.component import Component, Inventory, LeftOut
from glasshouse.inventory.read import read_inventory

__all__ = ["Component", "Inventory", "LeftOut", "read_inventory"]
