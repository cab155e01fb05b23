"""COBOL: a reader of fixed and free format, and an analysis of its own, because programs share their data and jump."""

from glasshouse.scan.language.cobol.frontend import CobolFrontEnd

__all__ = ["CobolFrontEnd"]
