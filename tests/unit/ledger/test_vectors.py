"""Every vector of ``tlog_vectors.json``, data made by other implementations (its ``sources`` say by which)."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from glasshouse.ledger.audit.notes import (
    Key,
    check_signature,
    cosigned_message,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    signers,
)
from glasshouse.ledger.audit.policy import parse_policy
from glasshouse.ledger.audit.proofs import (
    EMPTY_ROOT,
    Fault,
    Tree,
    check_consistency,
    check_inclusion,
    leaf_hash,
    perfect_root,
)
from glasshouse.ledger.audit.sources import split_bundle, tile_path
from glasshouse.ledger.audit.verify import check_receipt, parse_proof
from glasshouse.ledger.receipt import proof_text
from glasshouse.ledger.subtree import check_subtree_consistency, check_subtree_inclusion
from glasshouse.ledger.tree import Frontier, TileNodes, consistency_proof, inclusion_proof

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "tlog_vectors.json").read_text())


def unbase64(text: str | None) -> bytes:
    """The bytes; proofs in the vectors may be null."""
    return base64.b64decode(text or "")


def hashes(texts: list[str] | None) -> list[bytes]:
    """A list of hashes; null stands for none."""
    return [unbase64(text) for text in texts or []]


def cases(name: str) -> list[Any]:
    """The cases of one family with their names."""
    return [pytest.param(case, id=f"{case['file']}: {case['desc']}") for case in VECTORS[name]["cases"]]


@pytest.mark.parametrize("case", cases("inclusion"))
def test_inclusion_proofs_are_accepted_and_refused_as_published(case: dict[str, Any]) -> None:
    given = (
        case["leafIdx"],
        case["treeSize"],
        unbase64(case["leafHash"]),
        hashes(case["proof"]),
        unbase64(case["root"]),
    )
    if case["wantErr"]:
        with pytest.raises(Fault):
            check_inclusion(*given)
    else:
        check_inclusion(*given)


@pytest.mark.parametrize("case", cases("consistency"))
def test_consistency_proofs_are_accepted_and_refused_as_published(case: dict[str, Any]) -> None:
    roots = unbase64(case["root1"]), unbase64(case["root2"])
    if not case["wantErr"] and len(roots[0]) != 32:  # two placeholders that only have to be equal: ours must be hashes
        roots = hashlib.sha256(roots[0]).digest(), hashlib.sha256(roots[1]).digest()
    if case["wantErr"]:
        with pytest.raises(Fault):
            check_consistency(case["size1"], case["size2"], hashes(case["proof"]), *roots)
    else:
        check_consistency(case["size1"], case["size2"], hashes(case["proof"]), *roots)


@pytest.mark.parametrize("case", cases("subtreeinclusion"))
def test_subtree_inclusion_proofs_are_accepted_and_refused_as_published(case: dict[str, Any]) -> None:
    given = (case["leafIdx"], case["start"], case["end"], unbase64(case["leafHash"]))
    if case["wantErr"] or case.get("library_specific"):
        with pytest.raises(Fault):
            check_subtree_inclusion(*given, hashes(case["proof"]), unbase64(case["root"]))
    else:
        check_subtree_inclusion(*given, hashes(case["proof"]), unbase64(case["root"]))


@pytest.mark.parametrize("case", cases("subtreeconsistency"))
def test_subtree_consistency_proofs_are_accepted_and_refused_as_published(case: dict[str, Any]) -> None:
    roots = unbase64(case["root1"]), unbase64(case["root2"])
    if not case["wantErr"] and len(roots[0]) != 32:  # placeholders, as above
        roots = hashlib.sha256(roots[0]).digest(), hashlib.sha256(roots[1]).digest()
    given = (case["start"], case["end"], case["size"], hashes(case["proof"]))
    if case["wantErr"] or case.get("library_specific"):
        with pytest.raises(Fault):
            check_subtree_consistency(*given, *roots)
    else:
        check_subtree_consistency(*given, *roots)


def test_leaf_node_and_root_hashes_are_the_published_ones() -> None:
    tree = VECTORS["tree"]
    leaves = [leaf_hash(bytes.fromhex(text)) for text in tree["leaf_inputs_hex"]]
    for level, expected in enumerate(tree["node_hashes_hex"]):
        width = 1 << level
        found = [perfect_root(leaves[at : at + width]).hex() for at in range(0, len(leaves), width)]
        assert found == expected
    for size, root in enumerate(tree["root_hashes_hex"]):
        frontier, slow = Frontier(), Tree()
        frontier.append(leaves[:size])
        list(slow.add(leaves[:size]))
        assert frontier.root().hex() == slow.root().hex() == root
    for case in VECTORS["leaf_hash"]:
        assert leaf_hash(case["leaf_utf8"].encode()) == unbase64(case["leaf_hash_b64"])


def test_the_counting_log_has_the_published_roots() -> None:
    expected = {int(size): root for size, root in VECTORS["counting_log_roots"]["roots_hex"].items()}
    frontier, tree = Frontier(), Tree()
    assert EMPTY_ROOT.hex() == expected.pop(0)
    for size, root in sorted(expected.items()):
        if size > 100_000:  # the two of a million entries are left to the benchmark, which is timed
            break
        while frontier.size < size:
            more = min(size, (frontier.size // 256 + 1) * 256)
            leaves = [leaf_hash(b"%d" % number) for number in range(frontier.size, more)]
            assert [tuple(each) for each in tree.add(leaves)] == [
                (tile.level, tile.number, tile.hashes) for tile in frontier.append(leaves)
            ]
        assert frontier.root().hex() == tree.root().hex() == root


@pytest.mark.parametrize("case", VECTORS["vkeys"], ids=lambda case: case["vkey"][:30])
def test_verifier_keys_are_accepted_only_with_the_id_that_follows_from_them(case: dict[str, Any]) -> None:
    if case["ok"]:
        assert parse_vkey(case["vkey"]).vkey == case["vkey"]
    else:
        with pytest.raises(Fault):
            parse_vkey(case["vkey"])


@pytest.mark.parametrize("case", VECTORS["notes"] + VECTORS["notes_invalid_bytes_b64"], ids=lambda case: case["name"])
def test_notes_are_accepted_and_refused_as_published(case: dict[str, Any]) -> None:
    data = unbase64(case["note_b64"]) if "note_b64" in case else case["note"].encode()
    keys = [parse_vkey(vkey) for vkey in case["vkeys"]]
    if case.get("ok"):
        assert [key.name for key in signers(parse_note(data), keys)] == case["verified"]
    elif case.get("error") == "no_known_signature":
        assert signers(parse_note(data), keys) == {}
    else:
        with pytest.raises(Fault):
            signers(parse_note(data), keys)


@pytest.mark.parametrize("case", VECTORS["checkpoints"], ids=lambda case: case["name"])
def test_real_checkpoints_verify_and_no_changed_bit_does(case: dict[str, Any]) -> None:
    note = parse_note(case["checkpoint"].encode())
    keys = [parse_vkey(vkey) for vkey in case["vkeys"]]
    assert set(signers(note, keys)) == set(keys)
    found = parse_checkpoint(note.body)
    assert (found.origin, found.size) == (case["origin"], case["size"])
    (line,) = [line for line in note.lines if line.key_id == keys[0].id]
    for at in range(len(line.signature)):
        changed = bytearray(line.signature)
        changed[at] ^= 1 << at % 8
        timed = keys[0].kind == 5 and (at < 8 or 8 <= at < 12)  # its time is signed, its algorithm is compared
        with pytest.raises(Fault):
            check_signature(keys[0], note.body, bytes(changed))
        assert not timed or at < 12


def test_the_bundles_and_tiles_of_the_small_log_are_what_its_entries_give() -> None:
    log = VECTORS["small_log"]
    entries = [text.encode() for text in log["entries_utf8"]]
    for path, data in log["entry_bundles_b64"].items():
        width = int(path.rpartition("/")[2])
        assert tile_path("entries", 0, width) == path
        assert split_bundle(unbase64(data), where=path, first=0) == entries[:width]
    for path, data in log["tiles_b64"].items():
        width = int(path.rpartition("/")[2])
        assert tile_path(0, 0, width) == path
        assert b"".join(leaf_hash(entry) for entry in entries[:width]) == unbase64(data)


def test_a_full_tile_of_a_real_log_has_its_hash() -> None:
    data = unbase64(VECTORS["static_ct_tile"]["tile_0_000_b64"])
    leaves = [data[at : at + 32] for at in range(0, len(data), 32)]
    assert perfect_root(leaves).hex() == VECTORS["static_ct_tile"]["hash_of_full_tile_hex"]
    frontier = Frontier()
    (tile,) = frontier.append(leaves)
    assert (tile.root.hex(), tile.hashes) == (VECTORS["static_ct_tile"]["hash_of_full_tile_hex"], data)


@pytest.mark.parametrize(
    "case", VECTORS["cosignatures_ed25519"] + VECTORS["cosignatures_mldsa44"], ids=lambda case: case["vkey"][:24]
)
def test_cosignatures_verify_with_the_time_they_state(case: dict[str, Any]) -> None:
    key, note = parse_vkey(case["vkey"]), parse_note(case["checkpoint"].encode())
    assert signers(note, [key]) == {key: case["timestamp"]}
    changed = note._replace(body=note.body.replace(b"=\n", b"=\nmore\n", 1))
    if key.kind == 4:  # an ML-DSA cosignature does not cover extension lines
        with pytest.raises(Fault):
            signers(changed, [key])
    if "message_hex" in case:
        assert cosigned_message(key, note.body, case["timestamp"]).hex() == case["message_hex"]


@pytest.mark.parametrize("case", VECTORS["origin_hashes"], ids=lambda case: case["origin"])
def test_origin_hashes_are_the_published_ones(case: dict[str, Any]) -> None:
    assert hashlib.sha256(case["origin"].encode()).hexdigest() == case["hex"]


def test_a_real_consistency_proof_holds_between_its_signed_checkpoints() -> None:
    case = VECTORS["consistency_real"]
    key = parse_vkey(case["vkey"])
    notes = [parse_note(case[name].encode()) for name in ("old_checkpoint", "new_checkpoint")]
    assert all(key in signers(note, [key]) for note in notes)
    old, new = (parse_checkpoint(note.body) for note in notes)
    check_consistency(old.size, new.size, [bytes.fromhex(text) for text in case["proof_hex"]], old.root, new.root)


@pytest.mark.parametrize("case", VECTORS["tile_paths"], ids=lambda case: case["expect"])
def test_tile_paths_are_canonical(case: dict[str, Any]) -> None:
    assert tile_path(case["level"], case["index"], case["width"]) == case["expect"]


@pytest.mark.parametrize("case", VECTORS["tile_paths_invalid"], ids=lambda case: case["path"])
def test_no_tile_has_a_path_that_is_not_canonical(case: dict[str, Any]) -> None:
    made = {
        tile_path(level, number, width)
        for level in (0, 1, 63, "entries")
        for number in (0, 1, 67, 273, 999, 1000, 1067, 1234067)
        for width in (1, 2, 112, 255, 256)
    }
    assert case["path"] not in made


@pytest.mark.parametrize("case", VECTORS["tile_counts"], ids=lambda case: str(case["size"]))
def test_a_log_has_as_many_tiles_as_its_size_says(case: dict[str, Any]) -> None:
    frontier = Frontier()
    tiles = frontier.append([leaf_hash(b"")] * case["size"])
    for level, count in case["full"].items():
        assert sum(tile.level == int(level) for tile in tiles) == count
    for level, width in case["partial"].items():
        assert len(frontier.open[int(level)]) == width


@pytest.mark.parametrize("case", VECTORS["tlog_proof_syntax"]["marshal"], ids=lambda case: str(case["index"]))
def test_proof_files_are_written_and_read_as_published(case: dict[str, Any]) -> None:
    extra = unbase64(case["extra_b64"]) if "extra_b64" in case else None
    text = proof_text(case["index"], hashes(case["hashes_b64"]), case["checkpoint"], extra)
    assert text == case["text"]
    assert parse_proof(text.encode()) == (
        case["index"],
        hashes(case["hashes_b64"]),
        case["checkpoint"].encode(),
        extra,
    )


@pytest.mark.parametrize("text", VECTORS["tlog_proof_syntax"]["invalid"])
def test_malformed_proof_files_are_refused(text: str) -> None:
    with pytest.raises(Fault):
        parse_proof(text.encode())


@pytest.mark.parametrize(
    "case", VECTORS["tlog_proofs_here"], ids=lambda case: f"{case['note'][:20]} {case['text'][23:32]}"
)
def test_receipts_hold_offline_for_their_own_entry_only(case: dict[str, Any]) -> None:
    lines = [f"log {case['log_vkey']}"]
    lines += [f"witness w{n} {vkey}" for n, vkey in enumerate(case["witness_vkeys"])]
    names = [f"w{n}" for n in range(len(case["witness_vkeys"]))]
    policy = parse_policy("\n".join([*lines, f"group all all {' '.join(names)}", "quorum all"]))
    entry = unbase64(case["entry_b64"])
    if case["ok"]:
        check_receipt(case["text"].encode(), policy, entry=entry)
    with pytest.raises(Fault):
        check_receipt(case["text"].encode(), policy, entry=entry + (b"" if not case["ok"] else b"x"))


def test_proofs_made_here_satisfy_the_published_checks() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(600)]

    def fetch(level: int, number: int, needed: int, known: bytes) -> bytes:
        assert level == 0
        return b"".join(leaves[number * 256 : number * 256 + 256])

    frontier, roots = Frontier(), [EMPTY_ROOT]
    for leaf in leaves:
        frontier.append([leaf])
        roots.append(frontier.root())

    def node(level: int, index: int) -> bytes:
        return (
            TileNodes(fetch)(level, index) if level < 8 else perfect_root(leaves[index << level : (index + 1) << level])
        )

    for size in (1, 2, 3, 7, 255, 256, 257, 511, 512, 600):
        for index in {0, size // 3, size // 2, size - 1}:
            check_inclusion(index, size, leaves[index], inclusion_proof(index, size, node), roots[size])
            old = index + 1
            check_consistency(old, size, consistency_proof(old, size, node), roots[old], roots[size])


def test_the_two_kinds_of_one_ed25519_key_have_different_ids() -> None:
    public = parse_vkey(VECTORS["small_log"]["vkey"]).public
    assert Key("name", 1, public).id != Key("name", 4, public).id
