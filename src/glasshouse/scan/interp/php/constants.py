"""Constants of PHP whose value or name decides something; numbers where they are combined with ``|``."""

from __future__ import annotations

from glasshouse.scan.interp.values import FALSE, Value

NUMBERS = {
    "ENT_COMPAT": 2,
    "ENT_QUOTES": 3,
    "ENT_NOQUOTES": 0,
    "ENT_IGNORE": 4,
    "ENT_SUBSTITUTE": 8,
    "ENT_DISALLOWED": 128,
    "ENT_HTML401": 0,
    "ENT_XML1": 16,
    "ENT_XHTML": 32,
    "ENT_HTML5": 48,
    "LIBXML_NOENT": 2,
    "LIBXML_DTDLOAD": 4,
    "LIBXML_DTDATTR": 8,
    "LIBXML_DTDVALID": 16,
    "LIBXML_NOERROR": 32,
    "LIBXML_NOWARNING": 64,
    "LIBXML_NOBLANKS": 256,
    "LIBXML_XINCLUDE": 1024,
    "LIBXML_NONET": 2048,
    "LIBXML_NOCDATA": 16384,
    "LIBXML_COMPACT": 65536,
    "JSON_HEX_TAG": 1,
    "JSON_HEX_AMP": 2,
    "JSON_HEX_APOS": 4,
    "JSON_HEX_QUOT": 8,
    "JSON_UNESCAPED_SLASHES": 64,
    "JSON_UNESCAPED_UNICODE": 256,
    "JSON_PRETTY_PRINT": 128,
    "EXTR_OVERWRITE": 0,
    "EXTR_SKIP": 1,
    "EXTR_PREFIX_ALL": 3,
    "OPENSSL_RAW_DATA": 1,
    "OPENSSL_ZERO_PADDING": 2,
    "PHP_INT_MAX": 9223372036854775807 // 2,
}
TEXTS = {"PHP_EOL": "\n", "DIRECTORY_SEPARATOR": "/", "PATH_SEPARATOR": ":"}
CONSTANTS: dict[str, Value] = {
    **{name: Value(value) for name, value in NUMBERS.items()},
    **{name: Value(text) for name, text in TEXTS.items()},
    "FALSE": FALSE,
    "TRUE": Value(True),
    "NULL": Value(None),
    "E_ALL": Value(path="E_ALL"),
}
