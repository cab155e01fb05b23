"""The Go front end."""

from glasshouse.scan.language.go.frontend import GoFrontEnd

__all__ = ["GoFrontEnd"]
