"""Objects that must be made safe before they are used: XML parsers, cookies, TLS contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp import external
from glasshouse.scan.interp.matcher import CallModel, ProtocolUse
from glasshouse.scan.interp.values import NOT_CONST, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.calls import Arguments
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

UNSAFE = "unsafe"


class Protocols:
    """Follows protocol objects through one machine's heap: field ``(rule, number)`` holds what has been done."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def apply(
        self, frame: Frame, model: CallModel, receiver: Value | None, given: Arguments, result: Value, span: int
    ) -> Value:
        for use in model.protocol:
            if not all(external.holds(frame, item, receiver, given) for item in use.where):
                continue
            if any(external.holds(frame, item, receiver, given) for item in use.unless):
                continue
            if use.role == "create":
                result = self.create(frame, use, result, span)
            elif use.role == "use":
                self.used(frame, use, receiver, given, span)
            else:
                self.secured(use, receiver, given)
        return result

    def create(self, frame: Frame, use: ProtocolUse, result: Value, span: int) -> Value:
        obj = next((ref for ref in result.refs if ref.__class__ is Obj), None)
        machine = self.machine
        if obj is None:
            obj = machine.new_obj("extern", frame, span)
            result = Value(result.const, result.taint, (*result.refs, obj), result.path)
        machine.write(obj, use.key, Value(()))
        if not use.protocol.use:
            machine.root.created.append((obj, use, frame, span))
        return result

    def secured(self, use: ProtocolUse, receiver: Value | None, given: Arguments) -> None:
        targets = [receiver] if receiver is not None else given.pos[:1]
        for value in targets:
            for ref in value.refs:
                if ref.__class__ is not Obj:
                    continue
                state = (self.machine.fields(ref) or {}).get(use.key)
                if state is None:
                    continue
                done = state.const if state.const is not NOT_CONST else ()
                if use.role == "secure":
                    done = tuple(sorted({*(item for item in done if item != UNSAFE), use.group}, key=str))
                else:
                    done = (UNSAFE,)
                self.machine.write(ref, use.key, Value(done))

    def insecure(self, use: ProtocolUse, ref: Obj) -> bool:
        state = (self.machine.fields(ref) or {}).get(use.key)
        if state is None or state.const is NOT_CONST:
            return False
        done = state.const
        if UNSAFE in done:
            return True
        if use.protocol.safe_by_default:
            return False
        if use.protocol.any_of:
            return not done
        return len([item for item in done if item != UNSAFE]) < len(use.protocol.secured)

    def used(self, frame: Frame, use: ProtocolUse, receiver: Value | None, given: Arguments, span: int) -> None:
        from glasshouse.scan.interp.matcher import compile_selector

        for value in external.pick(frame, compile_selector(use.protocol.use_arg), receiver, given):
            for ref in value.refs:
                if ref.__class__ is Obj and self.insecure(use, ref):
                    self.machine.report_rule(use.rule, frame.fn, span, {}, None)
                    return

    def finish(self) -> None:
        """At the end of a root: objects that were never made safe."""
        for obj, use, frame, span in self.machine.root.created:
            if self.insecure(use, obj):
                self.machine.report_rule(use.rule, frame.fn, span, {}, None)
