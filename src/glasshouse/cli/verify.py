"""``glasshouse verify``: a receipt, a published log or a live log, offline."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from glasshouse.cli.log_place import log_directory
from glasshouse.cli.progress import progress_bar
from glasshouse.cli.terminal import write_file

_FILE = click.Path(path_type=Path)


@click.command("verify", context_settings={"max_content_width": 110})
@click.argument("path", metavar="RECEIPT|DIR", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--policy", metavar="FILE", type=_FILE, help="tlog-policy with the log's and the witnesses' keys.")
@click.option(
    "--since", metavar="FILE", type=_FILE, help="A checkpoint seen earlier, which the log must still contain."
)
@click.option("--raw", is_flag=True, help="Entries of any log: check hashes and signatures only.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the report.")
@click.option("--progress/--no-progress", "shown", default=None, help="Show a progress bar.  [default: on a terminal]")
@click.option("--write-verifier", metavar="FILE", type=_FILE, help="Write the verifier as one self-contained file.")
def command(
    path: Path | None,
    policy: Path | None,
    since: Path | None,
    raw: bool,
    form: str,
    shown: bool | None,
    write_verifier: Path | None,
) -> None:
    """Verify a receipt, a published log or the directory of a live log; exit with 0 or 6.

    Checks every hash and signature, the count and previous entry of every key, and the witness quorum, and names the
    first entry at fault. Needs no network, and no trust in the operator when --policy names keys got elsewhere.

    Example: glasshouse verify 17.tlog-proof --policy log.policy
    """
    from glasshouse.ledger.audit.proofs import Fault
    from glasshouse.ledger.audit.verify import SELF_DECLARED, describe, verify
    from glasshouse.words.errors import VerificationError

    if write_verifier is not None:
        from glasshouse.ledger.audit.single_file import single_file

        write_file(write_verifier, [single_file()])
    if path is None:
        if write_verifier is None:
            raise click.UsageError("name a receipt or a directory")
        return
    try:
        with progress_bar(shown=sys.stderr.isatty() if shown is None else shown) as bar:
            step = None if bar is None else lambda done, total: bar("verifying", done, total)
            own = None if policy else _own_policy(path)
            report = verify(path, policy=policy or own, since=since, raw=raw, progress=step)
            if own is not None:
                report = report._replace(notes=(*report.notes, SELF_DECLARED))
    except Fault as fault:
        if form == "json":
            found = {"holds": False, "what": fault.what, "where": fault.where, "index": fault.index}
            click.echo(json.dumps(found))
        what = fault.what if fault.index is None else f"entry {fault.index}: {fault.what}"
        raise VerificationError(what, where=fault.where) from None
    click.echo(json.dumps({"holds": True, **report._asdict()}) if form == "json" else describe(report).rstrip("\n"))


def _own_policy(path: Path) -> Path | None:
    """For a receipt without a policy beside it: the one of this machine's own log, where there is one."""
    from glasshouse.ledger.audit.verify import OWN_POLICY

    if path.is_dir() or (path.parent / OWN_POLICY).exists():
        return None
    own = log_directory(None) / OWN_POLICY
    return own if own.exists() else None
