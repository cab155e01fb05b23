"""Hardening of a root file system or a container image: what is set, left behind or writable that should not be."""

from glasshouse.scan.system.run import scan_system

__all__ = ["scan_system"]
