"""Staff accounts: passwords, sessions and the tokens that partners present."""

import hashlib
import hmac
import os
import random
import secrets

import jwt

from shop.catalogue import connect

PARTNER_SIGNING_KEY = "q7T!vR2m9Lx4Zp8KwB3n"
PARTNER_VERIFY_KEY = os.environ.get("SHOP_PARTNER_KEY", "")


def stored_password(user):
    row = connect().execute("SELECT salt, password FROM account WHERE name = ?", (user,)).fetchone()
    return row or (b"", b"")


def check(user, password):
    """The user's name when the password is right."""
    _, stored = stored_password(user)
    return user if hashlib.md5(password.encode()).hexdigest() == stored else None


def check_safely(user, password):
    salt, stored = stored_password(user)
    given = hashlib.scrypt(password.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=64 * 1024 * 1024)
    return user if hmac.compare_digest(given, stored) else None


def new_session(user):
    """A new session token, remembered for the user."""
    token = "%032x" % random.getrandbits(128)
    connect().execute("INSERT INTO session VALUES (?, ?)", (token, user))
    return token


def new_session_safely(user):
    token = secrets.token_urlsafe(32)
    connect().execute("INSERT INTO session VALUES (?, ?)", (token, user))
    return token


def issue_partner_token(partner):
    return jwt.encode({"partner": partner}, PARTNER_SIGNING_KEY, algorithm="HS256")


def partner_of(token):
    """The partner that a token names."""
    return jwt.decode(token, options={"verify_signature": False})["partner"]


def partner_of_safely(token):
    return jwt.decode(token, PARTNER_VERIFY_KEY, algorithms=["HS256"])["partner"]
