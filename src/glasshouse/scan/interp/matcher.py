"""Rules and models compiled into look-up tables: resolved callee path in, what is known about the call out.

One dictionary look-up per call, whatever the number of rules.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterable, Sequence

from glasshouse.scan.interp.late_pattern import LatePattern, late_pattern
from glasshouse.scan.interp.models import (
    CallModel,
    MatchModel,
    PropagatorModel,
    ProtocolUse,
    ReadModel,
    SanitizerModel,
    SinkModel,
    SourceModel,
    StoreUse,
    protocol_use,
)
from glasshouse.scan.interp.selectors import compile_conditions, compile_selector
from glasshouse.scan.rules import schema


class Matcher:
    """Look-up tables for one set of rules."""

    def __init__(
        self, rules: Iterable[schema.Rule], models: Sequence[schema.Models], taint_classes: Sequence[str], language: str
    ) -> None:
        self.language = language
        self.bits = {name: 1 << index for index, name in enumerate(taint_classes)}
        self.normal_bit = 1 << len(taint_classes)
        self.built_bit = 1 << (len(taint_classes) + 1)  # constant text stands before the data
        self.all = self.normal_bit - 1
        numeric = ("resource", "memory", "secret", "trust", "type", "redos")
        shaped = ("nosql", "type", "mass")
        self.shape_mask = sum(self.bits[name] for name in shaped if name in self.bits)  # needs an object or a list
        self.numeric_mask = sum(self.bits[name] for name in numeric if name in self.bits)
        self.calls: dict[str, CallModel] = {}
        self.reads: dict[str, ReadModel] = {}
        self.hierarchy: dict[str, tuple[str, ...]] = {}
        self.aliases: dict[str, str] = {}
        self.assign_sinks: dict[str, list[SinkModel]] = {}
        self.assign_matches: list[MatchModel] = []
        self._assign_names: dict[str, list[int]] = {}  # places in `assign_matches` of plain names
        self._assign_patterns: list[tuple[int, LatePattern]] = []
        self.decorators: dict[str, list[MatchModel]] = {}
        self.entries: list[schema.Entry] = []
        self.registrars: set[str] = set()  # types at which functions are registered
        self.shaped_entries: list[schema.Entry] = []
        self._method_entries: dict[str, list[schema.Entry]] = {}
        self.decorator_entries: dict[str, schema.Entry] = {}
        self.detectors: list[schema.Rule] = []
        self.named_sources: list[tuple[LatePattern, LatePattern | None, SourceModel]] = []
        self._named_cache: dict[str, tuple[SourceModel, ...]] = {}
        self.rules = {rule.id: rule for rule in rules}
        self.texts = [(late_pattern(text.matches), text.type) for model in models for text in model.texts]
        self.text_types = frozenset(kind for _, kind in self.texts)
        self.put_into: dict[str, list[tuple[SourceModel, LatePattern | None]]] = {}
        self._text_cache: dict[str, str] = {}
        self.no_return = {path for model in models for path in model.no_return}
        self.no_return_names = {path.rpartition(".")[2] for path in self.no_return}
        for model in models:
            self._add_models(model)
        for rule in self.rules.values():
            self._add_rule(rule)
        self.known_types = self._known_types()
        self.typed_fields = {
            path[2:]: item.returns for path, item in self.reads.items() if path[:2] == "*." and item.returns
        }
        self._call_cache: dict[str, CallModel | None] = {}
        self._read_cache: dict[str, ReadModel | None] = {}
        self._concern_cache: dict[str, bool] = {}
        self._assign_cache: dict[str, tuple[MatchModel, ...]] = {}
        self._unbound: dict[str, str] | None = None
        self._supers: dict[str, tuple[str, ...]] = {}

    def _known_types(self) -> frozenset[str]:
        known = set(self.hierarchy)
        for above in self.hierarchy.values():
            known.update(above)
        for path in [*self.calls, *self.reads]:
            owner = path.rpartition(".")[0]
            if owner and owner != "*":
                known.add(owner)
            known.add(path)
        known.update(model.returns for model in self.calls.values() if model.returns)
        known.update(model.returns for model in self.reads.values() if model.returns)
        known.update(self.decorators, self.decorator_entries)
        for entry in self.entries:
            known.update(entry.bases, entry.class_decorator, (param.type for param in entry.params if param.type))
        known.discard("self")
        return frozenset(known)

    def _call(self, path: str) -> CallModel:
        model = self.calls.get(path)
        if model is None:
            model = self.calls[path] = CallModel()
        return model

    # --- compiling ----------------------------------------------------------------------------------------------

    def _add_models(self, models: schema.Models) -> None:
        self.hierarchy.update(models.hierarchy)
        self.aliases.update(models.aliases)
        for source in models.sources:
            compiled = SourceModel(
                "source",
                source.kind,
                source.description,
                self.all & ~sum(self.bits.get(name, 0) for name in source.not_classes),
                tuple(compile_selector(item) for item in source.taints),
                compile_conditions(source.where),
            )
            for path in source.call:
                self._call(path).sources.append(compiled)
            for path in source.read:
                self._read(path, source=compiled)
        for sanitizer in models.sanitizers:
            self._add_sanitizer(sanitizer, None)
        for propagator in models.propagators:
            made = compile_propagator(propagator)
            for path in propagator.call:
                self._call(path).propagators.append(made)
        for type_model in models.types:
            for path in type_model.call:
                self._call(path).returns = type_model.returns
            for path in type_model.read:
                self._read(path, returns=type_model.returns)
        for store in models.stores:
            for path in store.fields:
                self._read(f"{path}.*", store=store.id)
            for role, paths in (("get", store.get), ("set", store.set), ("put", store.put), ("make", store.make)):
                use = StoreUse(role, store.id, bool(store.make), compile_selector(store.arg), store.key)
                for path in paths:
                    self._call(path).stores.append(use)
        for entry in models.entries:
            self.entries.append(entry)
            if entry.shape or entry.functions:
                self.shaped_entries.append(entry)
            for path in entry.registers:
                self._call(path).registers.append((entry, compile_selector(entry.argument)))
                owner = path.rpartition(".")[0]
                if owner.strip("*"):  # of a function by itself, or a method of anything, the owner tells nothing
                    self.registrars.add(owner)
            for path in entry.decorator:
                self.decorator_entries.setdefault(path, entry)

    def _read(
        self,
        path: str,
        source: SourceModel | None = None,
        match: MatchModel | None = None,
        returns: str = "",
        store: str = "",
        clean: int = 0,
    ) -> None:
        have = self.reads.get(path, ReadModel((), (), ""))
        self.reads[path] = ReadModel(
            (*have.sources, source) if source else have.sources,
            (*have.matches, match) if match else have.matches,
            returns or have.returns,
            store or have.store,
            clean | have.clean,
        )

    def _add_sanitizer(self, sanitizer: schema.Sanitizer, bit: int | None) -> None:
        mask = 0
        for name in sanitizer.classes:
            mask |= self.all if name == "*" else self.bits.get(name, 0)
        if bit is not None and not mask:
            mask = bit
        model = SanitizerModel(
            mask,
            sanitizer.guard,
            compile_selector(sanitizer.arg),
            tuple(compile_selector(item) for item in sanitizer.cleans),
            compile_conditions(sanitizer.where),
            late_pattern(sanitizer.safe_prefix) if sanitizer.safe_prefix else None,
        )
        for path in sanitizer.call:
            self._call(path).sanitizers.append(model)
        for path in sanitizer.read:
            self._read(path, clean=mask)

    def _add_rule(self, rule: schema.Rule) -> None:
        for sanitizer in rule.sanitizers:
            self._add_sanitizer(sanitizer, self.bits.get(rule.taint))
        for sink in rule.sinks:
            self._add_sink(rule, sink)
        for match in rule.matches:
            self._add_match(rule, match)
        for private in rule.sources:
            self._add_private(rule, private)
        for number, protocol in enumerate(rule.protocol):
            self._add_protocol(rule, protocol, (rule.id, number))
        if rule.detector:
            self.detectors.append(rule)

    def _add_sink(self, rule: schema.Rule, sink: schema.Sink) -> None:
        selectors = tuple(compile_selector(item) for item in sink.args)
        where, safe = compile_conditions(sink.where), compile_conditions(sink.safe_when)
        bit = self.bits[rule.taint]
        guards = tuple(
            protocol_use("guard", rule, protocol, (rule.id, number)) for number, protocol in enumerate(rule.protocol)
        )
        prefix = late_pattern(sink.safe_prefix) if sink.safe_prefix else None
        late = frozenset(sink.checked_by)
        for path in sink.call:
            model = SinkModel(
                rule, bit, selectors, where, safe, sink.label, sink.confidence, path, guards, prefix, late, sink.part
            )
            self._call(path).sinks.append(model)
        for path in sink.assign:
            model = SinkModel(rule, bit, selectors, where, safe, sink.label, sink.confidence, path)
            self.assign_sinks.setdefault(path, []).append(model)

    def _add_private(self, rule: schema.Rule, private: schema.PrivateSource) -> None:
        where = compile_conditions(private.where)
        model = SourceModel("private", rule.id, private.description, self.bits[rule.taint], (), where)
        for path in private.call:
            self._call(path).sources.append(model)
        for path in private.read:
            self._read(path, source=model)
        if private.put_into:
            after = late_pattern(private.not_after) if private.not_after else None
            self.put_into.setdefault(private.put_into, []).append((model, after))
        if private.names:
            unless = late_pattern(private.not_names) if private.not_names else None
            self.named_sources.append((late_pattern(private.names), unless, model))

    def _add_match(self, rule: schema.Rule, match: schema.Match) -> None:
        model = MatchModel(
            rule, compile_conditions(match.where), compile_conditions(match.unless), match.confidence, match.imports
        )
        for path in match.call:
            self._call(path).matches.append(model)
        for path in match.read:
            self._read(path, match=model)
        for path in match.decorator:
            self.decorators.setdefault(path, []).append(model)
        for pattern in match.assign:
            place = len(self.assign_matches)
            self.assign_matches.append(model)
            if PLAIN_NAMES.fullmatch(pattern):
                for name in dict.fromkeys(pattern.split("|")):
                    self._assign_names.setdefault(name, []).append(place)
            else:
                self._assign_patterns.append((place, late_pattern(pattern)))

    def _add_protocol(self, rule: schema.Rule, protocol: schema.Protocol, key: tuple[str, int]) -> None:
        def use(role: str, match: schema.Match | None = None, group: int = 0) -> ProtocolUse:
            return protocol_use(role, rule, protocol, key, match, group)

        for path in protocol.create:
            self._call(path).protocol.append(use("create"))
        for group, match in enumerate(protocol.secured):
            for path in match.call:
                self._call(path).protocol.append(use("secure", match, group))
        for match in protocol.unsafe:
            for path in match.call:
                self._call(path).protocol.append(use("unsafe", match))
        for path in protocol.derive:
            self._call(path).protocol.append(use("derive"))
        for path in protocol.use:
            self._call(path).protocol.append(use("use"))

    def _unbound_names(self) -> dict[str, str]:
        """Last name to full path, for functions and classes of known modules; names in several modules: see below."""
        found: dict[str, str] = {}
        for path in dict.fromkeys([*self.calls, *self.reads, *(path.rpartition(".")[0] for path in self.reads)]):
            owner, _, name = path.rpartition(".")
            head = path.partition(".")[0]
            if not owner or owner[0] == "*" or "(" in path or not owner.rpartition(".")[2][:1].islower():
                continue
            if name[0].islower() and head not in STAR_MODULES and head not in sys.stdlib_module_names:
                continue
            if name not in found or rank(path) < rank(found[name]):
                found[name] = path
        return found

    def unbound(self, name: str) -> str:
        """The path of a name that nothing in its file defines: it came with ``from module import *``."""
        if name in self.calls or name in self.known_types or name in BUILTIN_NAMES:
            return name
        if self._unbound is None:
            self._unbound = self._unbound_names()
        return self._unbound.get(name, name)

    # --- looking up ---------------------------------------------------------------------------------------------

    def supers(self, name: str) -> tuple[str, ...]:
        """The type and the external types above it."""
        found = self._supers.get(name)
        if found is None:
            order = [name]
            for item in order:
                order.extend(above for above in self.hierarchy.get(item, ()) if above not in order)
                if len(order) > 40:
                    break
            found = self._supers[name] = tuple(order)
        return found

    def is_below(self, name: str, wanted: Iterable[str]) -> bool:
        return any(item in wanted for item in self.supers(name))

    def normal(self, path: str) -> str:
        """The path rules use: aliases applied to the longest known prefix."""
        if path in self.aliases:
            return self.aliases[path]
        head = path
        while "." in head:
            head = head.rpartition(".")[0]
            if head in self.aliases:
                return self.aliases[head] + path[len(head) :]
        return path

    def call(self, path: str) -> CallModel | None:
        """The model of a callee path (``a.b.c``), including what holds for the types above and for ``*.c``."""
        try:
            return self._call_cache[path]
        except KeyError:
            found = self._call_cache[path] = self._find_call(path)
            return found

    def _find_call(self, path: str) -> CallModel | None:
        owner, _, name = self.normal(path).rpartition(".")
        models = []
        for item in self.supers(owner) if owner else ("",):
            model = self.calls.get(f"{item}.{name}" if item else name)
            if model is not None:
                models.append(model)
        star = self.calls.get(f"*.{name}") if owner != "*" else None
        if star is not None and owner not in self.known_types:
            models.append(star)
        elif star is not None and star.sanitizers and not models:
            models.append(star.only_sanitizers())
        if len(models) <= 1:
            return models[0] if models else None
        merged = CallModel()
        for model in models:
            merged.add(model)
        return merged

    def read(self, path: str) -> ReadModel | None:
        """The model of an attribute read."""
        try:
            return self._read_cache[path]
        except KeyError:
            owner, _, name = self.normal(path).rpartition(".")
            found = None
            above = self.supers(owner) if owner else ("",)
            for item in (*(f"{item}.{name}" if item else name for item in above), *(f"{item}.*" for item in above)):
                found = self.reads.get(item)
                if found is not None:
                    break
            if found is None and owner not in self.known_types:
                found = self.reads.get(f"*.{name}")
            self._read_cache[path] = found
            return found

    def ends(self, owner: str, name: str) -> bool:
        """Whether a call of ``owner.name`` (a plain ``name`` without owner) never comes back."""
        if name not in self.no_return_names:
            return False
        path = f"{owner}.{name}" if owner else name
        return path in self.no_return or self.normal(path) in self.no_return

    def concerns(self, name: str) -> bool:
        """Whether any rule is about values of this name."""
        found = self._concern_cache.get(name)
        if found is None:
            found = self._concern_cache[name] = name[:1] != "$" and bool(self.assigned(name) or self.named(name))
        return found

    def method_entries(self, name: str) -> list[schema.Entry]:
        """The entries that methods of that name may be."""
        found = self._method_entries.get(name)
        if found is None:
            found = [entry for entry in self.entries if name in entry.methods or "*" in entry.methods]
            self._method_entries[name] = found
        return found

    def text_type(self, text: str) -> str:
        """The type of a text, by how it begins; "" for plain text."""
        if len(text) < MIN_STATEMENT:
            return ""
        found = self._text_cache.get(text)
        if found is None:
            found = next((kind for pattern, kind in self.texts if pattern.search(text)), "")
            if len(self._text_cache) < TEXT_CACHE:
                self._text_cache[text] = found
        return found

    def named(self, name: str) -> tuple[SourceModel, ...]:
        """Private sources that values of this name are."""
        found = self._named_cache.get(name)
        if found is None:
            plain = len(name) <= 80 and name[:1] != "$"
            found = self._named_cache[name] = tuple(
                model
                for pattern, unless, model in self.named_sources
                if plain and pattern.fullmatch(name) and not (unless and unless.fullmatch(name))
            )
        return found

    def assigned(self, name: str) -> tuple[MatchModel, ...]:
        """Assignment patterns for a variable, attribute or keyword of that name."""
        found = self._assign_cache.get(name)
        if found is None:
            plain = self._assign_names.get(name, ())
            places = [*plain, *(place for place, pattern in self._assign_patterns if pattern.fullmatch(name))]
            found = tuple(self.assign_matches[place] for place in sorted(places))
            self._assign_cache[name] = found
        return found


PLAIN_NAMES = re.compile(r"[\w-]+(\|[\w-]+)*")
MIN_STATEMENT = 5  # shorter texts have no type
TEXT_CACHE = 20_000
STAR_MODULES = ("subprocess", "os", "flask", "django", "jinja2")  # modules whose names are often imported all at once
BUILTIN_NAMES = frozenset(dir(builtins))


def rank(path: str) -> tuple[int, int, str]:
    """Which of several modules a name without an import most likely comes from."""
    head = path.partition(".")[0]
    place = STAR_MODULES.index(head) if head in STAR_MODULES else len(STAR_MODULES)
    return place, path.count("."), path


def compile_propagator(propagator: schema.Propagator) -> PropagatorModel:
    return PropagatorModel(
        tuple(compile_selector(item) for item in propagator.frm),
        tuple("return" if item == "return" else compile_selector(item) for item in propagator.to),
        compile_selector(propagator.callback) if propagator.callback else None,
        tuple(compile_selector(item) for item in propagator.callback_args),
        propagator.callback_to,
        propagator.normal,
        propagator.callback_types,
    )
