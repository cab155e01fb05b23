"""Keys: what they look like, that a typing error is noticed, that only the right one matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.access.keys import PATTERN, fingerprint, matches, mint, parse
from glasshouse.words.errors import CredentialError
from glasshouse.words.party import KeyRecord

PEPPER = b"p" * 32


def record(mac: str, public_id: str) -> KeyRecord:
    return KeyRecord(public_id, "ada", "audit", mac, 0, 100)


@given(st.binary(min_size=40, max_size=40))
def test_a_minted_key_has_the_published_form_and_parses(random: bytes) -> None:
    key = mint("live", lambda count: random[:count])
    assert re.fullmatch(PATTERN, key.text)
    assert parse(key.text) == key


def test_different_secrets_give_different_keys_of_256_bits() -> None:
    keys = {mint().text.split("_")[3] for _ in range(50)}
    assert len(keys) == 50
    assert all(len(secret) == 43 for secret in keys)


@given(st.integers(min_value=0, max_value=66), st.sampled_from("0aZ_"))
def test_one_wrong_character_is_refused(position: int, character: str) -> None:
    text = mint().text
    changed = text[:position] + character + text[position + 1 :]
    if changed == text:
        return
    with pytest.raises(CredentialError):
        parse(changed)


@pytest.mark.parametrize("text", ["", "glh_", "sk-ant-xyz", "glh_live_" + "a" * 200, "ghp_" + "a" * 36, "\n"])
def test_other_texts_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(CredentialError) as caught:
        parse(text)
    assert not text.strip() or text not in caught.value.diagnostics() or text == "glh_"


def test_only_the_key_itself_matches_its_record() -> None:
    key, other = mint(), mint()
    stored = record(fingerprint(key, PEPPER), key.public_id)
    assert matches(key, stored, PEPPER)
    assert not matches(other, stored, PEPPER)
    assert not matches(key, None, PEPPER)
    assert not matches(key, stored, b"q" * 32)


def test_what_is_stored_and_shown_holds_no_secret() -> None:
    key = mint()
    secret = key.text.split("_")[3]
    assert secret not in repr(key)
    assert secret not in fingerprint(key, PEPPER)
