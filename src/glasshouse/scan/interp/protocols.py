"""Objects that must be made safe before they are used: XML parsers, cookies, TLS contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, conditions
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.models import CallModel, ProtocolUse
from glasshouse.scan.interp.selectors import Selector
from glasshouse.scan.interp.values import NOT_CONST, Obj, Value, join_refs

if TYPE_CHECKING:
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
            if not all(conditions.holds(frame, item, receiver, given) for item in use.where):
                continue
            if any(conditions.holds(frame, item, receiver, given) for item in use.unless):
                continue
            if use.role == "create":
                result = self.create(frame, use, result, span)
            elif use.role == "use":
                self.used(frame, use, receiver, given, span)
            elif use.role == "derive":
                result = self.derive(frame, use, receiver, given, result)
            else:
                self.secured(use, receiver, given, result)
        return result

    def create(self, frame: Frame, use: ProtocolUse, result: Value, span: int) -> Value:
        obj = next((ref for ref in result.refs if ref.__class__ is Obj), None)
        machine = self.machine
        if obj is None:
            obj = machine.new_obj("extern", frame, span)
            result = Value(result.const, result.taint, (*result.refs, obj), result.path)
        machine.write(obj, use.key, Value(()))
        if (use.protocol.returned or not use.protocol.use) and not use.rule.taint:
            machine.root.created.append((obj, use, frame, span))
        return result

    def derive(self, frame: Frame, use: ProtocolUse, receiver: Value | None, given: Arguments, result: Value) -> Value:
        """The result carries the objects whose state it shares."""
        shared = tuple(
            ref
            for value in conditions.pick(frame, use.selector, receiver, given)
            for ref in value.refs
            if ref.__class__ is Obj and use.key in (self.machine.fields(ref) or {})
        )
        return Value(result.const, result.taint, join_refs(result.refs, shared), result.path) if shared else result

    def secured(self, use: ProtocolUse, receiver: Value | None, given: Arguments, result: Value) -> None:
        targets = [receiver] if receiver is not None else [result, *given.pos[:1]]
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
        if use.protocol.enough:
            return not any(all(number in done for number in numbers) for numbers in use.protocol.enough)
        if use.protocol.any_of:
            return not done
        return len(done) < len(use.protocol.secured)

    def guarded(self, frame: Frame, guards: tuple[ProtocolUse, ...], receiver: Value | None, given: Arguments) -> bool:
        """Whether what is used is known to be in a safe state."""
        for use in guards:
            for value in conditions.pick(frame, use.selector, receiver, given):
                for ref in value.refs:
                    if ref.__class__ is Obj and use.key in (self.machine.fields(ref) or {}):
                        if not self.insecure(use, ref):
                            return True
        return False

    def used(self, frame: Frame, use: ProtocolUse, receiver: Value | None, given: Arguments, span: int) -> None:
        if use.outside is not None and not self.comes_from_outside(frame, use.outside, receiver, given):
            return
        for value in conditions.pick(frame, use.selector, receiver, given):
            for ref in value.refs:
                if ref.__class__ is Obj and self.insecure(use, ref):
                    self.machine.report_rule(use.rule, frame.fn, span, {}, None)
                    return

    def comes_from_outside(self, frame: Frame, selector: Selector, receiver: Value | None, given: Arguments) -> bool:
        for value in conditions.pick(frame, selector, receiver, given):
            if attributes.deep_taint(self.machine, value) if value.refs else value.taint:
                return True
        return False

    def finish(self, result: Value | None) -> None:
        """At the end of a root, whose summary has this result: objects that were never made safe."""
        for obj, use, frame, span in self.machine.root.created:
            if (not use.protocol.use or self.given_out(use, obj, frame, result)) and self.insecure(use, obj):
                self.machine.report_rule(use.rule, frame.fn, span, {}, None)

    def given_out(self, use: ProtocolUse, obj: Obj, frame: Frame, result: Value | None) -> bool:
        """Whether a public function that made the object gives it to callers that are not known."""
        if result is None or frame.fn is not self.machine.root.fn or not frame.fn.ir.flags & ir.EXPORTED:
            return False
        kinds = use.protocol.returned
        return obj in result.refs and self.machine.matcher(frame).is_below(result.path, kinds)
