"""Which names and values are taken for credentials."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.detect.secrets import credential_name, entropy, is_placeholder, looks_like_secret, redact


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "userPassword", "passwd", "apiKey", "API_KEY", "secret_key", "SECRET", "auth_token",
     "accessToken", "client_secret", "aws_secret_access_key", "password2", "default_password", "credentials"],
)  # fmt: skip
def test_names_that_hold_a_credential(name: str) -> None:
    assert credential_name(name)


@pytest.mark.parametrize(
    "name",
    ["password_field", "passwordLabel", "token_url", "password_hash", "key", "primary_key", "keyboard", "secretary",
     "compass", "csrf_token", "password_length", "has_password", "token_type", "api_key_name", "passwordPolicy", ""],
)  # fmt: skip
def test_names_that_only_speak_about_a_credential(name: str) -> None:
    assert not credential_name(name)


@pytest.mark.parametrize(
    "value",
    ["", "changeme", "<password>", "${DB_PASSWORD}", "{{ secret }}", "your-api-key", "xxxxxxxx", "****", "example",
     "my-secret-key", "None", "put_your_token_here", "%(password)s", "process.env.KEY", "insert key here"],
)  # fmt: skip
def test_values_that_are_still_to_be_filled_in(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2"),
        ("password", "123456"),
        ("DB_PASSWORD", "Xk29!vrT0-pq"),
        ("api_key", "f3a9c0d1e2b4a5968778"),
        ("SECRET_KEY", "django-insecure-abc123"),
        ("clientSecret", "q7Rk2Lw9Zt4Xv8Bn"),
    ],
)
def test_credentials_in_code_are_told(name: str, value: str) -> None:
    assert looks_like_secret(name, value)[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", ""),
        ("password", "password"),
        ("password", "Enter your password to go on"),
        ("password", "/etc/app/password"),
        ("token", "Bearer"),
        ("secret_key", "secret_key"),
        ("api_key", "https://example.org/keys"),
        ("token", "identifier"),
        ("colour", "Xk29!vrT0-pq"),
    ],
)
def test_other_texts_are_not(name: str, value: str) -> None:
    assert not looks_like_secret(name, value)[0]


@given(st.text(max_size=200))
def test_entropy_lies_between_none_and_that_of_different_characters(text: str) -> None:
    assert 0.0 <= entropy(text) <= (math.log2(len(text)) if text else 0.0) + 1e-9


@given(st.text(min_size=1, max_size=40))
def test_entropy_does_not_depend_on_order(text: str) -> None:
    assert entropy(text) == pytest.approx(entropy(text[::-1]))


@given(st.text(max_size=300))
def test_a_redacted_text_shows_at_most_four_characters(text: str) -> None:
    shown = redact(text)
    assert shown.endswith("***")
    assert len(shown) <= 7
    assert len(text) >= 16 or shown == "***"


@given(st.text(max_size=120), st.text(max_size=5000))
def test_any_name_and_value_get_an_answer_with_a_reason(name: str, value: str) -> None:
    found, reason = looks_like_secret(name, value)
    assert isinstance(found, bool)
    assert reason


@pytest.mark.parametrize("piece", ["a", "my_", "your-", "here ", "<", "{", "../", "a.b/", "_"])
def test_long_values_are_judged_in_linear_time(piece: str) -> None:
    """These patterns must not be slow themselves."""
    assert looks_like_secret("password", piece * 1000)[1]
