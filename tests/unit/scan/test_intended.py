"""Code that shows that what a rule warns of is meant is not reported; close relatives of it are."""

from __future__ import annotations

import pytest

from glasshouse.scan.intended import spared


@pytest.mark.parametrize(
    ("context", "code", "line", "found"),
    [
        ("option", "if opts.Insecure {\n\tc.InsecureSkipVerify = true\n}", 2, True),
        ("option", "if retry {\n\tc.InsecureSkipVerify = true\n}", 2, False),
        ("option", "if opts.Insecure {\n\tlog()\n}\nc.InsecureSkipVerify = true", 4, False),
        ("option", "func skipVerify() {\n\tif x {\n\t\tc.InsecureSkipVerify = true\n\t}\n}", 3, False),
        ("option", "if not verify:\n    for c in all:\n        c.verify_mode = ssl.CERT_NONE", 3, True),
        ("put-back", "old = os.umask(0)\nos.umask(old)", 1, True),
        ("put-back", "old = os.umask(0)\nmake()\nos.umask(old)", 1, False),
        ("put-back", "old = umask(0);\numask(old);", 1, True),
        ("put-back", "os.umask(0)\nos.umask(0o22)", 1, False),
        ("name", "def cache_key(url):\n    return md5(url)", 2, True),
        ("name", "def cache_key(password):\n    return md5(password)", 2, False),
        ("name", "def digest(text):\n    return md5(text)", 2, False),
        ("same-page", 'location.href += "#top"', 1, True),
        ("same-page", "window.location.replace(window.location.pathname + '#' + next)", 1, True),
        ("same-page", "window.location.replace(next)", 1, False),
        ("name", "func (o *Object) upload(chunk []byte) {\n\tsum := sha1.Sum(chunk)", 2, True),
        ("name", "func (o *Object) upload(token []byte) {\n\tsum := sha1.Sum(token)", 2, False),
        ("same-page", "location.href = window.location.hash.slice(1)", 1, False),
        ("same-page", "location.href = location.href.split('=')[1]", 1, False),
    ],
)
def test_what_is_meant_is_told_from_what_only_looks_like_it(context: str, code: str, line: int, found: bool) -> None:
    assert spared([context], code.encode().split(b"\n"), line, line) == found


def test_a_place_that_cannot_be_read_spares_nothing() -> None:
    assert not spared(["option", "name"], [], 1, 1)
    assert not spared(["no such context"], [b"x"], 1, 1)
