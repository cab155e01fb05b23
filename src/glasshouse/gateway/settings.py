"""Settings of the gateway: the table ``[gateway]`` of ``glasshouse.toml``, checked before anything listens."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from glasshouse.gateway.limits.prices import Price
from glasshouse.words.engagement import Quota
from glasshouse.words.errors import ConfigError
from glasshouse.words.named_file import read_named
from glasshouse.words.toml_text import plain_toml

MAX_CONFIG_BYTES = 1_000_000
Family = Literal["anthropic", "openai"]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server of models.

    ``url`` is its base address: for ``anthropic`` the part before ``/v1``, for ``openai`` with its ``/v1``.  The key is
    read from an environment variable or a file, never from the configuration; a local server may need none.
    ``stored_state`` lets requests refer to what the upstream keeps (files, earlier answers): with one upstream key for
    all callers that reaches the state of others, so it is off.
    """

    family: Family
    url: str
    key_env: str = ""
    key_file: str = ""
    connect_timeout_s: Seconds = 5.0
    first_byte_timeout_s: Seconds = 120.0
    idle_timeout_s: Seconds = 60.0
    total_timeout_s: Seconds = 1_800.0
    connections: Positive = 512
    connect_retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 1
    stored_state: bool = False
    ca_file: str = ""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model as callers name it.

    ``upstreams`` are tried in this order, those of the request's dialect only.  ``name`` is what the upstream calls
    it.  ``longest_answer`` (tokens) is reserved when a caller sets no limit.
    """

    upstreams: tuple[str, ...]
    name: str = ""
    longest_answer: Positive = 8_192
    price: Price | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one request may hold; bytes and seconds."""

    max_body_bytes: Positive = 33_554_432
    body_timeout_s: Seconds = 60.0
    max_answer_bytes: Positive = 67_108_864


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything ``glasshouse serve`` needs to know.

    ``mcp`` serves the MCP tools at ``/mcp`` (extra ``mcp``).  ``otlp_endpoint`` is where traces and metrics go, for
    example ``http://127.0.0.1:4318`` (extra ``otel``).  ``quotas`` hold limits for ``organisation:NAME`` and
    ``key:PUBLIC_ID``; those of engagements are in the engagements.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8090
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    upstreams: dict[str, Upstream] = {}
    models: dict[str, Model] = {}
    quotas: dict[str, Quota] = {}
    limits: Limits = Limits()
    tls_certificate: str = ""
    tls_key: str = ""
    metrics_key_env: str = ""
    mcp: bool = False
    otlp_endpoint: str = ""
    shutdown_s: Positive = 30

    def for_family(self, model: str, family: str) -> tuple[str, ...]:
        """The upstreams of a model that speak a dialect family; none: the model is not served in it."""
        known = self.models.get(model)
        return tuple(n for n in known.upstreams if self.upstreams[n].family == family) if known else ()


def read_settings(path: Path) -> GatewaySettings:
    """The ``[gateway]`` table of a file; `ConfigError` names the key that is wrong."""
    try:
        content = read_named(path, MAX_CONFIG_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration: {error.strerror}", where=str(path)) from error
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"configuration is larger than {MAX_CONFIG_BYTES} bytes", where=str(path))
    try:
        table = plain_toml(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("glasshouse", {})
    return settings_from(table.get("gateway", {}), str(path))


def settings_from(table: Any, where: str) -> GatewaySettings:
    """Checked settings from a table."""
    try:
        settings = msgspec.convert(table, GatewaySettings)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"[gateway]: {error}", where=where, hint="docs/reference/gateway.md lists the keys."
        ) from None
    for name, upstream in settings.upstreams.items():
        _check_upstream(name, upstream, where)
    for name, model in settings.models.items():
        if not model.upstreams or (unknown := [each for each in model.upstreams if each not in settings.upstreams]):
            what = f"names no known upstream: {', '.join(unknown)}" if model.upstreams else "names no upstream"
            raise ConfigError(f"[gateway.models.{name}] {what}", where=where)
    for subject in settings.quotas:
        kind, colon, rest = subject.partition(":")
        if kind not in ("organisation", "key") or not colon or not rest:
            hint = "Write organisation:NAME or key:PUBLIC_ID."
            raise ConfigError(f"[gateway.quotas] `{subject}` is no subject", where=where, hint=hint)
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigError("[gateway] TLS needs both tls_certificate and tls_key", where=where)
    return settings


def _check_upstream(name: str, upstream: Upstream, where: str) -> None:
    parts = urlsplit(upstream.url)
    place = f"[gateway.upstreams.{name}]"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"{place} `url` must be a plain http or https address", where=where)
    try:
        _ = parts.port, (parts.hostname.encode("idna") if ":" not in parts.hostname else b"")
    except ValueError:  # an error of the encoding is one
        raise ConfigError(f"{place} `url` names a host or a port that cannot be", where=where) from None
    if parts.username or parts.password:
        raise ConfigError(f"{place} `url` must not hold a password", where=where, hint="Use key_env or key_file.")
    if parts.scheme == "http" and (upstream.key_env or upstream.key_file) and not _is_here(parts.hostname):
        raise ConfigError(f"{place} would send its key unencrypted", where=where, hint="Use https.")


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def upstream_key(name: str, upstream: Upstream, environ: Mapping[str, str] = os.environ) -> str:
    """The upstream's key; empty where none is configured."""
    place = f"[gateway.upstreams.{name}]"
    if upstream.key_file:
        try:
            key = read_named(upstream.key_file, MAX_CONFIG_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{place} the key file cannot be read: {error}", where=upstream.key_file) from None
    elif upstream.key_env:
        key = environ.get(upstream.key_env, "")
        if not key:
            raise ConfigError(f"{place} the variable is not set", where=upstream.key_env)
    else:
        return ""
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigError(f"{place} the key is empty or holds characters that no header can", where=name)
    return key
