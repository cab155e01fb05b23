"""The shape of rule and model files (``rules/data/**/*.yaml``); a file that does not fit is refused with its place.

Two kinds of document, told apart by their top-level key:

``rules:``   a list of ``Rule``: what to report, with everything a reader needs (why, fix, before/after, tests).
``models:``  one ``Models``: what the outside world does (sources, entry points, sanitisers, propagators, types).

Names of external things ("callee paths")
    ``os.system``                 a function or class reached by import (Java: full name, ``java.lang.Runtime.exec``)
    ``sqlite3.connect()``         the result of calling it, when no ``types`` entry names that result
    ``sqlite3.Cursor.execute``    a method on a value of a known type (``types`` entries and declared types say which;
                                  ``hierarchy`` adds the types above it); constructors are the class's own path
    ``*.execute``                 a method of that name on a receiver whose type is not known
    ``express.Request.query``     an attribute read on a typed value
    ``WP_REST_Request.*``         any attribute (or key) of a typed value that no other entry names
JavaScript: ``child_process.exec`` (module path + export), globals by name (``eval``, ``document.write``), ``node:`` is
stripped.  JSX elements call ``$jsx`` with (tag, props, children...).

Argument selectors (strings): ``0``, ``1``, ... positional; a word: keyword (Python) ; ``self``: the receiver;
``any``: every argument but the receiver; ``0.url``: field ``url`` of argument 0 (options objects); ``0.*``: every
element or field of argument 0; ``-1``: the last argument; ``1+``: every argument from position 1 on.
``0|cmd`` is argument 0 or, when given by keyword, ``cmd`` (``0|path|name``: either of these).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from glasshouse.words.finding import Confidence, Severity

Language = Literal["python", "javascript", "java", "c", "go", "php", "cobol"]  # TypeScript: javascript; C++: c
Subject = Literal["dependencies", "system"]  # what is scanned instead of source code
SourceKind = Literal["request", "argv", "env", "stdin", "file", "archive", "message", "database", "parameter"]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A test on one argument's abstract value; all keys that are given must hold.

    ``equals``: constant equals one of these.  ``unequal``: it is not a constant equal to one of these (unknown passes).
    ``matches`` / ``unmatched``: regular expression (search) on the constant text, or on the path or type of a value
    that is an external name (``hashlib.md5``).  ``below``: numeric constant less than this.
    ``bits``: integer constant with any of these bits.  ``absent`` / ``present``: the argument is not given / given.
    ``constant``: true: any constant; false: not a constant.
    ``type``: the value's type or external path is one of these (or below one of them in the hierarchy).
    ``overrides``: the value's class is one of the program's own and defines one of these methods.
    ``gives``: the value is a function of the program that returns one of these constants whatever it is asked.
    """

    arg: str
    equals: tuple[str | int | float | bool | None, ...] | None = None
    unequal: tuple[str | int | float | bool | None, ...] | None = None
    matches: str | None = None
    unmatched: str | None = None
    below: float | None = None
    bits: int | None = None
    absent: bool | None = None
    present: bool | None = None
    constant: bool | None = None
    type: tuple[str, ...] | None = None
    overrides: tuple[str, ...] | None = None
    gives: tuple[str | int | bool | None, ...] | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where untrusted data enters.

    ``read``: attribute reads; ``call``: results of calls; ``taints``: arguments filled by the call.

    ``not_classes``: weakness classes that this data cannot cause (text is never a query operator or a list).
    """

    id: str
    kind: SourceKind
    description: str  # "HTTP request data", used in messages
    read: tuple[str, ...] = ()
    call: tuple[str, ...] = ()
    taints: tuple[str, ...] = ()  # argument selectors whose objects `call` fills (``InputStream.read(buf)``)
    not_classes: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()


class ParamModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a framework passes as one parameter: a typed object, or untrusted data of a source kind."""

    param: str  # index, name, "*" (all that no other entry names), or "@Name" (parameter carries that annotation)
    type: str = ""
    source: SourceKind | None = None
    description: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A framework entry point: functions the framework calls.

    Recognised by ``decorator`` (paths or ``*.route``), by being passed to ``registers`` calls (``argument`` says
    which; default: any function-valued argument), or as ``methods`` of classes that extend ``bases`` (``*.Some*Name``
    is compared with the base as written) or carry ``class_decorator``.  ``shape``: parameter names of an otherwise
    unknown function (``[req, res]``), used when nothing else explains it and the file imports one of ``imports``
    (empty: no such test).  ``functions``: names of such functions.

    ``result``: the call that stands for what the framework does with the returned value (``$page``), for the sinks of
    rules.  Argument 0 is the value, ``beginning`` the constant text it begins with, ``declared`` the type that the
    function is declared to return, ``marks`` the decorators of function and class (``RestController, Get(/home)``).
    ``setters``: the framework fills text fields of the object through their setters, from a source of this kind.
    """

    id: str
    description: str
    decorator: tuple[str, ...] = ()
    class_decorator: tuple[str, ...] = ()
    registers: tuple[str, ...] = ()
    argument: str = "any"
    bases: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()  # names; "*" = every public method
    shape: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    params: tuple[ParamModel, ...] = ()
    result: str = ""
    setters: SourceKind | None = None
    keeps: str = ""  # the store (its ``id``) in which the framework keeps what the function returns


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one handler of a request keeps something for another; what is read there is what any of them has written.

    ``fields``: objects whose attributes (and constant keys) that no other entry names are such places
    (``flask.g``, ``express.Response.locals``).  ``get`` / ``set``: calls that take the name as argument 0 and, to
    write, the value as argument 1 (``key: 1``: the name as argument 1, the value after it).  ``put``: calls whose
    argument ``arg`` is an object to be kept whole.  ``make``: calls that make a variable named by argument 0; then
    ``get`` takes nothing and ``set`` the value only.
    """

    id: str
    fields: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    put: tuple[str, ...] = ()
    arg: str = "0"
    make: tuple[str, ...] = ()
    key: int = 0


class Sanitizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Makes data harmless for ``classes`` ("*" = all).

    Default: the call's result is clean.  ``guard``: the call is a test; where it is true (``true``) or false
    (``false``), argument ``arg`` is clean; ``asserts``: ``arg`` is a condition without which the call does not come
    back.  ``cleans``: arguments or ``self`` that are clean after the call.  ``safe_prefix``: only where the constant
    text that argument ``arg`` begins with matches this regular expression.  ``read``: attributes whose value is clean.
    """

    classes: tuple[str, ...]
    call: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    guard: Literal["true", "false", "asserts"] | None = None
    arg: str = "0"
    cleans: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    safe_prefix: str = ""


class Propagator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an external call moves data.  Without an entry the result takes the taint of receiver and arguments.

    ``frm`` are argument selectors; ``to`` is ``return``, ``self`` or argument selectors (their objects become tainted);
    an empty ``frm`` means: the result is clean.  ``callback``: argument that is called with ``callback_args`` taken
    from these selectors (``self.*`` = elements of the receiver); the callback's result goes to ``callback_to``
    (``return``: is the result; ``return.*``: elements of the result; "" dropped).  ``callback_types``: types of further
    arguments of the callback, of which nothing else is known.  ``normal``: the result is a path
    without ``..`` parts; a later prefix test then keeps it below that prefix.
    """

    call: tuple[str, ...]
    frm: tuple[str, ...] = ()
    to: tuple[str, ...] = ("return",)
    callback: str = ""
    callback_args: tuple[str, ...] = ()
    callback_to: str = ""
    callback_types: tuple[str, ...] = ()
    normal: bool = False


class TypeModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The type that calls or attribute reads give (``returns`` may be "self": the receiver itself, for fluent APIs)."""

    returns: str
    call: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class TextModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Text that matches (``?`` stands for whatever is put in) is of this type, which starts with ``$``."""

    type: str
    matches: str


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known about libraries of some languages."""

    languages: tuple[Language, ...]
    sources: tuple[Source, ...] = ()
    entries: tuple[Entry, ...] = ()
    sanitizers: tuple[Sanitizer, ...] = ()
    propagators: tuple[Propagator, ...] = ()
    types: tuple[TypeModel, ...] = ()
    hierarchy: dict[str, tuple[str, ...]] = {}  # type -> types above it
    texts: tuple[TextModel, ...] = ()
    stores: tuple[Store, ...] = ()
    no_return: tuple[str, ...] = ()  # calls after which the function does not go on (``sys.exit``, ``flask.abort``)
    aliases: dict[str, str] = {}  # other path -> the path rules use (re-exports, `node:fs` style names)


class Sink(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where tainted data does harm: arguments of ``call``, values assigned to ``assign`` (attribute paths such as
    ``Element.innerHTML`` or ``*.innerHTML``), or values used as a key when reading/writing (``key: write``)."""

    call: tuple[str, ...] = ()
    args: tuple[str, ...] = ("0",)
    assign: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    safe_when: tuple[Condition, ...] = ()  # any of these makes the call safe
    safe_prefix: str = (
        ""  # regular expression on the constant text that an argument begins with: is safe where it matches
    )
    checked_by: tuple[str, ...] = ()  # methods: not reported where the result is a variable they are later called on
    part: bool = False  # the argument is one word of a longer text, so that data in it is never passed on whole
    label: str = ""  # "runs it as a shell command", completes the message
    confidence: Confidence | None = None


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A pattern that is a finding by itself.

    ``call``: a call whose conditions hold (every one of ``where``, not one of ``unless``).  ``assign``: an assignment
    to a variable, attribute or keyword whose (last) name matches this regular expression in full and whose value meets
    ``where`` (arg ``value``, ``value.name`` for what it holds, ``self`` for the object whose attribute it is).
    ``decorator``: a function or class carrying it (``where`` on its arguments).  ``read``: an attribute read.
    """

    call: tuple[str, ...] = ()
    assign: tuple[str, ...] = ()
    decorator: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    confidence: Confidence | None = None
    imports: tuple[str, ...] = ()  # the file imports one of these modules or packages


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A use that is unsafe unless the object was made safe first (XML parsers, cookies, TLS contexts).

    Objects come from ``create`` calls (conditions ``where``).  They are safe once one call of each group of ``secured``
    has happened on them (a ``Match`` with arg conditions), or, with ``any_of``, one call of any group.  Reported at
    ``use`` calls (receiver or argument ``use_arg``), or with ``use`` empty where the object is created, once the
    function ends.
    ``unsafe``: calls that make it unsafe again, or (with ``safe_by_default``) unsafe at all.
    ``enough``: sets of numbers of ``secured`` matches; all of one set make it safe (replaces ``any_of``).
    ``derive``: calls whose result is as safe as the receiver (a parser of a factory), or as argument ``derive_arg``.
    ``outside``: reported only where this argument of the use is data from outside or a parameter.
    ``returned``: also reported where a public function makes an object and gives out one of these types.
    In a rule with ``taint``, the protocol reports nothing itself: sinks are harmless while ``use_arg`` is safe.
    """

    create: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    secured: tuple[Match, ...] = ()
    any_of: bool = True
    unsafe: tuple[Match, ...] = ()
    safe_by_default: bool = False
    use: tuple[str, ...] = ()
    use_arg: str = "self"
    use_where: tuple[Condition, ...] = ()
    enough: tuple[tuple[int, ...], ...] = ()
    derive: tuple[str, ...] = ()
    derive_arg: str = "self"
    outside: str = ""
    returned: tuple[str, ...] = ()


class PrivateSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Data that is a source for one rule only: by the name of a variable, field, key or parameter, a call or a read.

    ``names`` / ``not_names``: regular expressions; the name must match the first in full and not the second.
    ``put_into``: a type of ``Models.texts``: what is put into such text and is neither constant, nor harmless, nor from
    a known source, unless the constant text before it matches ``not_after``.
    """

    description: str
    names: str = ""
    not_names: str = ""
    call: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    put_into: str = ""
    not_after: str = ""


class FixText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to fix, with code before and after."""

    text: str
    before: str
    after: str


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mechanical fix: ``pattern`` (regular expression) inside the finding's text becomes ``replacement``.

    Offered only when the pattern fits exactly one piece of text there, so that nothing is guessed.
    """

    pattern: str
    replacement: str
    description: str


class RuleTests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Code that the rule must report, and close relatives that it must not.  ``file`` names: see ``Rule.tests``."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One weakness we report.  Exactly one of ``taint``, ``matches``, ``protocol``, ``detector``, ``literal`` is given
    (a protocol beside ``taint`` says which receivers are safe).

    ``message`` may use ``{source}``, ``{sink}``, ``{name}``, ``{value}``.  Test snippets are whole files in the rule's
    language (TypeScript when the first line is ``// ts``, JSX when ``// jsx``, JSP when it starts with ``<``).
    """

    id: str
    title: str
    languages: tuple[Language | Subject, ...]
    cwe: tuple[int, ...]
    owasp: str
    severity: Severity
    confidence: Confidence
    message: str
    why: str
    fix: FixText
    tests: RuleTests
    edits: tuple[Edit, ...] = ()
    taint: str = ""  # weakness class (see taint_classes in classes.yaml)
    sinks: tuple[Sink, ...] = ()
    sanitizers: tuple[Sanitizer, ...] = ()
    source_kinds: tuple[SourceKind, ...] = ()  # empty: all, or none when `sources` is given
    sources: tuple[PrivateSource, ...] = ()  # the rule's own sources
    matches: tuple[Match, ...] = ()
    protocol: tuple[Protocol, ...] = ()
    detector: str = ""  # name of a detector in glasshouse.scan.detect
    literal: tuple[str, ...] = ()  # regular expressions on text constants; group "secret" is redacted
    references: tuple[str, ...] = ()
    options: dict[str, Any] = {}


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A YAML document with rules, models or both."""

    rules: tuple[Rule, ...] = ()
    models: Models | None = None
    taint_classes: dict[str, str] = {}  # name -> description
