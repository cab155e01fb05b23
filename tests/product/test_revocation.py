"""A cohort is shut out of every running process within a second, and nobody else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from glasshouse.access import register
from glasshouse.access.secrets import read_or_make
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.engagement import CodeScope, Engagement, Scope, Term
from glasshouse.words.party import Organisation, Person

WITHIN_S = 1.0
WORKER = """
import json, os, sys, threading, time
from glasshouse.door.door import Door
from glasshouse.words.act import Act, Target
from glasshouse.words.decision import Permit
from glasshouse.words.errors import GlasshouseError

act = Act("code.scan", (Target("code", "/srv/shop"),), sys.argv[2])
pause = threading.Event()
with Door.open(os.environ) as door:
    decided = 0
    while True:
        try:
            decision = door.decide(door.resolve(sys.argv[1]), act)
        except GlasshouseError:
            decision = None
        if not isinstance(decision, Permit):
            print(json.dumps({"denied_at": time.monotonic()}), flush=True)
            break
        decided += 1
        if decided == 1:
            print("running", flush=True)
        if os.path.exists(sys.argv[3]):
            print(json.dumps({"denied_at": None}), flush=True)
            break
        pause.wait(0.02)
"""


def test_a_revoked_employer_is_out_of_four_processes_within_a_second_and_a_fifth_goes_on(tmp_path: Path) -> None:
    place = StorePlace(file=tmp_path / "home" / "store.db")
    database = open_database(place)
    tables = Tables(database)
    pepper = read_or_make(tmp_path / "home" / "keys" / "pepper")
    now = int(time.time())
    tables.organisations.add(Organisation("acme", "Acme", "FR", "vetted"))
    scope = Scope(code=(CodeScope("/srv/shop"),))
    register.draft(tables, Engagement("audit", "acme", "look", scope, ("code.scan",), 0, Term(now - 10, now + 1000)))
    register.move_engagement(tables, "audit", "request")
    register.move_engagement(tables, "audit", "activate")
    keys = []
    for number in range(5):
        employer = "Leaky Ltd" if number < 4 else "Other Ltd"
        tables.people.add(Person(f"p{number}", "acme", "P", ("operator",), "FR", employer))
        keys.append(register.issue_key(tables, pepper, f"p{number}", "audit", now - 10, 1000)[0].text)
    stop = tmp_path / "stop"
    environ = {**os.environ, "GLASSHOUSE_HOME": str(tmp_path / "home")}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, key, "audit", str(stop)], env=environ, stdout=subprocess.PIPE, text=True
        )
        for key in keys
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline().strip() == "running"
        register.order_halt(tables, "employer", "leaky ltd", "credentials leaked", "root", now)
        ordered_at = time.monotonic()
        delays = []
        for worker in workers[:4]:
            assert worker.stdout is not None
            delays.append(json.loads(worker.stdout.readline())["denied_at"] - ordered_at)
        stop.touch()
        last = workers[4].stdout
        assert last is not None
        assert json.loads(last.readline())["denied_at"] is None
        assert max(delays) <= WITHIN_S, delays
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
        database.close()
