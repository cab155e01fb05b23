"""What every report format promises, and what the formats for programs promise to their readers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import glasshouse.scan.render
from glasshouse.scan.baseline import BaselineEntry
from glasshouse.scan.render import html_format, sarif
from glasshouse.scan.render.interface import Context, Report, gather
from glasshouse.scan.render.registry import FORMATS, renderer
from glasshouse.words.errors import UsageError
from glasshouse.words.finding import Finding, Result
from glasshouse.words.location import Location

JSON_SCHEMA = Path(glasshouse.scan.render.__file__).parent / "schemas" / "scan-1.schema.json"
EVERY_FORMAT = pytest.mark.parametrize("name", list(FORMATS))
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def render(name: str, report: Report, context: Context) -> str:
    """A whole report."""
    return "".join(renderer(name).render(report, context))


def many(count: int) -> tuple[Finding, ...]:
    """As many findings, the most severe in the middle."""
    one = Finding("py-x", "m", Location("a.py", 1), "low", "low", (79,))
    found = [
        msgspec.structs.replace(one, location=msgspec.structs.replace(one.location, line=n))
        for n in range(1, count + 1)
    ]
    found[count // 2] = msgspec.structs.replace(found[count // 2], severity="critical", message="the worst")
    return tuple(found)


@EVERY_FORMAT
def test_output_is_what_was_reviewed(
    name: str, results: list[Result], context: Context, golden: Callable[[str, str], None]
) -> None:
    golden(f"report/{name}.txt", render(name, gather(results), context))


@EVERY_FORMAT
def test_the_order_in_which_results_arrive_does_not_matter(name: str, results: list[Result], context: Context) -> None:
    assert render(name, gather(results), context) == render(name, gather(results[::-1]), context)


@EVERY_FORMAT
def test_every_open_finding_is_shown_with_its_rule_and_place(
    name: str, results: list[Result], context: Context
) -> None:
    text = render(name, gather(results), context)
    for finding in gather(results).open:
        assert finding.rule_id in text
    assert "app/shell.py" in text


@EVERY_FORMAT
def test_a_report_without_source_files_and_rules_can_be_written(name: str, results: list[Result]) -> None:
    assert "py-command-injection" in render(name, gather(results), Context("0.0.0"))


@EVERY_FORMAT
def test_an_empty_report_can_be_written(name: str) -> None:
    assert isinstance(render(name, Report(()), Context("0.0.0")), str)


@EVERY_FORMAT
def test_nothing_from_the_source_acts_on_a_terminal(name: str, results: list[Result], context: Context) -> None:
    text = render(name, gather(results), context)
    if name not in ("json", "sarif"):  # JSON escapes control characters and keeps all other text as it is
        assert not ACTING.search(text)
    assert "\x1b" not in text


@EVERY_FORMAT
def test_file_names_that_are_no_unicode_can_be_reported(name: str, results: list[Result], context: Context) -> None:
    first = results[0]
    assert isinstance(first, Finding)
    odd = msgspec.structs.replace(first, location=msgspec.structs.replace(first.location, path="app/\udcff.py"))
    render(name, gather([odd]), context).encode("utf-8")


@pytest.mark.parametrize("name", ["text", "concise", "html"])
def test_known_and_suppressed_findings_ask_for_no_attention(name: str, results: list[Result], context: Context) -> None:
    report = gather(results)
    known = tuple(msgspec.structs.replace(item, status="unchanged", message="known before") for item in report.findings)
    text = render(name, msgspec.structs.replace(report, findings=known, compared_with="main"), context)
    assert "known before" not in text
    assert "os.system runs it" not in text


@EVERY_FORMAT
def test_what_is_below_the_threshold_is_listed_apart(name: str, results: list[Result], context: Context) -> None:
    report = gather(results)
    first = msgspec.structs.replace(report.open[0], rule_id="py-doubtful", probability=0.12)
    text = render(name, msgspec.structs.replace(report, below=(first,)), context)
    assert text.count("py-doubtful") >= 1
    assert "py-doubtful" not in render(name, report, context)


@pytest.mark.parametrize("name", ["text", "json", "html"])
def test_what_a_reviewer_would_confirm_comes_first(name: str, results: list[Result], context: Context) -> None:
    report = gather(results)
    one = report.open[0]
    found = [msgspec.structs.replace(one, message=f"message {n}", probability=n / 10) for n in (3, 9, 5)]
    text = render(name, msgspec.structs.replace(report, findings=tuple(found)), context)
    assert text.index("message 9") < text.index("message 5") < text.index("message 3")


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no report format"):
        renderer("xml")


def test_a_redacted_line_closes_the_whole_file(results: list[Result], context: Context) -> None:
    file = context.roots[0] / "app" / "shell.py"
    file.write_text("import os\nKEY = 'real secret'\n\ndef run(text):\n    line = 1\n    os.system(line)\n")
    first = results[0]
    assert isinstance(first, Finding)
    secret = msgspec.structs.replace(
        first,
        rule_id="gen-key",
        location=msgspec.structs.replace(first.location, line=2),
        snippet="KEY = '****'",
        path=(),
    )
    for name in FORMATS:
        text = render(name, gather([*results, secret]), context)
        assert "real secret" not in text


def test_a_secret_hidden_by_one_finding_is_not_shown_by_another_on_its_line(
    results: list[Result], context: Context
) -> None:
    line = 'os.system(x + "real secret")'
    (context.roots[0] / "app" / "shell.py").write_text("\n" * 5 + f"    {line}\n")
    first = results[0]
    assert isinstance(first, Finding)
    flow = msgspec.structs.replace(first, snippet=line, path=(msgspec.structs.replace(first.path[-1], snippet=line),))
    secret = msgspec.structs.replace(
        first, rule_id="gen-key", cwe=(798,), snippet='os.system(x + "***")', location=flow.location, path=()
    )
    for name in FORMATS:
        text = render(name, gather([flow, secret]), context)
        assert "real secret" not in text
        assert "gen-key" in text


# JSON


def test_json_follows_its_published_schema(results: list[Result], context: Context) -> None:
    report = gather(results)
    gone = (BaselineEntry("a.py", "py-xss", "f" * 32),)
    compared = msgspec.structs.replace(report, compared_with="main", fixed=gone, hidden={"below severity high": 2})
    schema = json.loads(JSON_SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for each in (report, compared, Report(())):
        jsonschema.Draft202012Validator(schema).validate(json.loads(render("json", each, context)))


def test_json_keeps_every_finding_and_every_gap(results: list[Result], context: Context) -> None:
    read = json.loads(render("json", gather(results), context))
    assert len(read["findings"]) == 4
    assert len(read["not_analysed"]) == 3
    assert read["summary"]["complete"] is False
    assert read["summary"]["by_severity"] == {"critical": 1, "high": 1, "medium": 1, "low": 0}


# SARIF


def sarif_run(report: Report, context: Context) -> dict[str, Any]:
    """The one run."""
    log = json.loads(render("sarif", report, context))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.skipif("GLASSHOUSE_SARIF_SCHEMA" not in os.environ, reason="GLASSHOUSE_SARIF_SCHEMA names no schema file")
def test_sarif_is_valid_by_the_schema_of_the_standard(results: list[Result], context: Context) -> None:
    schema = json.loads(Path(os.environ["GLASSHOUSE_SARIF_SCHEMA"]).read_text())
    for report in (gather(results), Report(())):
        jsonschema.validate(json.loads(render("sarif", report, context)), schema)


def test_sarif_paths_are_relative_to_the_source_root_and_well_formed(results: list[Result], context: Context) -> None:
    text = render("sarif", gather(results), context)
    uris = re.findall(r'"uri":"([^"]*)","uriBaseId":"%SRCROOT%"', text)
    assert text.count('"artifactLocation"') == len(uris) > 0
    assert all(re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri) and not uri.startswith("/") for uri in uris)


def test_sarif_results_point_into_the_rules_and_regions_are_consistent(results: list[Result], context: Context) -> None:
    run = sarif_run(gather(results), context)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]["glasshouse/v1"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert (region.get("endLine", region["startLine"]), region.get("endColumn", region["startColumn"])) >= (
            region["startLine"],
            region["startColumn"],
        )


def test_sarif_rules_name_their_cwe_as_tag_property_and_taxon(results: list[Result], context: Context) -> None:
    run = sarif_run(gather(results), context)
    taxa = {taxon["id"] for taxon in run["taxonomies"][0]["taxa"]}
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    properties = rules["py-command-injection"]["properties"]
    assert {"security", "external/cwe/cwe-078"} <= set(properties["tags"])
    assert properties["cwe"] == ["CWE-78"]
    assert 0 < float(properties["security-severity"]) <= 10
    assert {target["target"]["id"] for rule in rules.values() for target in rule["relationships"]} <= taxa


def test_sarif_shows_the_whole_path_in_order(results: list[Result], context: Context) -> None:
    run = sarif_run(gather(results), context)
    found = next(result for result in run["results"] if result["ruleId"] == "py-command-injection")
    steps = found["codeFlows"][0]["threadFlows"][0]["locations"]
    lines = [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps]
    assert lines == [7, 10, 11, 5, 6]


def test_sarif_never_calls_a_library_finding_an_error(results: list[Result], context: Context) -> None:
    run = sarif_run(gather(results), context)
    levels = {(result["properties"]["mode"], result["level"]) for result in run["results"]}
    assert ("application", "error") in levels
    assert ("library", "error") not in levels


def test_sarif_says_what_was_suppressed_and_why(results: list[Result], context: Context) -> None:
    run = sarif_run(gather(results), context)
    found = [result["suppressions"] for result in run["results"] if "suppressions" in result]
    assert [item[0]["kind"] for item in found] == ["inSource"]
    assert found[0][0]["justification"].startswith("reviewed")


def test_sarif_says_that_a_scan_was_incomplete(results: list[Result], context: Context) -> None:
    (invocation,) = sarif_run(gather(results), context)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert {note["descriptor"]["id"] for note in invocation["toolExecutionNotifications"]} == {
        "too-large",
        "syntax-error",
    }


def test_sarif_has_a_baseline_state_only_after_a_comparison(results: list[Result], context: Context) -> None:
    report = gather(results)
    assert all("baselineState" not in result for result in sarif_run(report, context)["results"])
    compared = msgspec.structs.replace(report, compared_with="main")
    assert {result["baselineState"] for result in sarif_run(compared, context)["results"]} == {"new"}


def test_sarif_text_from_the_source_is_neither_link_nor_placeholder(results: list[Result], context: Context) -> None:
    finding = results[0]
    assert isinstance(finding, Finding)
    odd = msgspec.structs.replace(finding, message="see [here](https://example.org) {0}")
    (result,) = sarif_run(gather([odd]), context)["results"]
    assert result["message"]["text"] == "see \\[here](https://example.org) {{0}}"


def test_sarif_keeps_the_most_severe_when_there_are_too_many(context: Context) -> None:
    run = sarif_run(Report(many(sarif.MAX_RESULTS + 10)), context)
    assert len(run["results"]) == sarif.MAX_RESULTS
    assert run["results"][0]["message"]["text"] == "the worst"
    assert "10 less severe results" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_bounds_the_steps_of_a_path_and_keeps_its_end(results: list[Result], context: Context) -> None:
    finding = results[0]
    assert isinstance(finding, Finding)
    long = msgspec.structs.replace(finding, path=(finding.path[0],) * 5_000 + (finding.path[-1],))
    (result,) = sarif_run(gather([long]), context)["results"]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(steps) == sarif.MAX_STEPS
    assert steps[-1]["location"]["physicalLocation"]["artifactLocation"]["uri"] == "app/shell.py"


# HTML


def test_html_holds_no_markup_from_the_source(results: list[Result], context: Context) -> None:
    text = render("html", gather(results), context)
    assert text.count("<script>") == 1
    assert "alert(1)" in text
    assert "<script>alert" not in text


def test_html_asks_for_nothing_from_anywhere(results: list[Result], context: Context) -> None:
    text = render("html", gather(results), context)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"<(?:img|iframe|object|embed|base)\b|@import|url\(", text)
    assert set(re.findall(r'(?:src|href)="([^"#][^"]*)"', text)) == {"data:,"}
    assert " style=" not in text
    assert not re.search(r" on[a-z]+=", text)


def test_html_stays_small_with_ten_thousand_findings(context: Context) -> None:
    assert len(render("html", Report(many(10_000)), context)) < 12_000_000


def test_html_says_how_many_findings_it_leaves_out(context: Context) -> None:
    text = render("html", Report(many(html_format.MAX_ROWS + 7)), context)
    assert "7 lower ranked findings left out" in text
    assert "the worst" in text
