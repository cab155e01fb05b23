"""TLS on both sides: clients reach the gateway, and the gateway an upstream, only where certificates are trusted."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import ipaddress
import json
import os
import signal
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.product.gateway.test_clients import free_port, toml
from tests.product.gateway.upstream import LocalUpstream
from tests.product.gateway.world import World, ask, configuration

READY_S = 30.0


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


@asynccontextmanager
async def serving(world: World, table: dict[str, object]) -> AsyncIterator[None]:
    """`glasshouse serve` with this table, until the end of the block."""
    config = world.home / "tls.toml"
    config.write_text(toml(table))
    command = [sys.executable, "-m", "glasshouse", "serve", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **world.environ}, stderr=asyncio.subprocess.PIPE
    )
    try:
        await asyncio.wait_for(asyncio.to_thread(listening, int(str(table["port"])), process), READY_S)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


def listening(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, "the gateway ended"
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            pass


def post(url: str, key: str, model: str, context: ssl.SSLContext | None) -> tuple[int, bytes]:
    body = json.dumps(ask("/v1/messages", model)).encode()
    headers = {"x-api-key": key, "content-type": "application/json"}
    try:
        request = urllib.request.Request(f"{url}/v1/messages", body, headers)
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def metrics(url: str, context: ssl.SSLContext) -> str:
    """What one worker, which is what most people run, has counted."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=20, context=context) as answer:
        return str(answer.read(), "utf-8")


def test_both_sides_speak_tls_and_trust_only_the_certificates_they_are_told_to(world: World, tmp_path: Path) -> None:
    outer, outer_key = self_signed(tmp_path, "gateway")
    inner, inner_key = self_signed(tmp_path, "upstream")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(inner, inner_key)
    trusting = ssl.create_default_context(cafile=str(outer))

    async def main() -> None:
        async with LocalUpstream(tls) as upstream:
            port, base = free_port(), f"https://127.0.0.1:{upstream.port}"
            table = configuration(upstream.port) | {
                "port": port,
                "tls_certificate": str(outer),
                "tls_key": str(outer_key),
                "upstreams": {
                    "trusted": {"family": "anthropic", "url": base, "key_env": "UPSTREAM_KEY", "ca_file": str(inner)},
                    "untrusted": {"family": "anthropic", "url": base, "key_env": "UPSTREAM_KEY", "connect_retries": 0},
                },
                "models": {"echo": {"upstreams": ["trusted"]}, "other": {"upstreams": ["untrusted"]}},
            }
            url = f"https://127.0.0.1:{port}"
            async with serving(world, table):
                status, body = await asyncio.to_thread(post, url, world.key, "echo", trusting)
                assert (status, json.loads(body)["type"]) == (200, "message")
                status, body = await asyncio.to_thread(post, url, world.key, "other", trusting)
                assert status == 502
                assert b"gateway.upstream" in body
                measured = await asyncio.to_thread(metrics, url, trusting)
                assert 'glasshouse_calls_total{dialect="anthropic.messages",model="echo",outcome="done"' in measured
                with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
                    await asyncio.to_thread(post, url, world.key, "echo", ssl.create_default_context())
                with pytest.raises((urllib.error.URLError, http.client.HTTPException)):
                    await asyncio.to_thread(post, url.replace("https", "http"), world.key, "echo", None)
            assert len(upstream.requests) == 1

    asyncio.run(main())
