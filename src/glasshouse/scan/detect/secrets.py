"""Tells credentials from other texts, by the name they are given and by their shape; pure functions, bounded time."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter

MAX_SECRET = 4096  # characters; longer texts are data, not credentials
_MIN_PASSWORD = 4
_MIN_TOKEN = 8
_RANDOM_BITS = 3.0  # Shannon bits per character from which a token looks random

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD_WORDS = frozenset(
    """
    password passwd passphrase passwort pwd pw pass userpassword dbpassword motdepasse contrasena
    """.split()
)
_TOKEN_WORDS = frozenset(
    """
    secret token apikey credential credentials accesskey secretkey privatekey authtoken
    """.split()
)
_KEY_BEFORE = frozenset(
    """
    api access secret private auth encryption signing crypto master account license app session shared hmac aes
    """.split()
)
# Words that make a name speak about a credential instead of holding one.
_ABOUT = frozenset(
    """
    field name url uri path file filename dir hash digest length len size count min max label prompt title text
    message msg error hint header param parameter key_name type kind format regex pattern policy validator
    validators rules required expired expiry expires expiration ttl timeout lifetime endpoint route page form input
    placeholder id ids class selector column table attribute attr property prop prefix suffix separator template
    help description reset change changed forgot confirm confirmation algorithm alg algo encoding service provider
    manager factory handler helper util utils store storage source env var variable location scope public strength
    score index position char chars status state enabled disabled mode version schema bearer csrf xsrf limit limits
    begin start end stop pad bos eos unk mask special tokenizer vocab config settings option options
    """.split()
)
_PLACEHOLDER = re.compile(
    r"""(?ix)
    (?:<[^>]*>|\$\{[^}]*\}|\{\{.*\}\}|\{[\w.]*\}|%\(\w+\)s|%[sd]|\$\w+|\#\{.*\}|__\w+__|\[[\w\s-]*\]|@\w+@)
    | (?:your|change_?me|replace|insert|placeholder)[\w\s.-]*
    | (?:my|the|some|any|enter|put|add|set|change|fill|use|provide|specify|choose|todo|fixme|tbd|dummy|fake
        |sample|example)[\s_.-][\w\s.-]*
    | [\w\s.-]*[\s_.-](?:here|placeholder|changeme|example|redacted|todo|dummy)
    | todo | fixme | tbd | dummy | example | sample | none | null | nil | undefined | n/a
    | unset | empty | default | unknown | true | false | optional
    | (?:x{3,}|\*{2,}|\.{2,}|-{2,}|_{2,}|\#{2,}|\?{2,}|•+|0{4,})
    | (?:env|process\.env|os\.environ|System\.getenv|vault|ref|secret|arn|file|ssm|keyring|op)[:.(/].*
    """
)
_NAME_LIKE = re.compile(r"_*[a-z][a-z0-9]*(?:[_.\s-][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:[A-Z][a-z]+)+")
_PLACE_LIKE = re.compile(
    r"(?i)(?:[a-z][a-z0-9+.-]*://.*|\.{0,2}/[\w./-]*|[a-z]:\\.*|[\w.-]+\.(?:py|js|ts|java|json|ya?ml|xml|html?|txt|pem|key|crt|css|md))"
)


def entropy(text: str) -> float:
    """Shannon entropy in bits per character; 0 for the empty text."""
    if not text:
        return 0.0
    total = len(text)
    return max(0.0, -sum(count / total * math.log2(count / total) for count in Counter(text).values()))


def is_placeholder(text: str) -> bool:
    """Whether the text stands for a value that is still to be filled in."""
    stripped = text.strip().strip("'\"")
    if not stripped or len(set(stripped.lower())) == 1:
        return True
    return len(stripped) <= MAX_SECRET and _PLACEHOLDER.fullmatch(stripped) is not None


def credential_name(name: str) -> bool:
    """Whether something of that name holds a password, token or secret key (not: speaks about one)."""
    return _kind(name) is not None


PROPERTY = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+")
"""The name of a property: words with dots between."""


def looks_like_secret(name: str, value: str) -> tuple[bool, str]:
    """Whether ``name = value`` gives a credential away, and why (or why not)."""
    kind = _kind(name)
    if kind is None:
        return False, "the name is not that of a credential"
    if len(value) > MAX_SECRET:
        return False, "too long for a credential"
    if is_placeholder(value):
        return False, "the value is a placeholder"
    if _same_words(name, value) or (PROPERTY.fullmatch(value) and _same_words(name, value.rpartition(".")[2])):
        return False, "the value repeats the name"
    return _password(value) if kind == "password" else _token(value)


def redact(text: str) -> str:
    """A form that may be shown: at most the first four characters, and only of long texts."""
    return f"{text[:4]}***" if len(text) >= 16 else "***"


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name[:200])]


@functools.lru_cache(maxsize=65536)
def _kind(name: str) -> str | None:
    words = _words(name)
    if not words:
        return None
    while words and words[-1].isdigit():
        words.pop()
    if (
        not words
        or words[-1] in _ABOUT
        or (len(words) > 1 and words[0] in {"is", "has", "no", "use", "show", "get", "set", "public", "csrf", "xsrf"})
    ):
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "key":
        return "token" if before in _KEY_BEFORE else None
    if any(word in _ABOUT and word not in {"env", "service", "config", "settings", "public"} for word in words[:-1]):
        return None
    if last in _PASSWORD_WORDS:
        return "password"
    if last in {
        "default",
        "value",
        "str",
        "string",
        "bytes",
        "const",
        "b",
        "root",
        "admin",
        "user",
        "db",
        "prod",
        "live",
        "production",
    }:
        return _kind("_".join(words[:-1])) if len(words) > 1 else None
    return "token" if last in _TOKEN_WORDS or before + last in _TOKEN_WORDS else None


def _same_words(name: str, value: str) -> bool:
    words = _words(value)
    return bool(words) and (
        set(words) <= set(_words(name)) or (credential_name(value) and _NAME_LIKE.fullmatch(value) is not None)
    )


def _password(value: str) -> tuple[bool, str]:
    if len(value) < _MIN_PASSWORD:
        return False, "too short for a password"
    if value.count(" ") >= 2 or "\n" in value:
        return False, "the value is a sentence"
    if _PLACE_LIKE.fullmatch(value):
        return False, "the value is an address or a path"
    return True, "a password is given as a constant"


def _token(value: str) -> tuple[bool, str]:
    if len(value) < _MIN_TOKEN:
        return False, "too short for a token"
    if sum(character.isspace() for character in value.strip()) > 1:
        return False, "the value is a sentence"
    if _PLACE_LIKE.fullmatch(value):
        return False, "the value is an address or a path"
    bits = entropy(value)
    digits = sum(character.isdigit() for character in value)
    if _NAME_LIKE.fullmatch(value) and digits * 8 < len(value) and not (len(value) >= 20 and bits > 4.0):
        return False, "the value is a word"
    if bits < _RANDOM_BITS and digits == 0:
        return False, "the value does not look random"
    return True, f"a token is given as a constant ({bits:.1f} bits per character)"
