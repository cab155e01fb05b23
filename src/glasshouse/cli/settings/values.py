"""Checking one value against its option, whether it comes from TOML or from text (environment)."""

from __future__ import annotations

from typing import TypeVar

from glasshouse.cli.settings.options import Option, Value

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")

T = TypeVar("T", bool, str, int)
N = TypeVar("N", int, float)


class OptionValueError(ValueError):
    """A value that does not fit its option; the text completes "`key` ..."."""


def check_value(option: Option, raw: object) -> Value:
    """The value as the option's type; raises ``OptionValueError`` that says what was expected and what was found."""
    match option.kind:
        case "flag":
            return _expect(raw, bool, "must be true or false")
        case "text" | "file" | "directory":
            return _expect(raw, str, "must be a string")
        case "choice":
            return _choice(option, _expect(raw, str, f"must be one of {_listed(option.choices)}"))
        case "threshold":
            return _threshold(option, raw)
        case "integer":
            if isinstance(raw, bool):
                raise OptionValueError(f"must be a whole number, not {_shown(raw)}")
            return _bounded(option, _expect(raw, int, "must be a whole number"))
        case "number":
            if isinstance(raw, bool) or not isinstance(raw, int | float):
                raise OptionValueError(f"must be a number, not {_shown(raw)}")
            return _bounded(option, float(raw))
        case "list" | "files":
            return _texts(option, raw)


def check_text(option: Option, text: str) -> Value:
    """The value written as text, as environment variables are; lists are separated by commas."""
    match option.kind:
        case "flag":
            word = text.strip().lower()
            if word in TRUE_WORDS or word in FALSE_WORDS:
                return word in TRUE_WORDS
            raise OptionValueError(f"must be true or false, not {_shown(text)}")
        case "integer" | "number":
            try:
                number = int(text) if option.kind == "integer" else float(text)
            except ValueError:
                raise OptionValueError(f"must be a number, not {_shown(text)}") from None
            return _bounded(option, number)
        case "list" | "files":
            return _texts(option, [part for part in (piece.strip() for piece in text.split(",")) if part])
        case _:
            return check_value(option, text)


def _expect(raw: object, kind: type[T], expectation: str) -> T:
    if not isinstance(raw, kind):
        raise OptionValueError(f"{expectation}, not {_shown(raw)}")
    return raw


def _choice(option: Option, text: str) -> str:
    if text not in option.choices:
        raise OptionValueError(f"must be one of {_listed(option.choices)}, not {_shown(text)}")
    return text


def _threshold(option: Option, raw: object) -> str:
    """One of the choices, or a number from 0 to 1, as text."""
    text = raw if isinstance(raw, str) else repr(raw)
    if text in option.choices:
        return text
    try:
        number = -1.0 if isinstance(raw, bool) else float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise OptionValueError(f"must be one of {_listed(option.choices)} or a number from 0 to 1, not {_shown(raw)}")
    return text


def _bounded(option: Option, number: N) -> N:
    if number != number or (option.minimum is not None and number < option.minimum):
        raise OptionValueError(f"must be at least {option.minimum:g}, not {number:g}")
    return number


def _texts(option: Option, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise OptionValueError(f"must be a list of strings, not {_shown(raw)}")
    return tuple(_choice(option, item) for item in raw) if option.choices else tuple(raw)


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(choices)


def _shown(raw: object) -> str:
    """A short form of a value for messages, with the word TOML has for its type."""
    names = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "table"}
    shown = repr(raw)
    return f"{shown[:40]} ({names.get(type(raw), type(raw).__name__)})"
