"""What runs an instruction, by opcode: `frame` looks it up, `instructions` fills it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glasshouse.scan import ir

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

Handler = Callable[["Frame", ir.Instr], "bool | None"]
HANDLERS: list[Handler] = []
