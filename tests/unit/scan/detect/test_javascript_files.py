"""Paths in commands, archives, temporary directories; and detectors on broken input."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scan.detect.javascript_source import hits, lines

from glasshouse.scan.detect.registry import DETECTORS, detector
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript import JavaScriptFrontEnd
from glasshouse.scan.rules.loader import load_rules

HEAD = "const cp = require('child_process'), fs = require('fs'), os = require('os'), path = require('path');\n"
OURS = sorted(name for name, place in DETECTORS.items() if place.startswith("javascript."))
SNIPPETS = [
    text
    for rule in load_rules(["javascript"]).rules.values()
    if rule.detector in OURS
    for text in (*rule.tests.positive, *rule.tests.negative)
]


@pytest.mark.parametrize("where", ["__dirname", "os.homedir()", "path.join(__dirname, 'x')", "process.cwd()"])
def test_a_local_path_in_a_command_line_is_reported_and_as_an_argument_not(where: str) -> None:
    assert lines("path-in-command", HEAD + f"cp.exec('ls ' + {where});") == [2]
    assert hits("path-in-command", HEAD + f"cp.execFile('ls', [{where}]);") == []


def test_archive_entries_need_a_check_before_they_are_written() -> None:
    text = HEAD + "const x = require('tar-stream').extract();\n"
    text += "x.on('entry', (header, stream, next) => {{ {guard}\n  stream.pipe(fs.createWriteStream(header.name)); }});"
    assert lines("zip-slip", text.format(guard="")) == [4]
    assert hits("zip-slip", text.format(guard="if (header.name.includes('..')) return;")) == []


def test_files_in_the_shared_temporary_directory_need_a_random_name() -> None:
    assert lines("insecure-temporary-file", HEAD + "fs.writeFileSync(os.tmpdir() + '/a', 'x');") == [2]
    assert hits("insecure-temporary-file", HEAD + "fs.writeFileSync(`/tmp/${crypto.randomUUID()}`, 'x');") == []
    assert hits("insecure-temporary-file", HEAD + "fs.readFileSync('/tmp/a');") == []


def test_an_option_of_a_plugin_is_no_selector() -> None:
    text = "$.fn.tip = function (options) {{ options = $.extend({{}}, defaults, options); {use}; }};"
    assert len(hits("unsafe-jquery-plugin", text.format(use="$(options.target)"))) == 1
    assert hits("unsafe-jquery-plugin", text.format(use="$(this).find(options.target)")) == []


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_detectors_never_raise_on_broken_source(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SNIPPETS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    broken = text[:start] + data.draw(st.text(alphabet="(){}[];=>.'\"`", max_size=4)) + text[end:]
    file = JavaScriptFrontEnd().lower(broken.encode(), "a.js", LowerLimits())
    for name in OURS:
        for hit in detector(name)(file, {}):
            assert 0 <= hit.function_index < len(file.functions)


def test_every_detector_that_a_javascript_rule_names_exists() -> None:
    named = {rule.detector for rule in load_rules(["javascript"]).rules.values() if rule.detector}
    assert [name for name in sorted(named) if name not in DETECTORS] == []
    assert set(OURS) <= named
