"""Values in Python: variables, containers and fields keep apart what is dangerous and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]


def test_a_variable_overwritten_with_a_constant_is_clean(reaches: Reaches) -> None:
    assert not reaches("value = data\nvalue = 'ls'\nos.system(value)")


def test_a_field_overwritten_with_a_constant_is_clean(reaches: Reaches) -> None:
    assert not reaches(
        """
        class Box:
            pass
        box = Box()
        box.value = data
        box.value = 'ls'
        os.system(box.value)
        """
    )


def test_fields_of_one_object_are_kept_apart(reaches: Reaches) -> None:
    code = """
        class Box:
            pass
        box = Box()
        box.bad, box.good = data, 'ls'
        os.system(box.{})
        """
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_two_objects_of_one_class_are_kept_apart(reaches: Reaches) -> None:
    code = """
        class Box:
            def __init__(self, value):
                self.value = value
        bad, good = Box(data), Box('ls')
        os.system({}.value)
        """
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_an_alias_sees_what_was_written_through_the_other_name(reaches: Reaches) -> None:
    assert reaches("first = {}\nsecond = first\nsecond['a'] = data\nos.system(first['a'])")


def test_a_copy_does_not_see_what_is_written_later(reaches: Reaches) -> None:
    assert not reaches("first = {'a': 'ls'}\nsecond = first.copy()\nsecond['a'] = data\nos.system(first['a'])")


@pytest.mark.parametrize(("index", "expected"), [("0", False), ("1", True), ("-1", False), ("len(items) - 2", True)])
def test_elements_of_a_list_are_kept_apart_by_index(reaches: Reaches, index: str | int, expected: bool) -> None:
    assert reaches(f"items = ['ls', data, 'pwd']\nos.system(items[{index}])") is expected


def test_an_index_that_is_not_known_may_be_any_element(reaches: Reaches) -> None:
    assert reaches("items = ['ls', data]\nos.system(items[len(data)])")


def test_an_element_taken_out_moves_the_rest(reaches: Reaches) -> None:
    assert not reaches("items = ['ls', data, 'pwd']\nitems.pop(1)\nos.system(items[1])")


def test_keys_of_a_dict_are_kept_apart(reaches: Reaches) -> None:
    code = "table = {{'bad': data, 'good': 'ls'}}\nos.system(table['{}'])"
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_dict_list_tuple_and_set_calls_make_containers_with_the_elements(reaches: Reaches) -> None:
    assert reaches("table = dict()\ntable['a'] = data\nos.system(table['a'])")
    assert not reaches("table = dict(a=data, b='ls')\nos.system(table['b'])")
    assert not reaches("pair = tuple([data, 'ls'])\nos.system(pair[1])")
    assert reaches("os.system(list({data, 'ls'})[0])")


def test_the_difference_of_sets_keeps_elements_of_the_left_one_only(reaches: Reaches) -> None:
    assert reaches("left = {data}\nos.system(str(left - {'ls'}))")
    assert not reaches("left = {'ls'}\nos.system(str(left - {data}))")


def test_unpacking_follows_positions(reaches: Reaches) -> None:
    assert not reaches("bad, good = data, 'ls'\nos.system(good)")
    assert reaches("first, *rest = 'ls', data\nos.system(rest[0])")


def test_enumerate_and_zip_keep_pairs_apart(reaches: Reaches) -> None:
    assert reaches("for number, item in enumerate([data]):\n    os.system(item)")
    assert not reaches("for number, item in enumerate([data]):\n    os.system(str(number))")
    assert not reaches("for left, right in zip(['ls'], [data]):\n    os.system(left)")


def test_numbers_made_of_text_are_harmless(reaches: Reaches) -> None:
    assert not reaches("os.system('kill %s' % int(data))")
    assert not reaches("os.system('kill %d' % data)")
    assert not reaches("os.system('kill {:d}'.format(data))")
    assert reaches("os.system('kill {}'.format(data))")


def test_each_placeholder_of_a_template_takes_its_own_operand(reaches: Reaches) -> None:
    assert reaches("os.system('%d %s' % (1, data))")
    assert not reaches("os.system('%s %d' % ('a', data))")
    assert not reaches("os.system('{1}'.format(data, 'ls'))")
    assert not reaches("os.system('{a}'.format(a='ls', b=data))")


def test_attributes_set_and_read_by_name_are_fields(reaches: Reaches) -> None:
    code = """
        class Box:
            def __init__(self):
                self.good = 'ls'
        box = Box()
        setattr(box, 'bad', data)
        os.system(getattr(box, '{}'))
        """
    assert reaches(code.format("bad"))
    assert not reaches(code.format("good"))


def test_a_deleted_attribute_no_longer_holds_data(reaches: Reaches) -> None:
    assert not reaches(
        """
        class Box:
            pass
        box = Box()
        box.value = data
        delattr(box, 'value')
        setattr(box, 'value', 'ls')
        os.system(getattr(box, 'value'))
        """
    )
