"""Functions and classes in Python: calls are followed with what they are given, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]
Lines = Callable[[str, str, int], list[int]]


def test_each_call_of_a_function_has_its_own_arguments(reaches: Reaches) -> None:
    code = "def same(value):\n    return value\nbad, good = same(data), same('ls')\nos.system({})"
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_arguments_by_keyword_default_and_star_reach_their_parameters(reaches: Reaches) -> None:
    code = "def run(first='ls', *more, last='ls', **rest):\n    os.system({})\nrun({})"
    assert reaches(code.format("first", "first=data"))
    assert not reaches(code.format("first", "last=data"))
    assert reaches(code.format("more[0]", "'ls', data"))
    assert reaches(code.format("rest['extra']", "extra=data"))
    assert reaches(code.format("last", "**{'last': data}"))


def test_a_closure_sees_the_variables_around_it(reaches: Reaches) -> None:
    assert reaches("def outer(value):\n    def inner():\n        os.system(value)\n    return inner\nouter(data)()")
    assert not reaches("def outer(value):\n    def inner():\n        os.system(value)\n    return inner\nouter('ls')()")


def test_nonlocal_writes_outwards(reaches: Reaches) -> None:
    assert reaches(
        """
        def outer():
            value = 'ls'
            def inner():
                nonlocal value
                value = data
            inner()
            os.system(value)
        outer()
        """
    )


def test_a_function_given_to_another_is_called_with_what_that_passes(reaches: Reaches) -> None:
    assert reaches("def each(items, act):\n    for item in items:\n        act(item)\neach([data], os.system)")
    assert reaches("def each(value, act):\n    act(value)\neach(data, lambda text: os.system(text))")


def test_map_and_sorted_call_their_function(reaches: Reaches) -> None:
    assert reaches("list(map(lambda text: os.system(text), [data]))")


def test_a_decorator_of_the_program_stands_for_the_function(reaches: Reaches) -> None:
    code = """
        def wrap(inner):
            def outer(value):
                return inner({})
            return outer
        @wrap
        def run(value):
            os.system(value)
        run(data)
        """
    assert reaches(code.format("value"))
    assert not reaches(code.format("'ls'"))


def test_a_class_decorator_from_outside_gives_back_the_class(reaches: Reaches) -> None:
    code = """
        from dataclasses import dataclass
        @dataclass
        class Pair:
            bad: str
            good: str
        pair = Pair(bad=data, good='ls')
        os.system(pair.{})
        """
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_a_generator_yields_its_elements(reaches: Reaches) -> None:
    assert reaches("def produce():\n    yield data\nfor item in produce():\n    os.system(item)")
    assert not reaches("def produce():\n    yield 'ls'\nfor item in produce():\n    os.system(item)")


def test_awaiting_gives_what_the_coroutine_returns(reaches: Reaches) -> None:
    assert reaches("async def load():\n    return data\nasync def main():\n    os.system(await load())\nmain()")


@pytest.mark.parametrize(("made", "expected"), [("Bad()", True), ("Good()", False), ("Base()", False)])
def test_an_overriding_method_is_called_for_its_class_only(reaches: Reaches, made: str, expected: bool) -> None:
    code = f"""
        class Base:
            def text(self):
                return 'ls'
        class Bad(Base):
            def text(self):
                return data
        class Good(Base):
            pass
        os.system({made}.text())
        """
    assert reaches(code) is expected


def test_super_reaches_the_class_above(reaches: Reaches) -> None:
    assert reaches(
        """
        class Base:
            def __init__(self, value):
                self.value = value
        class Below(Base):
            def __init__(self, value):
                super().__init__(value)
        os.system(Below(data).value)
        """
    )


def test_a_property_is_a_call(reaches: Reaches) -> None:
    code = "class Box:\n    @property\n    def value(self):\n        return {}\nos.system(Box().value)"
    assert reaches(code.format("data"))
    assert not reaches(code.format("'ls'"))


def test_static_and_class_methods_are_called_without_an_instance(reaches: Reaches) -> None:
    assert reaches("class Tool:\n    @staticmethod\n    def run(value):\n        os.system(value)\nTool.run(data)")
    assert reaches("class Tool:\n    @classmethod\n    def run(cls, value):\n        os.system(value)\nTool.run(data)")


def test_an_attribute_written_to_a_class_is_seen_through_its_instances(reaches: Reaches) -> None:
    assert reaches("class Box:\n    pass\nBox.value = data\nos.system(Box().value)")


def test_a_function_written_to_a_class_becomes_a_method(reaches: Reaches) -> None:
    assert reaches("class Box:\n    pass\ndef text(self):\n    return data\nBox.text = text\nos.system(Box().text())")


def test_new_fills_the_instance_it_returns(reaches: Reaches) -> None:
    assert reaches(
        """
        class Box:
            def __new__(cls, value):
                made = super().__new__(cls)
                made.value = value
                return made
        os.system(Box(data).value)
        """
    )


def test_new_may_return_an_instance_of_another_class(reaches: Reaches) -> None:
    code = """
        class Bad:
            def text(self):
                return data
        class Good:
            def text(self):
                return 'ls'
        class Factory:
            def __new__(cls, name):
                return Bad() if name == 'bad' else Good()
        os.system(Factory('{}').text())
        """
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_recursion_ends(reaches: Reaches) -> None:
    code = (
        "def down(value, left):\n    if left > 0:\n        down(value, left - 1)\n    os.system(value)\ndown(data, 9)"
    )
    assert reaches(code)


def test_a_check_inside_a_function_counts_where_it_was_called(reaches: Reaches) -> None:
    code = "def check(value):\n    if value not in ('ls', 'pwd'):\n        raise ValueError(value)\n{}os.system(data)"
    assert not reaches(code.format("check(data)\n"))
    assert reaches(code.format(""))


def test_a_global_written_by_a_function_is_seen_later(reaches: Reaches) -> None:
    assert reaches("value = 'ls'\ndef change():\n    global value\n    value = data\nchange()\nos.system(value)")


def test_a_module_that_imports_its_own_name_is_analysed(lines: Lines) -> None:
    code = "import os\nimport code\nrun = code.run\ndef go(text):\n    run(text)\n    os.system(input())\n"
    assert lines("python", code, 78) == [6]
