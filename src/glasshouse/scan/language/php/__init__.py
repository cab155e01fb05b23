"""The PHP front end."""

from glasshouse.scan.language.php.frontend import PhpFrontEnd

__all__ = ["PhpFrontEnd"]
