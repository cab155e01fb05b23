"""``glasshouse witness``: cosign other logs' checkpoints, so that no log can show two histories."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from glasshouse.cli.log_place import log_directory, reading, take_up_policy, with_log

_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.group("witness", context_settings={"max_content_width": 110})
def command() -> None:
    """Cosign the checkpoints of logs, so that none can show two histories."""


@command.command("serve", short_help="Answer requests to cosign.")
@click.option(
    "--state", "directory", required=True, metavar="DIR", type=_DIRECTORY, help="The witness's state and keys."
)
@click.option("--name", metavar="NAME", help="Name of a new witness, such as witness.example.com/w1.")
@click.option(
    "--logs",
    "policies",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="log.policy of a log to cosign.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8099, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--detach", is_flag=True, help="Go on in a process of its own, and return.")
def serve(directory: Path, name: str | None, policies: tuple[Path, ...], host: str, port: int, detach: bool) -> None:
    """Answer add-checkpoint requests until interrupted.

    Prints the line that names this witness in a log's policy: see `glasshouse log witnesses`.
    """
    if detach:
        lines, process = _in_the_background([word for word in sys.argv[1:] if word != "--detach"])
        click.echo("".join([*lines, f"# process {process}\n"]), nl=False)
        return
    from glasshouse.ledger.audit.notes import COSIGNATURE
    from glasshouse.ledger.audit.proofs import Fault
    from glasshouse.ledger.audit.verify import read_policy
    from glasshouse.ledger.witness_server import start_witness
    from glasshouse.words.errors import PathError

    try:
        keys = tuple(key for policy in policies for key in read_policy(policy).logs)
    except Fault as fault:
        raise PathError(fault.what, where=fault.where) from None
    server = start_witness(directory, name, keys, (host, port))
    for signer in server.witness.signers:
        kind = "" if signer.key.kind == COSIGNATURE else "-pq"
        click.echo(f"witness {signer.key.name}{kind} {signer.key.vkey} {server.url}")
    sys.stdout.flush()
    try:
        server.serve_forever()
    finally:
        server.server_close()
        server.witness.close()


@command.command("start", short_help="Have this machine's log witnessed by a second process.")
@with_log
def start(place: Path | None) -> None:
    """Run a witness of this machine's own log in the background, and name it in the log's policy.

    Its keys and state lie in `witness` beside the log. After a restart of the machine run this again: it goes on
    where it was. It catches a log that was rolled back; against the owner of the machine take witnesses elsewhere.
    """
    from glasshouse.ledger.witness_policy import local_witness, set_witnesses

    directory = log_directory(place)
    reading(place).close()
    state = directory.parent / "witness"
    found = local_witness(directory, state)
    if found.answers:
        click.echo(f"the witness runs at 127.0.0.1:{found.port}")
        return
    named = [] if found.exists else ["--name", f"{found.origin}/witness"]
    policy = str(directory / "log.policy")
    serving = ["witness", "serve", "--state", str(state), "--logs", policy, "--port", str(found.port), *named]
    lines, process = _in_the_background(serving)
    if not found.named:
        set_witnesses(directory, lines, len(lines))
        take_up_policy(directory)
    click.echo(f"the witness runs as process {process}; give {policy} to those who verify")


def _in_the_background(arguments: list[str]) -> tuple[list[str], int]:
    """Runs a `witness serve` in a session of its own; the two lines it prints once it listens, and its process."""
    import subprocess

    pipe = subprocess.PIPE
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "glasshouse", *arguments], stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    if not lines[1]:
        raise click.ClickException(process.stderr.read().strip() or "the witness did not start")
    return lines, process.pid


@command.command("evidence", short_help="Print checkpoints that show two histories.")
@click.option(
    "--state", "directory", required=True, metavar="DIR", type=_DIRECTORY, help="The witness's state and keys."
)
def evidence(directory: Path) -> None:
    """Print pairs of checkpoints, signed by one log, that do not belong to one history."""
    from glasshouse.ledger.witness import Witness

    with closing(Witness(directory, (), (), lambda: 0)) as witness:
        for note, against in witness.evidence():
            click.echo(f"{note}\nagainst\n\n{against}")
