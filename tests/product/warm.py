"""Commands that each run in a process of their own, forked from one that has their modules: a start costs time.

The first command tells which modules it loaded; from then on they are there.  What a command sees is what it would see
if it were started anew: arguments, environment, folder, empty standard input.  A command's process ends without taking
its interpreter down, which would copy every page that it shares with the first: a third of its time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SERVER = """
import atexit, importlib, json, os, signal, sys
from glasshouse.cli.main import main

KEPT = "glasshouse", "sqlalchemy", "msgspec", "cedarpy"

def told(place):
    with open(place, "w") as stream:
        json.dump([name for name in sys.modules if name.partition(".")[0] in KEPT
                   or name.startswith(("cryptography.hazmat.primitives", "concurrent.", "asyncio"))], stream)

for line in sys.stdin:
    given = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(given["limit"])
        atexit.register(told, given["modules"])
        os.chdir(given["folder"])
        os.environ.clear()
        os.environ.update(given["environ"])
        new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        for number, place, flags in (0, os.devnull, os.O_RDONLY), (1, given["out"], new), (2, given["err"], new):
            os.dup2(os.open(place, flags, 0o600), number)
        code = 0
        try:
            main(given["arguments"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    with open(given["modules"]) as stream:
        for name in json.load(stream):
            if name not in sys.modules and name != "__main__":
                importlib.import_module(name)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""

LIMIT_S = 120  # a command that waits for ever is ended by a signal, and fails its test


class Warm:
    """Runs commands one after the other; a context that ends the process they come from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    def __enter__(self) -> Warm:
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._server:
            assert self._server.stdin is not None
            self._server.stdin.close()

    def run(self, arguments: list[str], folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Runs ``glasshouse`` with these arguments, in this folder and environment."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        out, err = self._folder / "out", self._folder / "err"
        given = {"arguments": arguments, "folder": str(folder), "environ": environ, "out": str(out), "err": str(err)}
        self._server.stdin.write(
            json.dumps({**given, "modules": str(self._folder / "modules"), "limit": LIMIT_S}) + os.linesep
        )
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())
