"""Runs git on a repository that may be hostile, for reading only.

Only plumbing that reads objects is used.  Nothing the repository configures can run: no hooks, no file system monitor,
no filters or external diff (the work tree is never handed to git), no fetching of missing objects, no pager.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import IO

from glasshouse.words.errors import BaselineError

GIT_SECONDS = 120.0
MAX_OUTPUT_BYTES = 512_000_000
MAX_REF_CHARS = 512

_SAFE_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.commitGraph=false",
    "protocol.allow=never",
    "gc.auto=0",
)
_HINT = "Name a commit, branch or tag that exists in this repository (in CI, fetch enough history)."


def run_git(directory: str, arguments: Sequence[str], *, ok: tuple[int, ...] = (0,), trusted: str = "") -> bytes:
    """Standard output of one git command.  Raises BaselineError when git is missing, fails or takes too long."""
    with git_process(directory, arguments, trusted=trusted) as (process, output):
        data = output.read(MAX_OUTPUT_BYTES + 1)
        if len(data) > MAX_OUTPUT_BYTES:
            raise BaselineError(f"git gave more than {MAX_OUTPUT_BYTES} bytes", where=directory)
        code = process.wait()
        if code not in ok:
            complaint = process.stderr.read(2_000).decode("utf-8", "replace").strip() if process.stderr else ""
            raise BaselineError(f"git {arguments[0]} failed: {complaint or code}", where=directory, hint=_HINT)
    return data


@contextlib.contextmanager
def git_process(
    directory: str, arguments: Sequence[str], *, stdin: IO[bytes] | None = None, trusted: str = ""
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A running git command and its standard output; killed at the end of the block and after ``GIT_SECONDS``.

    ``trusted`` is a repository that the user named, so that git accepts it when another user owns it.
    """
    command = ["git", "--no-pager", "--no-replace-objects", "--no-optional-locks", "--literal-pathspecs"]
    for setting in (*_SAFE_SETTINGS, *((f"safe.directory={os.path.realpath(trusted)}",) if trusted else ())):
        command += ["-c", setting]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(  # noqa: S603 - fixed program, arguments checked by the callers
                [*command, *arguments],
                cwd=directory,
                env=_environment(directory),
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        except OSError as error:
            raise BaselineError(f"cannot run git: {error.strerror}", where=directory, hint="Install git.") from error
        assert process.stdout is not None
        process.stderr = errors
        timer = threading.Timer(GIT_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield process, process.stdout
            process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.stdout.close()
            process.wait()
            process.stderr = None


def tree_of(repo_root: str, ref: str) -> str:
    """The id of the tree of a ref.  Raises BaselineError for a ref that does not exist or looks like an option."""
    check_ref(ref)
    return _object_id(repo_root, f"{ref}^{{tree}}")


def merge_base(repo_root: str, ref: str) -> str:
    """The commit where ``HEAD`` left ``ref``, or the commit of ``ref`` when they share no history."""
    check_ref(ref)
    commit = _object_id(repo_root, f"{ref}^{{commit}}")
    output = run_git(repo_root, ["merge-base", commit, "HEAD"], ok=(0, 1, 128), trusted=repo_root)
    return output.decode("ascii", "replace").split("\n", 1)[0].strip() or commit


def check_ref(ref: str) -> None:
    """Refuses what is no name of a revision: options, control characters, over-long text."""
    if not ref or ref.startswith("-") or len(ref) > MAX_REF_CHARS or any(ord(char) < 33 for char in ref):
        raise BaselineError(f"{ref[:80]!r} is no git reference", hint=_HINT)


def _object_id(repo_root: str, expression: str) -> str:
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", expression]
    output = run_git(repo_root, arguments, ok=(0, 1, 128), trusted=repo_root).decode("ascii", "replace").strip()
    name = output.rpartition("\n")[2]
    if len(name) not in (40, 64) or any(char not in "0123456789abcdef" for char in name):
        raise BaselineError(f"git knows no {expression.partition('^{')[0]!r}", where=repo_root, hint=_HINT)
    return name


def _environment(directory: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP") if name in os.environ}
    return kept | {
        "HOME": os.devnull,
        "GIT_CEILING_DIRECTORIES": os.path.dirname(os.path.realpath(directory)),
        "XDG_CONFIG_HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ADVICE": "0",
        "LC_ALL": "C",
    }
