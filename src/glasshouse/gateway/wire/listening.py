"""How uvicorn listens for us, wherever it does: one place, so that gateway and console cannot come apart."""

from __future__ import annotations

import logging
from typing import Any, Final

LISTENING: Final[dict[str, Any]] = {
    "factory": True,
    "ws": "none",
    "loop": "asyncio",
    "log_config": None,
    "log_level": logging.WARNING,
    "access_log": False,
    "proxy_headers": False,  # who asks is who connects; a header could claim anything
    "server_header": False,
}
"""Settings of `uvicorn.Config` for an application that logs for itself and believes no header about its caller."""
