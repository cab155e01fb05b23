"""Connectors by action, from ``connectors.toml``.

[actions.isolate-host]
connector = "webhook"
url = "https://edr.example/isolate"
secret_env = "EDR_SECRET"

[actions.disable-account]
connector = "command"
argv = ["/usr/local/bin/disable-account", "{target}"]

[actions.default]
connector = "file"
folder = "/var/spool/glasshouse"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from glasshouse.respond.connect.command import CommandConnector
from glasshouse.respond.connect.file import FileConnector
from glasshouse.respond.connect.interface import Connector
from glasshouse.respond.connect.webhook import WebhookConnector
from glasshouse.words.errors import ConfigError
from glasshouse.words.named_file import read_named
from glasshouse.words.toml_text import plain_toml

DEFAULT = "default"
Seconds = Annotated[float, msgspec.Meta(gt=0, le=600)]


class Webhook(msgspec.Struct, frozen=True, tag_field="connector", tag="webhook", forbid_unknown_fields=True):
    """Settings of a webhook; ``secret_env`` names the environment variable with the secret."""

    url: str
    secret_env: str = ""
    timeout_s: Seconds = 30.0


class Command(msgspec.Struct, frozen=True, tag_field="connector", tag="command", forbid_unknown_fields=True):
    """Settings of a command."""

    argv: tuple[str, ...]
    timeout_s: Seconds = 30.0


class Folder(msgspec.Struct, frozen=True, tag_field="connector", tag="file", forbid_unknown_fields=True):
    """Settings of a file drop."""

    folder: str


MAX_FILE_BYTES = 1_000_000


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    actions: dict[str, Webhook | Command | Folder] = {}


def connectors(place: Path, environ: Mapping[str, str]) -> dict[str, Connector]:
    """The connector of each action named in the file; none when there is no file."""
    try:
        content = read_named(place, MAX_FILE_BYTES)
        if len(content) > MAX_FILE_BYTES:
            raise ConfigError(f"connectors larger than {MAX_FILE_BYTES:,} bytes", where=str(place))
        found = msgspec.convert(plain_toml(content.decode("utf-8")), _File)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"connectors cannot be read: {error}", where=str(place)) from None
    return {action: _made(settings, environ, str(place)) for action, settings in found.actions.items()}


def _made(settings: Webhook | Command | Folder, environ: Mapping[str, str], where: str) -> Connector:
    match settings:
        case Webhook():
            if settings.secret_env and not environ.get(settings.secret_env):
                raise ConfigError(f"the environment variable {settings.secret_env} is not set", where=where)
            secret = environ.get(settings.secret_env, "").encode() if settings.secret_env else b""
            return WebhookConnector(settings.url, secret, settings.timeout_s)
        case Command():
            return CommandConnector(settings.argv, settings.timeout_s)
        case Folder():
            return FileConnector(Path(settings.folder))


def connector_for(known: Mapping[str, Connector], action: str) -> Connector | None:
    """The connector of an action, or the default one."""
    return known.get(action) or known.get(DEFAULT)
