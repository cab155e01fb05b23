"""Glasshouse: a security analyst that works behind glass."""

__version__ = "0.1.0"
