"""``glasshouse console``: pages for approvers, on this machine."""

from __future__ import annotations

import os
import secrets

import click


@click.command("console", context_settings={"max_content_width": 110})
@click.option("--port", type=click.IntRange(1, 65535), default=8750, show_default=True, help="Port on this machine.")
def command(port: int) -> None:
    """Serve pages on which approvers read requests and decide them with a passkey.

    Only this machine can reach them, with the token in the address that is printed.  Needs the extra `console`.
    """
    from glasshouse.words.errors import MissingExtraError

    try:
        import jinja2  # noqa: F401
        import webauthn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "the console needs packages that are not installed", hint="pip install 'glasshouse[console]'"
        ) from error
    from glasshouse.console.serve import serve

    token = secrets.token_urlsafe(24)
    click.echo(f"glasshouse: open http://localhost:{port}/?token={token}", err=True)
    serve(os.environ, token, port)
