"""The PHP front end on broken files, beyond what every front end keeps to (`contract/test_front_ends`)."""

from __future__ import annotations

from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.php import PhpFrontEnd


def test_methods_of_a_class_that_does_not_parse_are_lowered_with_it() -> None:
    code = (
        b"<?php\nclass K { public $a = 1; function b() { f(); }\nfunction c() { if ($x { } }\nfunction d() { g(); }\n"
    )
    file = PhpFrontEnd().lower(code, "a.php", LowerLimits())
    assert file.errors
    assert next(each for each in file.functions if each.name == "b").cls == 0
    assert [cls.name for cls in file.classes] == ["K"]
