"""The Detection Rule License asks that messages keep the author; SigmaHQ's rules are recognised by where they live."""

from __future__ import annotations

from tests.unit.respond.support import RULE

from glasshouse.respond.sigma.compile import RuleFile, compile_rules

TEXT = RULE.format(detection="  sel: {Image: x}\n  condition: sel")


def test_a_rule_of_the_sigmahq_repository_says_its_licence_author_and_link() -> None:
    link = "https://github.com/SigmaHQ/sigma/blob/master/rules/a.yml"
    (rule,) = compile_rules([RuleFile("a.yml", TEXT, link)]).rules
    assert (rule.ref.licence, rule.ref.author, rule.ref.link) == ("DRL-1.1", "A. Tester", link)


def test_a_rule_that_names_its_licence_keeps_it() -> None:
    (rule,) = compile_rules([RuleFile("a.yml", TEXT + "license: MIT\n", "https://example.org/a.yml")]).rules
    assert rule.ref.licence == "MIT"
