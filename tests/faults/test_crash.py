"""Whatever kills the process or fails below it: nothing acknowledged is lost, and nothing false is signed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.verify import verify
from glasshouse.words.errors import LedgerError, LedgerFullError, LedgerStoppedError

Lines = list[dict[str, Any]]
Run = Callable[..., Lines]
Holds = Callable[[Path, Lines], bool]
ENTRY = NewEntry(kind="x", organisation="o", key="k", payloads=(Payload("event", "e1", b"content " * 400),))
BIG = NewEntry(kind="x", organisation="o", key="k", payloads=(Payload("event", "e1", bytes(60_000)),))

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=SIGKILL")


@pytest.mark.parametrize("rounds", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_every_acknowledged_receipt_survives_kill_9_at_random_points(
    tmp_path: Path, rounds: int, appender: Run, holds: Holds
) -> None:
    said = appender("kill", tmp_path / "log", rounds, 20261127)
    assert sum("index" in line for line in said) > rounds
    assert not [line for line in said if "code" in line]
    assert holds(tmp_path / "log", said)


def traced(directory: Path, inject: str) -> tuple[str, ...]:
    """The tracer that breaks one call on the files of the log, and sees no other file."""
    names = ("", "ledger.db", "ledger.db-wal", "ledger.db-shm", "keys/log.key", "keys/engagements", "ledger.lock")
    paths = [part for name in names for part in ("-P", str(directory / name))]
    call = inject.partition(":")[0]
    return (STRACE or "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={inject}", *paths)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with some entries."""
    directory = tmp_path_factory.mktemp("begun") / "log"
    with Ledger.open(directory) as ledger:
        for _ in range(3):
            ledger.append([ENTRY]).result()
    return directory


# call, which of its uses, which fault: the short run spreads over opening, writing and closing, the long one takes all
SHORT = [
    ("openat", 1, 0),
    ("openat", 3, 1),
    ("pwrite64", 1, 0),
    ("pwrite64", 4, 2),
    ("pwrite64", 9, 1),
    ("pwrite64", 17, 0),
    ("fdatasync", 1, 0),
    ("fdatasync", 2, 2),
    ("fdatasync", 4, 1),
    ("ftruncate", 1, 0),
    ("unlink", 1, 0),
    ("mmap", 1, 0),
]
USES = {"openat": 8, "pwrite64": 60, "fdatasync": 10, "ftruncate": 4, "unlink": 3, "fchown": 4, "mmap": 3, "close": 8}
ALL = [(call, use, fault) for call, most in USES.items() for use in range(1, most + 1) for fault in range(len(FAULTS))]
LONG = [pytest.param(*each, marks=pytest.mark.long) for each in ALL]


@needs_strace
@pytest.mark.parametrize(("call", "number", "fault"), [*SHORT, *LONG])
def test_a_failed_system_call_leaves_a_true_log_or_one_that_refuses_to_start(
    begun: Path, tmp_path: Path, call: str, number: int, fault: int, appender: Run, holds: Holds
) -> None:
    directory = tmp_path / "log"
    shutil.copytree(begun, directory)
    said = appender("append", directory, 3, tracer=traced(directory, f"{call}:{FAULTS[fault]}:when={number}"))
    holds(directory, said)


@needs_strace
@pytest.mark.parametrize(("call", "number", "fault"), [each for each in SHORT if each[0] in ("pwrite64", "fdatasync")])
def test_the_same_holds_for_what_is_written_in_the_turns_of_an_event_loop(
    begun: Path, tmp_path: Path, call: str, number: int, fault: int, appender: Run, holds: Holds
) -> None:
    directory = tmp_path / "log"
    shutil.copytree(begun, directory)
    said = appender("loop", directory, 3, tracer=traced(directory, f"{call}:{FAULTS[fault]}:when={number}"))
    holds(directory, said)


@needs_strace
@pytest.mark.parametrize("how", ["append", "loop"])
def test_after_an_error_of_a_sync_the_log_stops_for_good(how: str, begun: Path, tmp_path: Path, appender: Run) -> None:
    directory = tmp_path / "log"
    shutil.copytree(begun, directory)
    said = appender(how, directory, 9, tracer=traced(directory, "fdatasync:error=EIO:when=3"))
    assert said[-1]["code"] == "ledger.stopped"
    acknowledged = len(said) - 1
    with pytest.raises(LedgerStoppedError, match="this log has stopped"):
        Ledger.open(directory)
    assert appender(how, directory, 1)[-1]["code"] == "ledger.stopped"
    assert verify(directory).size >= 3 + acknowledged


@needs_strace
def test_a_slow_disk_makes_batches_larger_and_loses_nothing(tmp_path: Path) -> None:
    program = tmp_path / "many.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\nfrom glasshouse.ledger import Ledger, NewEntry\n"
        "with Ledger.open(Path(sys.argv[1])) as ledger:\n"
        "    futures = [ledger.append([NewEntry(kind='x', organisation='o', key='k')]) for _ in range(400)]\n"
        "    print(len({future.result()[0].checkpoint.size for future in futures}))\n"
    )
    delay = "fdatasync:delay_enter=5000"
    tracer = (STRACE or "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", f"inject={delay}")
    command = [*tracer, sys.executable, str(program), str(tmp_path / "log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 200  # commits; one for each entry would be 400
    assert verify(tmp_path / "log").size == 400


@pytest.fixture(params=["512k", "24m"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system: full while the write-ahead log grows, or while it is folded into the database."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs privileges that this run does not have")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_refuses_entries_whole_and_goes_on_when_there_is_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    with Ledger.open(small_disk / "log") as ledger:
        accepted = 0
        entry = BIG if shutil.disk_usage(small_disk).total > 1_000_000 else ENTRY
        for _ in range(1000):
            try:
                ledger.append([entry, entry]).result()
            except LedgerFullError:
                break
            accepted += 2
        assert ledger.checkpoint().size == accepted
        with pytest.raises(LedgerFullError):
            ledger.append([BIG, BIG]).result()
        ballast.unlink()
        (receipt, _) = ledger.append([ENTRY, ENTRY]).result()
        assert receipt.index == accepted
    assert verify(small_disk / "log").size == accepted + 2


def open_or_refuse(directory: Path) -> int | None:
    """The size of a log that starts and verifies, or None when it refuses to start."""
    try:
        with Ledger.open(directory) as ledger:
            size = ledger.checkpoint().size
    except LedgerError:
        return None
    assert verify(directory).size == size
    return size


@pytest.mark.parametrize("step", [256, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("damage", ["cut", "zeroed"])
def test_a_torn_tail_recovers_to_a_signed_checkpoint_or_refuses(tmp_path: Path, step: int, damage: str) -> None:
    with Ledger.open(tmp_path / "log") as ledger:
        signed = {ledger.append([ENTRY]).result()[0].checkpoint.size for _ in range(6)} | {0}
        shutil.copytree(tmp_path / "log", tmp_path / "live", ignore=shutil.ignore_patterns("*.sock"))
    wal = (tmp_path / "live" / "ledger.db-wal").read_bytes()
    outcomes = set()
    for cut in range(1, 4096, step):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "live", copy)
        torn = wal[:-cut] + (bytes(cut) if damage == "zeroed" else b"")
        (copy / "ledger.db-wal").write_bytes(torn)
        size = open_or_refuse(copy)
        assert size is None or size in signed
        outcomes.add(size)
        shutil.rmtree(copy)
    assert outcomes - {None}


@pytest.mark.parametrize("step", [256, pytest.param(1, marks=pytest.mark.long)])
def test_a_torn_database_file_refuses_or_still_verifies(tmp_path: Path, step: int) -> None:
    with Ledger.open(tmp_path / "log") as ledger:
        for _ in range(6):
            ledger.append([ENTRY]).result()
    data = (tmp_path / "log" / "ledger.db").read_bytes()
    for cut in range(1, 4096, step):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "log", copy, ignore=shutil.ignore_patterns("*.sock"))
        (copy / "ledger.db").write_bytes(data[:-cut])
        assert open_or_refuse(copy) in (None, 6)
        shutil.rmtree(copy)
