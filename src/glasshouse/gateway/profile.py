"""What a prompt is made of, in coarse figures that may be kept where its text may not: length, language, share of code.

Only for telling later that requests have become different ones; nothing is decided by it.  It costs a few tens of
microseconds whatever the length of the text.
"""

from __future__ import annotations

import re

from glasshouse.words.act import InputProfile

SAMPLE_CHARACTERS = 600
MIN_HITS = 2
LATIN_ENDS = 0x250
_CODE = re.compile(
    r"^[ \t]*(?:def |class |import |from [\w.]+ import|#include|func |fn |let |const |var |public |private |return\b"
    r"|if *\(|for *\(|while *\(|[{}]|//|/\*|</?\w+[ >]|SELECT |[$>] ).*$|^.*[;{][ \t]*$"
    r"|^[ \t]*[\w.]+\([^)\n]*\)[ \t]*:?[ \t]*$",
    re.MULTILINE,
)
_BEGINNINGS = (
    "def ", "class ", "import ", "from ", "#include", "func ", "fn ", "let ", "const ", "var ", "public ", "private ",
    "return", "if", "for", "while", "}", "//", "/*", "<", "SELECT ", "$ ", "> ",
)  # fmt: skip
"""Without one of these at its beginning, a semicolon, a parenthesis or a brace, no line is of code."""
_WORD = re.compile(r"[^\W\d_]+")
FUNCTION_WORDS = {
    "en": "the is are and of to how do what in my for with that this can you from it not which",
    "de": "der die das und ist ich nicht ein eine wie mit für auf wir den von zu sich dass auch",
    "fr": "le la les et est un une des pour dans je que qui comment ne pas sur mon nous avec",
    "es": "el la los y es un una de para en que cómo no mi con por las del se nuestro",
    "it": "il lo la e è un una di per che come non mi con gli del nostro sono dei della",
    "nl": "de het een en is van ik niet hoe met op voor wij dat mijn die te onze zijn aan",
    "pl": "i jest nie jak na się w z do to mi czy po od przez dla ten która żeby mojego",
    "pt": "o a os e é um uma de para em que como não meu com por as do da nossa",
}
_WORDS = {
    language: frozenset(word for word in words.split() if len(word) > 1) for language, words in FUNCTION_WORDS.items()
}
_LANGUAGES = tuple(_WORDS)
_SPOKEN = {
    word: sum(1 << 8 * place for place, language in enumerate(_LANGUAGES) if word in _WORDS[language])
    for word in frozenset().union(*_WORDS.values())
}
"""Function word -> the languages it belongs to, a byte for each: added up, they count the words of all languages."""
_SPOKEN_ASCII = {word.encode(): spoken for word, spoken in _SPOKEN.items() if word.isascii()}
_LOWER = bytes([each | 0x20 if chr(each).isalpha() and each < 128 else 0x20 for each in range(256)])
"""Letters of ASCII in lower case, all else blank."""


def profile(text: str, characters: int) -> InputProfile:
    """The profile of a prompt of so many characters in all; ``text`` is the caller's newest turn, of which the
    beginning is looked at."""
    sample = text[:SAMPLE_CHARACTERS]
    code = 0
    for line in sample.split("\n"):
        if "(" in line or ";" in line or "{" in line or line.lstrip(" \t").startswith(_BEGINNINGS):
            found = _CODE.match(line)
            code += found.end() if found else 0
    return InputProfile(characters, _language(sample), round(100 * code / len(sample)) if sample else 0)


def _language(sample: str) -> str:
    """The language whose function words occur most; ``other`` for other scripts, ``unknown`` where too few occur."""
    if sample.isascii():
        hits = sum(map(_SPOKEN_ASCII.__getitem__, _SPOKEN_ASCII.keys() & _ascii_words(sample)))
    else:
        words = _WORD.findall(sample.lower())
        if sum(ord(word[0]) >= LATIN_ENDS for word in words) * 2 > len(words):
            return "other"
        hits = sum(map(_SPOKEN.__getitem__, _SPOKEN.keys() & words))
    counts = hits.to_bytes(len(_LANGUAGES), "little")  # no language has more than a few dozen words
    most = max(counts)
    return _LANGUAGES[counts.index(most)] if most >= MIN_HITS else "unknown"


def _ascii_words(sample: str) -> list[bytes]:
    """What `_WORD` finds in ASCII, in lower case, at a quarter of the cost."""
    return sample.encode().translate(_LOWER).split()
