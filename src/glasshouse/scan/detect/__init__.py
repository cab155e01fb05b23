"""Detectors: pure functions for weaknesses that are neither data flow nor a plain pattern.

A rule names one with ``detector:`` (``registry`` has the list).  Those that serve several languages, and their options:

``redos``
    ``options.calls`` (list of ``{call, args}``) say where regular expressions are given; in JavaScript also expression
    literals.  Reported when ``redos.is_slow(pattern, flags)`` returns a text, which fills ``{value}``.
``hardcoded-credential``
    Assignments, fields, dictionary keys and keyword arguments with a constant text value, when
    ``secrets.looks_like_secret(name, value)``; and arguments of ``options.calls``, whose name is not judged.
``private-flow``
    A data flow of one rule's own.  ``options.sources``: ``call``, ``read`` (paths), ``names`` (variables, parameters
    and fields whose name matches in full, and not ``not_names``), ``exceptions`` (caught exceptions), ``iterate``
    (elements of values of these types), ``description``.  ``options.sinks``: each with the keys of ``schema.Sink``;
    ``options.entry_returns``: also what entry points return.  Sanitisers of the weakness class ``options.class`` clean.
``weak-random``
    A call of one of ``options.calls`` whose result is assigned to, returned from or passed as something whose name
    matches ``options.names`` (variables, fields, keywords, functions).
``host-check``, ``open-host-pattern``
    Tests of addresses against a constant host that other hosts pass too (Python); patterns come from ``options.calls``.
``timing-comparison``
    ``==`` or ``!=`` between a result of ``options.calls``, or a name that matches ``options.names``, and a value that
    is not constant.
"""

from __future__ import annotations
