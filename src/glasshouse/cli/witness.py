"""``glasshouse witness``: cosign other logs' checkpoints, so that no log can show two histories."""

from __future__ import annotations

from pathlib import Path

import click

_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.group("witness", context_settings={"max_content_width": 110})
def command() -> None:
    """Cosign the checkpoints of logs, so that none can show two histories."""


@command.command("serve")
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
def serve(directory: Path, name: str | None, policies: tuple[Path, ...], host: str, port: int) -> None:
    """Answer add-checkpoint requests until interrupted.

    Prints the line that makes a log ask this witness; add it, and a quorum, to that log's log.policy.
    """
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
        click.echo(f"witness {signer.key.name} {signer.key.vkey} {server.url}")
    import sys

    sys.stdout.flush()
    try:
        server.serve_forever()
    finally:
        server.server_close()
        server.witness.close()


@command.command("evidence")
@click.option(
    "--state", "directory", required=True, metavar="DIR", type=_DIRECTORY, help="The witness's state and keys."
)
def evidence(directory: Path) -> None:
    """Print pairs of checkpoints, signed by one log, that do not belong to one history."""
    from glasshouse.ledger.witness import Witness

    witness = Witness(directory, (), (), lambda: 0)
    for note, against in witness.evidence():
        click.echo(f"{note}\nagainst\n\n{against}")
    witness.close()
