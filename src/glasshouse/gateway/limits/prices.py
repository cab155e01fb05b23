"""What a call may cost at most, and what it has cost; money in millionths of the currency of the prices."""

from __future__ import annotations

import msgspec

from glasshouse.gateway.dialect.interface import Call, Usage
from glasshouse.gateway.limits.reserve import Cost

BYTES_PER_TOKEN = 3
"""Text of a request in bytes for each reserved token; real texts have about four, code about three."""
TOKENS_PER_OPAQUE_PART = 1_600
"""Reserved for an image or a recording whose size in tokens only the upstream knows."""


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money for a million tokens, in units of the currency.  Cached tokens cost what input costs unless said."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


def at_most(call: Call, body_bytes: int, longest_answer: int, price: Price | None, *, generates: bool) -> Cost:
    """What is reserved: the request by its size, and the longest answer that it allows."""
    readable = max(0, body_bytes - call.opaque_bytes)
    given = -(-readable // BYTES_PER_TOKEN) + call.opaque_parts * TOKENS_PER_OPAQUE_PART
    answer = (call.max_output_tokens or longest_answer) * call.choices if generates else 0
    dearest = max(price.input, price.cache_write or 0.0) if price is not None else 0.0
    micros = given * dearest + answer * price.output if price is not None else 0.0
    return Cost(given + answer, -int(-micros // 1))


def spent(usage: Usage | None, price: Price | None, reserved: Cost, *, generates: bool) -> Cost | None:
    """What the call cost; None when the upstream did not say, so that the reservation stands."""
    if usage is None or usage.input is None or (generates and usage.output is None):
        return None
    output = usage.output or 0
    tokens = usage.input + output
    if price is None:
        return Cost(tokens, reserved.micros)
    plain = max(0, usage.input - usage.cache_read - usage.cache_write)
    read = price.input if price.cache_read is None else price.cache_read
    written = price.input if price.cache_write is None else price.cache_write
    micros = plain * price.input + usage.cache_read * read + usage.cache_write * written + output * price.output
    return Cost(tokens, -int(-micros // 1))
