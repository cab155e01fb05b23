"""What operators look at: is it alive, can it serve, what does it measure."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glasshouse.gateway.gateway import Gateway
from glasshouse.gateway.settings import GatewaySettings

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"


async def healthz(request: Request) -> Response:
    """200 as long as the worker answers at all."""
    return Response(b"ok\n", media_type="text/plain")


async def readyz(request: Request) -> Response:
    """200 when calls can be served; otherwise 503 with the part that stands in the way."""
    gateway: Gateway = request.state.gateway
    found = gateway.readiness()
    needed = all(value == "ok" for part, value in found.items() if not part.startswith("upstream:"))
    upstreams = [value for part, value in found.items() if part.startswith("upstream:")]
    ready = needed and (not upstreams or "ok" in upstreams)
    return JSONResponse({"ready": ready, "parts": found}, status_code=200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Measurements of all workers in Prometheus' text form, behind a key if the settings name one."""
    gateway: Gateway = request.state.gateway
    if not _may_read(request, gateway.settings, os.environ):
        return Response(b"a bearer key is needed\n", status_code=401, media_type="text/plain")
    gateway.measures.flush()
    registry = gateway.registry
    if os.environ.get(SHARED_METRICS):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    gateway.measures.running.set(gateway.relay.running)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _may_read(request: Request, settings: GatewaySettings, environ: Mapping[str, str]) -> bool:
    if not settings.metrics_key_env:
        return True
    wanted = f"Bearer {environ.get(settings.metrics_key_env, '')}".encode()
    return len(wanted) > len(b"Bearer ") and hmac.compare_digest(
        wanted, request.headers.get("authorization", "").encode()
    )


def problem(status: int, code: str, title: str, detail: str = "") -> Response:
    """An error of the capability API (RFC 9457)."""
    body = {"type": f"urn:glasshouse:error:{code}", "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/problem+json")
