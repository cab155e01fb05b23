"""The model: trees, calibration, reasons and the shipped weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.forecast.background import Background
from glasshouse.forecast.facts import Affected, Exploit, Fact, Mentions, Text, day, known_on
from glasshouse.forecast.features import name_text, vector
from glasshouse.forecast.model import (
    HORIZONS,
    INPUTS,
    MAX_BYTES,
    SHIPPED,
    StepModel,
    StepWeights,
    load_model,
    rate_interval,
    shipped_model,
)
from glasshouse.forecast.priority import by_weakness, priority, weakness_rates
from glasshouse.forecast.query import Query, answer
from glasshouse.forecast.store import FactStore
from glasshouse.forecast.text import words
from glasshouse.forecast.trees import pack
from glasshouse.words.errors import ForecastModelError, UsageError

DAY = day("2025-06-01")
SEEN = day("2025-05-01")
values = st.one_of(st.just(float("nan")), st.floats(-3, 3))


# input 0: not known 0.5, up to 1: -1, up to 2: 2, above: 4; input 1 has no edges: not known 7, known 8
STEPS = StepWeights(pack([2, 0], "<i2"), pack([1.0, 2.0], "<f8"), pack([0.5, -1.0, 2.0, 4.0, 7.0, 8.0], "<f8"))


@pytest.mark.parametrize(
    ("row", "score"),
    [((0.0, 0.0), 7.0), ((1.0, 0.0), 7.0), ((1.5, 3.0), 10.0), ((9.0, -1.0), 12.0), ((np.nan, np.nan), 7.5)],
)
def test_each_input_speaks_by_the_step_it_stands_on(row: tuple[float, float], score: float) -> None:
    assert StepModel(STEPS).score(np.array([row])).tolist() == [score]


def test_steps_whose_parts_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        StepModel(msgspec.structs.replace(STEPS, edges=pack([1.0], "<f8")))


def test_the_shipped_weights_are_small_and_plain() -> None:
    assert SHIPPED.stat().st_size <= MAX_BYTES
    model = shipped_model()
    assert set(model.weights.variants) == {"full", "record"}
    assert all(listing.day <= day(model.trained_until) for listing in model.listings)


@given(st.lists(st.lists(values, min_size=len(INPUTS), max_size=len(INPUTS)), min_size=1, max_size=5))
def test_chances_are_probabilities_that_never_fall_with_the_horizon(rows: list[list[float]]) -> None:
    table = np.nan_to_num(np.array(rows), nan=0.0)
    for variant in ("full", "record"):
        found = shipped_model().probabilities(table, variant)
        assert ((found >= 0) & (found <= 1)).all()
        assert (np.diff(found, axis=1) >= 0).all()


@given(st.floats(0, 1), st.sampled_from(HORIZONS))
def test_the_interval_holds_the_chance(chance: float, horizon: int) -> None:
    low, high = shipped_model().interval(chance, "full", horizon)  # type: ignore[arg-type]
    assert 0 <= low <= chance <= high <= 1


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_interval_of_a_rate_holds_the_rate(trials: int, share: float) -> None:
    hits = round(share * trials)
    low, high = rate_interval(hits, trials)
    assert low - 1e-12 <= hits / trials <= high + 1e-12


@pytest.mark.parametrize("damage", ["empty", "cut", "other format", "other inputs", "short array"])
def test_weights_that_are_damaged_or_of_another_version_are_refused(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "weights.msgpack"
    body = msgspec.msgpack.decode(SHIPPED.read_bytes())
    if damage == "other format":
        body["format"] = 99
    elif damage == "other inputs":
        body["inputs"] = body["inputs"][::-1]
    elif damage == "short array":
        body["text"]["weight"]["data"] = body["text"]["weight"]["data"][:-5]
    content = msgspec.msgpack.encode(body)
    file.write_bytes(b"" if damage == "empty" else content[: len(content) // 2] if damage == "cut" else content)
    with pytest.raises(ForecastModelError) as caught:
        load_model(file)
    assert str(file) in caught.value.diagnostics()


Stores = Callable[..., FactStore]


@pytest.fixture
def store_with() -> Iterator[Stores]:
    """Makes a store that knows one CVE."""
    with ExitStack() as closing:

        def make(*more: Fact, text: str = "A flaw in a blog") -> FactStore:
            store = closing.enter_context(FactStore(":memory:"))
            store.add([Fact("CVE-2025-30001", SEEN, "cvelist", Text(text)), *more])
            return store

        yield make


def test_attention_and_a_text_like_listed_ones_raise_the_chance(store_with: Stores) -> None:
    name = "CVE-2025-30001"
    loud = "Unauthenticated remote code execution through command injection in Ivanti Connect Secure gateways"
    quiet = store_with()
    noisy = store_with(Fact(name, SEEN, "mentions", Mentions(2, 60, 20)), text=loud)
    (low,), (high,) = (answer(store, Query(cves=(name,)), DAY) for store in (quiet, noisy))
    assert high.within(90) > 20 * low.within(90)
    assert any("ivanti" in reason.words for reason in high.reasons)
    assert high.evidence == "full"
    assert high.without_mentions is not None
    assert high.without_mentions < high.within(90)


def test_thin_evidence_says_so(store_with: Stores) -> None:
    (found,) = answer(store_with(text="bug"), Query(cves=("CVE-2025-30001",)), DAY)
    assert found.evidence == "thin"
    assert any("says little" in caveat for caveat in found.caveats)
    assert any("no listing so far names this vendor" in caveat for caveat in found.caveats)


def test_two_runs_give_the_same_forecast(store_with: Stores) -> None:
    store = store_with(Fact("CVE-2025-30002", SEEN, "x", Text("another flaw")))
    assert answer(store, Query(top=5), DAY) == answer(store, Query(top=5), DAY)


def test_something_that_is_no_id_is_a_usage_error(store_with: Stores) -> None:
    with pytest.raises(UsageError):
        answer(store_with(), Query(cves=("CVE-1",)), DAY)


def test_a_text_is_scored_like_any_other_however_long() -> None:
    model = shipped_model()
    assert np.isfinite(model.text.score(words("remote code execution " * 5_000)))
    assert model.text.score([]) == model.weights.text.missing


def test_features_of_a_record_stay_finite_or_unknown() -> None:
    facts = [
        Fact("CVE-1999-0001", SEEN, "x", Text("old")),
        Fact("CVE-1999-0001", SEEN, "x", Affected((("acme", "x" * 500),))),
        Fact("CVE-1999-0001", SEEN, "x", Mentions(10**9, 10**9, 10**9)),
        Fact("CVE-1999-0001", SEEN, "x", Exploit("metasploit")),
    ]
    known = known_on("CVE-1999-0001", facts, DAY)
    assert known is not None
    row = vector(known, Background(DAY, ()), words(name_text(known)))
    assert not np.isinf(row).any()


def test_a_class_that_attackers_use_ranks_before_one_that_they_do_not() -> None:
    assert by_weakness([78]) > by_weakness([79]) > 0
    assert by_weakness([79, 78]) == by_weakness([78])
    table = weakness_rates()
    assert by_weakness([]) == by_weakness([999_999]) == table.total[1] / table.total[0]


def test_a_forecast_counts_before_the_rate_of_the_class() -> None:
    chances = {"CVE-2025-30001": 0.5}
    assert priority(["CVE-2025-30001"], [79], chances) == 0.5
    assert priority(["CVE-2025-30009"], [79], chances) == pytest.approx(by_weakness([79]))
    assert priority(["CVE-2025-30001", "CVE-2025-30001"], [], chances) == 0.75
    assert priority([], [78], {}) == by_weakness([78])
