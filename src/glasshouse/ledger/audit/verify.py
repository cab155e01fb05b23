"""The three things that can be verified: a receipt, a published log, the database of a live log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from glasshouse.ledger.audit.entries import Story
from glasshouse.ledger.audit.notes import MAX_NOTE_BYTES, Checkpoint, Key, decimal, parse_note, strict_base64
from glasshouse.ledger.audit.policy import Policy, open_checkpoint, parse_policy
from glasshouse.ledger.audit.proofs import MAX_PROOF_HASHES, TILE, Fault, Tree, check_inclusion, leaf_hash, leaf_hashes
from glasshouse.ledger.audit.sources import Database, PublishedFiles, Source, read_bounded

Progress = Callable[[int, int], None]

MAX_POLICY_BYTES = 1 << 20
MAX_LISTED = 1_000  # erased or unanswered entries that a report lists one by one
OWN_POLICY = "log.policy"
DATABASE = "ledger.db"
SERVER = "keys/database"
HOME_LOG = "ledger"  # where the log lies in the directory of an installation
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
SELF_DECLARED = "the log's keys were taken from beside the log itself; pass --policy with keys you got elsewhere"


class Report(NamedTuple):
    """What was found to hold."""

    what: str
    origin: str
    size: int
    root: str
    entry: int | None
    signed_by: tuple[str, ...]
    quorum: str
    keys: int
    erased: tuple[tuple[int, int], ...]
    unanswered: tuple[int, ...]
    notes: tuple[str, ...]


class Proof(NamedTuple):
    """A ``.tlog-proof`` file: the entry travels in its ``extra`` line."""

    entry: int
    hashes: list[bytes]
    checkpoint: bytes
    data: bytes | None


def verify(
    path: Path,
    *,
    policy: Path | None = None,
    since: Path | None = None,
    raw: bool = False,
    progress: Progress | None = None,
) -> Report:
    """What holds of a receipt (a file), a published or a live log (a directory); raises ``Fault`` with what does not.

    Without ``policy`` the keys beside the log are used, and the report says so.  ``since`` is a file with a checkpoint
    seen earlier, which the log must still contain.  ``raw`` takes any log's entries: hashes and signatures only.
    """
    single = path.exists() and not path.is_dir()
    receipt = single and path.name != DATABASE
    directory = path.parent if single else path
    if not _is_log(directory) and _is_log(directory / HOME_LOG):
        directory = directory / HOME_LOG
    if policy is None and not (directory / OWN_POLICY).exists():
        raise Fault(f"there is no {OWN_POLICY}; name the log's keys with --policy FILE", where=str(directory))
    rules = read_policy(policy or directory / OWN_POLICY)
    notes = () if policy else (SELF_DECLARED,)
    if receipt:
        if since:
            raise Fault("a receipt alone cannot be compared with an earlier checkpoint; name the log", where=str(path))
        return verify_receipt(path, rules, notes)
    live = (directory / DATABASE).exists()
    if not live and (directory / SERVER).exists():
        raise Fault(
            "this log is kept in PostgreSQL; publish it with `glasshouse log export` and verify that", where=str(path)
        )
    source: Source = Database(directory / DATABASE) if live else PublishedFiles(directory)
    try:
        return verify_log(source, rules, since=since, raw=raw, progress=progress, notes=notes, own=policy is None)
    finally:
        source.close()


def _is_log(directory: Path) -> bool:
    return any((directory / name).exists() for name in (DATABASE, SERVER, "checkpoint"))


def read_policy(path: Path) -> Policy:
    """A policy from its file."""
    try:
        return parse_policy(read_bounded(path, MAX_POLICY_BYTES).decode())
    except UnicodeDecodeError:
        raise Fault("is not UTF-8", where=str(path)) from None
    except Fault as fault:
        raise Fault(fault.what, where=fault.where or str(path)) from None


def parse_proof(data: bytes) -> Proof:
    """A proof file, C2SP tlog-proof."""
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Fault("a proof's lines are ASCII") from None
    if lines.pop(0) != PROOF_HEADER or not blank:
        raise Fault(f"a proof begins with the line {PROOF_HEADER}, and a blank line ends it")
    extra = strict_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise Fault("a proof names its index")
    hashes = [strict_base64(line) for line in lines[1:]]
    if len(hashes) > MAX_PROOF_HASHES or any(len(each) != 32 for each in hashes):
        raise Fault(f"a proof holds at most {MAX_PROOF_HASHES} hashes of 32 bytes")
    return Proof(decimal(lines[0][6:]), hashes, checkpoint, extra)


def check_receipt(
    data: bytes, rules: Policy, *, where: str = "", entry: bytes | None = None
) -> tuple[Proof, Checkpoint, dict[Key, int]]:
    """The parts of a receipt whose entry (its own, or the one given) is in a log of the policy."""
    try:
        proof = parse_proof(data)
    except Fault as fault:
        raise Fault(fault.what, where=where) from None
    known = proof.data if entry is None else entry
    if known is None:
        raise Fault("the proof does not carry its entry", where=where)
    checkpoint, signed = open_checkpoint(proof.checkpoint, rules, where=where, every_log_key=False)
    try:
        check_inclusion(proof.entry, checkpoint.size, leaf_hash(known), proof.hashes, checkpoint.root)
    except Fault as fault:
        raise Fault(fault.what, where=where, index=proof.entry) from None
    return proof, checkpoint, signed


def verify_receipt(path: Path, rules: Policy, notes: tuple[str, ...]) -> Report:
    """What holds of one receipt."""
    data = read_bounded(path, MAX_NOTE_BYTES)
    proof, checkpoint, signed = check_receipt(data, rules, where=str(path))
    return _report("receipt", checkpoint, signed, rules, index=proof.entry, notes=notes)


def verify_log(
    source: Source,
    rules: Policy,
    *,
    since: Path | None,
    raw: bool,
    progress: Progress | None,
    notes: tuple[str, ...],
    own: bool,
) -> Report:
    """What holds of a whole log."""
    data = source.checkpoint()
    checkpoint, signed = open_checkpoint(
        data, _without_quorum(rules, source), where=source.where, every_log_key=source.every_log_key
    )
    if own and not source.every_log_key:
        _only_known_lines(data, signed, source.where)
    earlier = {}
    if since:
        seen, _ = open_checkpoint(
            read_bounded(since, MAX_NOTE_BYTES), _any(rules), where=str(since), every_log_key=False
        )
        earlier[str(since)] = seen
    cosigned = source.earlier()
    if cosigned is not None:
        seen, signed_earlier = open_checkpoint(
            cosigned, rules, where=f"{source.where}, cosigned checkpoint", every_log_key=False
        )
        if own and not source.every_log_key:
            _only_known_lines(cosigned, signed_earlier, f"{source.where}, cosigned checkpoint")
        earlier[f"{source.where}, cosigned checkpoint"] = seen
        signed |= {key: time for key, time in signed_earlier.items() if key not in signed}
    for where, each in earlier.items():
        if each.origin != checkpoint.origin or each.size > checkpoint.size:
            raise Fault(
                f"it is of {each.origin!r} at size {each.size}; the log is {checkpoint.origin!r} at {checkpoint.size}",
                where=where,
            )
    story = None if raw else Story()
    try:
        walk(source, checkpoint, earlier, story, progress)
    finally:
        if story is not None:
            story.keys.close()
    report = _report(
        "live log" if not source.every_log_key else "published log", checkpoint, signed, rules, notes=notes
    )
    if story is None:
        return report
    unanswered, erased = tuple(sorted(story.opened)), tuple(sorted(story.erased.items()))
    return report._replace(keys=story.keys.number, erased=erased[:MAX_LISTED], unanswered=unanswered[:MAX_LISTED])


def walk(
    source: Source,
    checkpoint: Checkpoint,
    earlier: dict[str, Checkpoint],
    story: Story | None,
    progress: Progress | None,
) -> None:
    """Hashes every entry, follows what the entries say, and compares with every stored tile and checkpoint."""
    tree, size = Tree(), checkpoint.size
    for first in range(0, size, TILE):
        width = min(TILE, size - first)
        entries = source.bundle(first // TILE, width)
        leaves = leaf_hashes(entries)
        stored = source.tile(0, first // TILE, width)
        _compare(b"".join(leaves), stored, source.where, first)
        if len(entries) != width:
            raise Fault("the entry is missing", where=source.where, index=first + len(entries))
        if story is not None:
            try:
                payloads = story.follow(first, entries, leaves)
            except Fault as fault:
                raise Fault(fault.what, where=source.where, index=fault.index) from None
            source.check_payloads(first, payloads, story)
        for where, each in earlier.items():
            if first <= each.size < first + width and tree.root(leaves[: each.size - first]) != each.root:
                raise Fault("the log no longer contains this checkpoint: history was rewritten", where=where)
        for level, number, hashes in tree.add(leaves):
            if level:
                _compare(hashes, source.tile(level, number, TILE), source.where, number << 8 * (level + 1), level)
        if progress is not None:
            progress(first + width, size)
    for level, rest in enumerate(tree.open[1:], start=1):
        if rest:
            number = (size >> 8 * level) // TILE
            stored = source.tile(level, number, len(rest))
            _compare(b"".join(rest), stored, source.where, number << 8 * (level + 1), level)
    for where, each in {source.where: checkpoint, **earlier}.items():
        if each.size == size and tree.root() != each.root:
            raise Fault("the entries do not give the root in the checkpoint", where=where, index=0 if size else None)
    if story is not None:
        source.finish(size, checkpoint.root, story)


def _compare(found: bytes, stored: bytes | None, where: str, first: int, level: int = 0) -> None:
    if stored is None or found == stored:
        return
    for at in range(0, max(len(found), len(stored)), 32):
        if found[at : at + 32] != stored[at : at + 32]:
            index = first + (at // 32 << 8 * level)
            what = (
                "it does not have the hash that the tile states"
                if level == 0
                else f"the tile of level {level} is wrong from here on"
            )
            raise Fault(what, where=where, index=index)


def _any(rules: Policy) -> Policy:
    return rules._replace(quorum="none")


def _without_quorum(rules: Policy, source: Source) -> Policy:
    """A live log's newest checkpoint may still wait for its witnesses; the cosigned one that it keeps may not."""
    return rules if source.every_log_key else _any(rules)


def _only_known_lines(data: bytes, signed: dict[Key, int], where: str) -> None:
    """A live log stores no signature but those of its own policy: an unknown one was changed."""
    known = {(key.name, key.id) for key in signed}
    for line in parse_note(data).lines:
        if (line.name, line.key_id) not in known:
            raise Fault(f"a signature by {line.name}, which the policy does not know", where=where)


def _report(
    what: str,
    checkpoint: Checkpoint,
    signed: dict[Key, int],
    rules: Policy,
    *,
    notes: tuple[str, ...],
    index: int | None = None,
) -> Report:
    quorum = "none" if rules.quorum == "none" else "reached" if rules.is_met_by(signed) else "pending"
    by = tuple(f"{key.name} ({key.id.hex()})" for key in signed)
    root = checkpoint.root.hex()
    return Report(what, checkpoint.origin, checkpoint.size, root, index, by, quorum, 0, (), (), notes)


def describe(report: Report) -> str:
    """The report for people."""
    lines = [f"{report.what} holds: {report.origin}, {report.size:,} entries, root {report.root}"]
    if report.entry is not None:
        lines.append(f"  entry {report.entry} is in the log")
    lines += [f"  signed by {name}" for name in report.signed_by]
    lines.append(f"  witness quorum: {report.quorum}")
    if report.keys:
        lines.append(f"  {report.keys:,} {'key' if report.keys == 1 else 'keys'}, no entry missing")
    lines += [f"  entry {index}: payload erased under entry {by}" for index, by in report.erased]
    lines += [f"  entry {index}: still without its outcome" for index in report.unanswered]
    return "\n".join([*lines, *(f"  note: {each}" for each in report.notes)]) + "\n"
