"""Finding all text in a request or an answer, also in fields that nobody has heard of yet.

Every string counts as text unless it is known to be something else: a short name or identifier, a URL's payload, or
content no text can be read from, which is counted so that the log can say that it was not screened.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from glasshouse.gateway.dialect.interface import AnswerShapeError, Piece, RequestShapeError, Role, Segment

MAX_NAME = 200
"""Characters; a longer value of a field that should hold a name is read as text."""
NAMES: Final = frozenset(
    "id type model object role name media_type mime_type format detail status finish_reason stop_reason tool_use_id "
    "call_id tool_call_id item_id file_id response_id created_by user safety_identifier prompt_cache_key service_tier "
    "system_fingerprint effort summary_format encoding_format ttl index event_id sequence_number obfuscation "
    "previous_response_id cache_control native_finish_reason provider truncation tool_choice verbosity".split()
)
SEALED: Final = frozenset({"signature", "encrypted_content", "b64_json", "partial_image_b64", "thought_signature"})
LINKS: Final = frozenset({"url", "image_url", "file_url", "server_url"})
_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TOOL_TYPES: Final = frozenset(
    {"tool_result", "function_call_output", "custom_tool_call_output", "computer_call_output"}
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\-\s]*+")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
_STATE: Final = frozenset({"file_id", "previous_response_id", "conversation", "container", "vector_store_ids"})


class Found:
    """What a walk found: text with whose words it is, unreadable content, references to state held upstream."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.opaque_bytes = 0
        self.opaque_parts = 0
        self.state: list[str] = []

    def walk(self, value: Any, role: Role) -> None:
        """Reads ``value`` and everything below it.  The depth has been bounded by `decode_object`."""
        self.members({"": value}, role)

    def members(self, value: dict[str, Any], role: Role) -> None:
        """Reads the members of an object, which are of ``role`` unless an object below says otherwise."""
        for key, each in value.items():
            if len(key) > MAX_NAME:
                self.segments.append(Segment("other", key))
            if key in _STATE and each:
                self.state.append(key)
            if isinstance(each, str):
                if each and (key not in NAMES or len(each) > MAX_NAME):
                    self._text(each, role, key, value)
            elif isinstance(each, dict):
                self._object(each, role)
            elif isinstance(each, list):
                self._list(each, role, key, value)

    def _object(self, value: dict[str, Any], role: Role) -> None:
        named = value.get("role")
        if isinstance(named, str):
            role = _ROLES.get(named, "other")
        elif isinstance(kind := value.get("type"), str) and kind in _TOOL_TYPES:
            role = "tool"
        self.members(value, role)

    def _list(self, value: list[Any], role: Role, key: str, parent: dict[str, Any]) -> None:
        if value and isinstance(value[0], int) and key == "input":  # text as numbers of tokens
            self.opaque_parts += 1
            self.opaque_bytes += 4 * len(value)
            return
        for each in value:
            if isinstance(each, dict):
                self._object(each, role)
            elif isinstance(each, str):
                if each and (key not in NAMES or len(each) > MAX_NAME):
                    self._text(each, role, key, parent)
            elif isinstance(each, list):
                self._list(each, role, key, parent)

    def _text(self, value: str, role: Role, key: str, parent: dict[str, Any]) -> None:
        if key in SEALED or _is_encoded(value, key, parent):
            self.opaque_parts += 1
            self.opaque_bytes += len(value)
            return
        if key in LINKS and value.startswith(("http://", "https://")):  # what lies there, the upstream fetches
            self.opaque_parts += 1
        self.segments.append(Segment(role, value))


def _is_encoded(value: str, key: str, parent: dict[str, Any]) -> bool:
    """Images, audio and documents in base64; a text document in ``data`` is text."""
    if value.startswith("data:") and (head := _DATA_URL.match(value)):
        return _BASE64.fullmatch(value, head.end()) is not None
    if key not in ("data", "file_data") or parent.get("type") == "text":
        return False
    return _BASE64.fullmatch(value) is not None


def texts_of(value: Any) -> tuple[tuple[Piece, ...], int]:
    """All text in (a part of) an answer as whole pieces, and the bytes that cannot be read."""
    found = Found()
    found.walk(value, "assistant")
    return tuple(Piece("", each.text, whole=True) for each in found.segments), found.opaque_bytes


def decode_event(data: str) -> dict[str, Any]:
    """The JSON object in an event's data."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise AnswerShapeError(f"an event's data is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise AnswerShapeError("an event's data is not a JSON object")
    return value


def model_name(body: dict[str, Any]) -> str:
    """The model that a request names."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestShapeError("`model` must name a model", "model")
    if len(model) > MAX_NAME or not model.isascii() or not model.isprintable() or " " in model:
        raise RequestShapeError(f"`model` must be at most {MAX_NAME} printable ASCII characters", "model")
    return model


def flag(body: dict[str, Any], key: str) -> bool:
    """A field that is true, false, null or absent."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise RequestShapeError(f"`{key}` must be true or false", key)
    return bool(value)


def count(body: dict[str, Any], key: str, highest: int) -> int | None:
    """A field that is a whole number from 1 to ``highest``, null or absent."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
        raise RequestShapeError(f"`{key}` must be a whole number from 1 to {highest}", key)
    return value


def listed(body: dict[str, Any], key: str) -> list[Any]:
    """A field that must be a list with at least one entry."""
    value = body.get(key)
    if not isinstance(value, list) or not value:
        raise RequestShapeError(f"`{key}` must be a list with at least one entry", key)
    return value


def text(body: dict[str, Any], *keys: str) -> str:
    """The text at a path of keys; empty where there is none."""
    value: Any = body
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def number(body: Any, *keys: str) -> int | None:
    """The count at a path of keys, None where there is none or it is no count."""
    value: Any = body
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
