"""Detectors: pure functions for weaknesses that are neither data flow nor a plain pattern.

A rule names one with ``detector:``; the engine finds the places and asks the function here.  Names and their options:

``redos``                 ``options.calls`` (list of ``{call, args}``) say where regular expressions are given; for JavaScript also regular
                          expression literals.  Reported when ``redos.is_slow(pattern, flags)`` returns a text; it fills ``{value}``.
``hardcoded-credential``  Assignments, fields, dictionary keys and keyword arguments (and ``options.calls``) with a constant text value:
                          reported when ``secrets.looks_like_secret(name, value)``; for ``options.calls`` the name is not judged.
``private-flow``          Data flow of one rule's own: sources ``options.sources`` (``call``, ``read``: paths; ``names``: variables,
                          parameters, fields whose name matches in full and not ``not_names``; ``exceptions``: caught exceptions;
                          ``iterate``: elements of values of these types), sinks ``options.sinks`` (each with the keys of
                          ``schema.Sink``), ``entry_returns``: what entry points return.  Sanitisers of class ``options.class`` clean.
``weak-random``           A call of one of ``options.calls`` whose result is assigned to, returned from or passed as something whose name
                          matches ``options.names`` (variables, fields, keywords, functions).
``timing-comparison``     ``==`` or ``!=`` between a result of ``options.calls`` and a value that is not constant.
"""

from __future__ import annotations

DETECTORS: tuple[str, ...] = ("redos", "hardcoded-credential", "private-flow", "weak-random", "timing-comparison")
