"""A process killed in the middle of an act leaves a request that the next start of any process closes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from glasshouse.access.local import local_caller
from glasshouse.door.door import Door
from glasshouse.door.passage import Passage
from glasshouse.ledger import Ledger
from glasshouse.words.act import Act, Target

WORKER = """
import os, sys
from glasshouse.access.local import local_caller
from glasshouse.door.door import Door
from glasshouse.words.act import Act, Target

target = Target("code", "/srv/shop")
door = Door.open(os.environ)
for number in range(int(sys.argv[1])):
    door.passage(local_caller("u", [target]), Act("code.scan", (target,), "local"))
print("acting", flush=True)
sys.stdin.read()
"""


def test_every_act_of_a_killed_process_is_closed_as_interrupted_once(tmp_path: Path) -> None:
    environ = {**os.environ, "GLASSHOUSE_HOME": str(tmp_path)}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, "3"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "acting\n"
    target = Target("code", "/srv/shop")
    with Door.open(environ) as living:  # beside the living process: nothing of it is touched
        passage: Passage[bytes] = living.passage(local_caller("u", [target]), Act("code.scan", (target,), "local"))
        passage.conclude()
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    for _ in range(2):
        Door.open(environ).close()
    reader = Ledger.read(tmp_path / "ledger")
    entries = [(entry.kind, entry.decision, entry.about) for _, entry in reader.entries()]
    reader.close()
    assert entries == [
        ("act.request", "permit", None),
        ("act.request", "permit", None),
        ("act.request", "permit", None),
        ("act.request", "permit", None),
        ("act.outcome", "done", 3),
        ("act.outcome", "interrupted", 0),
        ("act.outcome", "interrupted", 1),
        ("act.outcome", "interrupted", 2),
    ]
    assert list((tmp_path / "running").iterdir()) == []
