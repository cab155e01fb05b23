"""Keys: ``glh_<env>_<public id>_<secret>_<check>``, made once, shown once, stored as an HMAC.

The secret is 256 random bits in base 62, so a fast keyed hash is enough and a slow one would only be a lever for
denial of service.  The check digits (CRC-32 of all before them) let a scanner tell a key from a random text.
"""

from __future__ import annotations

import hmac
import re
import secrets
import zlib
from collections.abc import Callable
from hashlib import sha256

import msgspec

from glasshouse.words.errors import CredentialError
from glasshouse.words.party import KeyRecord

ENVIRONMENTS = ("live", "test")
PATTERN = r"glh_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"
DEFAULT_LIFETIME_S = 90 * 86_400
MAX_LIFETIME_S = 366 * 86_400
DEFAULT_OVERLAP_S = 7 * 86_400
PEPPER_BYTES = 32

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(
    r"(?P<body>glh_(?P<env>live|test)_(?P<id>[0-9A-Za-z]{8})_[0-9A-Za-z]{43})_(?P<check>[0-9A-Za-z]{6})"
)


class ParsedKey(msgspec.Struct, frozen=True):
    """A key whose shape and check digits are right; ``repr`` shows the public id alone."""

    text: str
    environment: str
    public_id: str

    def __repr__(self) -> str:
        return f"ParsedKey({self.public_id})"


def mint(environment: str = "live", random: Callable[[int], bytes] = secrets.token_bytes) -> ParsedKey:
    """A new key.  ``random`` gives that many random bytes."""
    if environment not in ENVIRONMENTS:
        raise CredentialError(f"no key environment {environment!r}", hint=f"One of {', '.join(ENVIRONMENTS)}.")
    public_id = _base62(int.from_bytes(random(8)) % 62**8, 8)
    body = f"glh_{environment}_{public_id}_{_base62(int.from_bytes(random(32)), 43)}"
    return ParsedKey(f"{body}_{_check(body)}", environment, public_id)


def parse(text: str) -> ParsedKey:
    """The key in ``text``; the error never repeats the text, which may be another system's secret."""
    match = _SHAPE.fullmatch(text) if len(text) <= 128 else None
    if match is None:
        raise CredentialError("that is not a Glasshouse key", hint="A key looks like glh_live_<8>_<43>_<6>.")
    if not hmac.compare_digest(_check(match["body"]), match["check"]):
        raise CredentialError("the key has a typing error: its check digits do not match")
    return ParsedKey(text, match["env"], match["id"])


def fingerprint(key: ParsedKey, pepper: bytes) -> str:
    """What is stored instead of the key: HMAC-SHA256 under the pepper, in hex."""
    if len(pepper) != PEPPER_BYTES:
        raise ValueError("the pepper must have 32 bytes")
    return hmac.new(pepper, key.text.encode(), sha256).hexdigest()


def matches(key: ParsedKey, record: KeyRecord | None, pepper: bytes) -> bool:
    """Whether the key is the recorded one; takes the same time for an unknown key as for a wrong one."""
    stored = record.mac if record is not None else "0" * 64
    same = hmac.compare_digest(fingerprint(key, pepper), stored)
    return same and record is not None and record.public_id == key.public_id


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)
