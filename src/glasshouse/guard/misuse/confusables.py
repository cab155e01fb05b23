"""Characters that look like Latin letters, beyond what Unicode's compatibility mapping (NFKC) already folds.

Compiled by hand from the code charts: Cyrillic, Greek, Armenian, Cherokee, Lisu, Coptic, IPA and small capitals, turned
letters, negative circled and squared letters, regional indicators.  Only lower case targets: screening ignores case.
"""

# ruff: noqa: RUF001
from __future__ import annotations

# target letter -> characters that are drawn like it (either case of the target)
LOOKALIKES = {
    "a": "аАαΑɑᴀꓮᎪⲀⲁάӑӓ∀ɐ",
    "b": "ЬьВβΒʙвƄꓐᏴᏏɓƅ",
    "c": "сСϲϹᴄꓚᏟⲤⲥҫςↄ",
    "d": "ԁԀᴅꓓᎠɗժ",
    "e": "еЕεΕᴇꓰᎬҽєԑɛǝәέ",
    "f": "ғꓝϝғſƒք",
    "g": "ɡԌɢꓖᏀᏻցɠԍ",
    "h": "һНΗʜнꓧᎻⲎհɦἠ",
    "i": "іІιΙɪıᎥꓲⲒίɩїϊ",
    "j": "јЈϳᴊꓙᎫյʝ",
    "k": "кКκΚᴋꓗᏦⲔқҝ",
    "l": "ӏӀʟꓡᏞⅼⲒլɭ",
    "m": "мМΜᴍꓟᎷⲘϻ",
    "n": "пΝɴꓠηոռήⲚ",
    "o": "оОοΟᴏꓳⲟⲞօσόөӧ",
    "p": "рРρΡᴘꓑᏢⲢⲣþ",
    "q": "ԛԚզգ",
    "r": "гʀᏒꓣᎡɾяᴦ",
    "s": "ѕЅꜱꓢᏚտʂ",
    "t": "тТτΤᴛꓔᎢⲦҭ",
    "u": "υᴜꓴսʋύцⴎ",
    "v": "ѵѴνᴠꓦᏙ",
    "w": "ԝԜᴡꓪᎳшωաѡώ",
    "x": "хХχΧꓫⲬҳ",
    "y": "уУΥʏꓬγүҮỿ",
    "z": "ΖᴢꓜᏃʐ",
}

TURNED = {
    "a": "ɐ", "b": "q", "c": "ɔ", "d": "p", "e": "ǝ", "f": "ɟ", "g": "ƃ", "h": "ɥ", "i": "ᴉ", "j": "ɾ", "k": "ʞ",
    "l": "ʃ", "m": "ɯ", "n": "u", "o": "o", "p": "d", "q": "b", "r": "ɹ", "s": "s", "t": "ʇ", "u": "n", "v": "ʌ",
    "w": "ʍ", "x": "x", "y": "ʎ", "z": "z",
}  # fmt: skip
"""How each letter looks upside down; a text turned over also runs backwards."""


def _table() -> dict[int, str]:
    table: dict[int, str] = {}
    for letter, likes in LOOKALIKES.items():
        for like in likes:
            table.setdefault(ord(like), letter)
    for offset in range(26):
        letter = chr(ord("a") + offset)
        for base in (0x1F150, 0x1F170, 0x1F1E6):  # negative circled, negative squared, regional indicators
            table.setdefault(base + offset, letter)
    for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212":
        table[ord(dash)] = "-"
    for quote in "\u2018\u2019\u201a\u201b\u02bc\u02b9\u00b4\u0060":
        table[ord(quote)] = "'"
    for quote in "\u201c\u201d\u201e\u201f\u00ab\u00bb":
        table[ord(quote)] = '"'
    return table


FOLD = _table()
"""Code point -> what it stands for, for `str.translate`."""

UPRIGHT = {ord(turned): letter for letter, turned in TURNED.items()}
"""Turned letter -> letter."""
