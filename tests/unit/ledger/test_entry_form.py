"""What the log writes is what the auditor's expression reads, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.ledger.audit.entries import Keys, Story, ciphertexts, entry_form
from glasshouse.ledger.audit.proofs import Fault, leaf_hash
from glasshouse.ledger.audit.sources import MAX_ENTRY_BYTES
from glasshouse.ledger.entry import Commitment, Entry, decode, encode

NAMES = st.from_regex(r"[A-Za-z0-9_.:@-]{1,64}", fullmatch=True)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
COMMITMENTS = st.builds(Commitment, HASHES, HASHES, st.from_regex(r"[a-z][a-z0-9.-]{0,31}", fullmatch=True))
NUMBERS = st.integers(0, 10**18 - 1)
ENTRIES = st.builds(
    Entry,
    about=st.none() | NUMBERS,
    count=NUMBERS,
    decision=st.from_regex(r"[a-z][a-z-]{0,31}", fullmatch=True),
    key=NAMES,
    kind=st.from_regex(r"[a-z][a-z0-9.-]{0,63}", fullmatch=True),
    organisation=NAMES,
    part=st.sampled_from(["single", "opens", "closes"]),
    payloads=st.lists(COMMITMENTS, max_size=16).map(tuple),
    policy=st.just("") | HASHES,
    previous=st.none() | HASHES,
    time=NUMBERS,
    version=st.just(1),
)


@given(ENTRIES)
def test_every_entry_is_canonical_json_that_the_auditor_reads(entry: Entry) -> None:
    body = encode(entry)
    assert len(body) <= MAX_ENTRY_BYTES
    assert json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == body
    match = entry_form().fullmatch(body)
    assert match is not None
    assert ciphertexts(match[6]) == [bytes.fromhex(each.ciphertext) for each in entry.payloads]
    assert decode(body) == entry


@given(ENTRIES, st.data())
def test_no_other_spelling_of_an_entry_is_read(entry: Entry, data: st.DataObject) -> None:
    body = encode(entry)
    at = data.draw(st.integers(0, len(body)))
    blank = data.draw(st.sampled_from([b" ", b"\n", b"\x00", b"\\u0041"]))
    assert entry_form().fullmatch(body[:at] + blank + body[at:]) is None


def bodies(*counts: int, key: str = "k", time: int = 5) -> Iterator[bytes]:
    """Entries of one key with these counts, chained."""
    previous = None
    for count in counts:
        body = encode(Entry(None, count, "none", key, "x", "o", "single", (), "", previous, time, 1))
        previous = leaf_hash(body).hex()
        yield body


def follow(entries: list[bytes]) -> Story:
    """The story of these entries."""
    story = Story()
    story.follow(0, entries, [leaf_hash(entry) for entry in entries])
    return story


def test_a_missing_entry_of_a_key_is_named() -> None:
    assert follow(list(bodies(1, 2, 3))).keys.number == 1
    with pytest.raises(Fault, match="entry 2: key k counts 4 where 3 is due: an entry is missing before it"):
        follow(list(bodies(1, 2, 4)))
    with pytest.raises(Fault, match="entry 0: key k counts 2 where 1 is due"):
        follow(list(bodies(2)))
    with pytest.raises(Fault, match=r"entry 1: .*a count occurs twice"):
        follow(list(bodies(1, 1)))


def test_a_replaced_previous_entry_is_named() -> None:
    first, second, third = bodies(1, 2, 3)
    other = first.replace(b'"time":5', b'"time":4')
    with pytest.raises(Fault, match="entry 1: the hash of the previous entry of key k is wrong"):
        follow([other, second, third])


def test_time_that_runs_back_is_named() -> None:
    late, early = [*bodies(1, key="a", time=9), *bodies(1, key="b", time=8)]
    with pytest.raises(Fault, match="entry 1: its time lies before"):
        follow([late, early])


def test_an_outcome_without_its_request_is_named() -> None:
    def part(about: int | None, part: str, key: str) -> bytes:
        return encode(Entry(about, 1, "none", key, "x", "o", part, (), "", None, 5, 1))  # type: ignore[arg-type]

    story = follow([part(None, "opens", "a"), part(0, "closes", "b"), part(None, "opens", "c")])
    assert story.opened == {2}
    with pytest.raises(Fault, match="entry 1: it closes entry 0, which is not open"):
        follow([part(None, "single", "a"), part(0, "closes", "b")])
    with pytest.raises(Fault, match="entry 0: it is about entry 3, which does not come before it"):
        follow([part(3, "single", "a")])


def test_the_memory_for_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keys, "LIMIT", 50)
    entries = [body for n in range(400) for body in bodies(1, key=f"k{n}")]
    again = []
    for n in range(0, 400, 7):
        first = entries[n]
        previous = leaf_hash(first).hex()
        again.append(encode(Entry(None, 2, "none", f"k{n}", "x", "o", "single", (), "", previous, 5, 1)))
    with closing(follow(entries + again).keys) as keys:
        assert keys.number == 400
        assert len(keys.recent) <= 50
        assert keys.get(b"k7") == (2, leaf_hash(again[1]))
        assert keys.get(b"k8") == (1, leaf_hash(entries[8]))


def test_importing_the_package_loads_nothing_of_it() -> None:
    import subprocess

    program = "import sys, glasshouse.ledger; print([m for m in sys.modules if m.startswith('glasshouse.ledger.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_opening_a_log_loads_neither_asyncio_nor_a_web_client() -> None:
    import subprocess

    program = (
        "import sys, tempfile, pathlib\nfrom glasshouse.ledger import Ledger, NewEntry\n"
        "with Ledger.open(pathlib.Path(tempfile.mkdtemp())) as l:\n"
        "    l.append([NewEntry(kind='x', organisation='o', key='k')]).result()\n"
        "print(sorted({'asyncio', 'http', 'ssl', 'psycopg', 'dataclasses', 'argparse'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_single_file_needs_the_standard_library_and_cryptography_only() -> None:
    import ast

    from glasshouse.ledger.audit.single_file import single_file

    tree = ast.parse(single_file())
    named = [each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    plain = [name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names]
    roots = {name.partition(".")[0] for name in (*named, *plain)}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
    assert max(len(line) for line in single_file().splitlines()) <= 120
