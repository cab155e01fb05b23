"""Many small functions that handle requests, analysed together: one program a language is quicker than one a case."""

from __future__ import annotations

from collections.abc import Mapping

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

TEMPLATES = {  # {0} is the name of the function, {1} its body; request data is in ``x``
    "java": '@GetMapping("/{0}") public String {0}(@RequestParam String x) throws Exception {{ {1} return ""; }}',
    "python": '@app.get("/{0}")\ndef {0}():\n    x = request.args["x"]\n    {1}\n',
    "php": "function {0}() {{ $x = $_GET['x']; {1} }}",
    "javascript": "app.get('/{0}', (req, res) => {{ let x = req.query.x; {1} }});",
}
PATHS = {"java": "Code.java", "python": "code.py", "php": "code.php", "javascript": "code.js"}


def told_in(language: str, head: str, bodies: Mapping[str, str]) -> dict[str, set[int]]:
    """The weaknesses (CWE) that are told in each function, from real sources.

    ``head`` stands before all functions; in Java it opens the class they are in.
    """
    code, ends = head, {}
    for name, body in bodies.items():
        code += TEMPLATES[language].format(name, body) + "\n"
        ends[name] = code.count("\n")
    code += "}\n" if language == "java" else ""
    file = front_end(language).lower(code.encode(), PATHS[language], LowerLimits())
    analysis = analyse([file], {language: load_rules([language])})
    assert analysis.problems == ()
    found: dict[str, set[int]] = {name: set() for name in bodies}
    start = head.count("\n")
    for name, end in ends.items():
        for flow in analysis.flows:
            if start < ir.unpack_span(flow.span)[0] <= end:
                found[name].update(flow.rule.cwe)
        start = end
    return found
