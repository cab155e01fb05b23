"""Secrets in logs, storage and fast hashes; guessable secrets; settings of cryptography."""

from __future__ import annotations

import pytest
from tests.unit.scan.detect.javascript_source import hits

CRYPTO = "const crypto = require('crypto');\n"


@pytest.mark.parametrize(
    "call",
    [
        "console.log(password)",
        "console.log('is ' + user.password)",
        "console.error(`key ${apiKey}`)",
        "logger.info(JSON.stringify({ password: password }))",
        "console.log(process.env)",
        "console.log(getPassword())",
    ],
)
def test_a_secret_in_a_log_is_reported(call: str) -> None:
    assert len(hits("cleartext-logging", f"function f(user, password, apiKey) {{ {call}; }}")) == 1


@pytest.mark.parametrize(
    "call",
    [
        "console.log('password')",
        "console.log(password.length)",
        "console.log(hash(password))",
        "console.log(passwordHash)",
        "console.log(process.env.HOME)",
        "console.log(hasPassword)",
        "console.log({ password: '***' })",
    ],
)
def test_what_only_speaks_of_a_secret_may_be_logged(call: str) -> None:
    assert hits("cleartext-logging", f"function f(user, password, passwordHash, hasPassword) {{ {call}; }}") == []


@pytest.mark.parametrize(
    "store",
    [
        "localStorage.setItem('p', password)",
        "document.cookie = 'p=' + password",
        "localStorage.p = password",
        "res.cookie('p', password)",
    ],
)
def test_a_secret_in_storage_is_reported_unless_encrypted(store: str) -> None:
    assert len(hits("cleartext-storage", f"function f(res, password) {{ {store}; }}")) == 1
    encrypted = store.replace("password", "encrypt(password)")
    assert hits("cleartext-storage", f"function f(res, password) {{ {encrypted}; }}") == []


def test_passwords_need_a_slow_hash_and_other_data_does_not() -> None:
    text = CRYPTO + "function f(password, file) {{ return crypto.createHash('{how}').update({what}).digest('hex'); }}"
    assert len(hits("fast-password-hash", text.format(how="sha512", what="password"))) == 1
    assert hits("fast-password-hash", text.format(how="md5", what="file")) == []


@pytest.mark.parametrize(
    "text",
    [
        "const token = Math.random().toString(36);",
        "const password = 'a' + Math.floor(Math.random() * 10);",
        "let secret = ''; for (;;) { secret += chars[Math.floor(Math.random() * 9)]; }",
        "function generateToken() { return chars.charAt(Math.random() * 9); }",
        "const user = { sessionId: Math.random() };",
    ],
)
def test_secrets_made_with_a_guessable_generator_are_reported(text: str) -> None:
    assert hits("insecure-randomness", text) != []


def test_other_uses_of_a_guessable_generator_are_silent() -> None:
    assert (
        hits("insecure-randomness", "const delay = Math.random() * 100; const token = read(); wait(delay, token);")
        == []
    )


@pytest.mark.parametrize("divisor", [10, 26, 62, 100])
def test_a_remainder_that_does_not_divide_256_is_biased(divisor: int) -> None:
    assert len(hits("biased-randomness", CRYPTO + f"const x = crypto.randomBytes(1)[0] % {divisor};")) == 1


@pytest.mark.parametrize("divisor", [2, 16, 64, 256])
def test_a_remainder_that_divides_256_is_fair(divisor: int) -> None:
    assert hits("biased-randomness", CRYPTO + f"const x = crypto.randomBytes(1)[0] % {divisor};") == []


def test_a_nonce_must_not_be_constant() -> None:
    text = CRYPTO + "const c = crypto.createCipheriv('aes-256-cbc', key, {iv});"
    for fixed in ("'0123456789abcdef'", "Buffer.alloc(16)", "Buffer.from('00', 'hex')", "Buffer.from([1, 2, 3])"):
        assert len(hits("static-nonce", text.format(iv=fixed))) == 1
    for fresh in ("crypto.randomBytes(16)", "null", "given"):
        assert hits("static-nonce", text.format(iv=fresh)) == []


def test_a_host_check_that_does_nothing_is_reported() -> None:
    assert len(hits("hostname-check-disabled", "tls.connect({ checkServerIdentity: () => {} });")) == 1
    assert hits("hostname-check-disabled", "tls.connect({ checkServerIdentity: (h, c) => check(h, c) });") == []


def test_reading_a_token_is_fine_where_it_is_also_verified() -> None:
    text = "const jwt = require('jsonwebtoken');\nexports.f = (t) => jwt.decode(t);\n"
    assert len(hits("jwt-decode-without-verify", text)) == 1
    verifying = "exports.g = (t, k) => jwt.verify(t, k);\n"
    assert hits("jwt-decode-without-verify", text + verifying) == []
    handler = "exports.h = (req, res, next) => { req.user = jwt.decode(req.cookies.t); next(); };\n"
    assert len(hits("jwt-decode-without-verify", text + verifying + handler)) == 1
    both = "exports.h = (req, res) => { const { kid } = jwt.decode(req.cookies.t); jwt.verify(t, keys[kid]); };"
    assert hits("jwt-decode-without-verify", text + verifying + both) == []


def test_tokens_are_read_by_other_libraries_too() -> None:
    jose = "import { decodeJwt } from 'jose';\nexport const f = (t) => decodeJwt(t).role;\n"
    assert len(hits("jwt-decode-without-verify", jose)) == 1
    nest = (
        "import { JwtService } from '@nestjs/jwt';\nexport class G { can(t) { return this.jwtService.decode(t); } }\n"
    )
    assert len(hits("jwt-decode-without-verify", nest)) == 1
