"""What runs on the hosts of an incident, and the order of incidents that follows."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.respond.examples import detection, incident, rule

from glasshouse.respond.stake import MAX_STAKES, told, with_stakes
from glasshouse.words.incident import LEVEL_RANK, LEVELS, Incident, Stake, Threat

LOG4J, OTHER = "CVE-2021-44228", "CVE-2023-1111"


def found(name: str, host: str, *, score: float = 5.0, severity: str = "high", cve: str = "") -> Incident:
    """An incident on a host, of a rule that may name a vulnerability."""
    made = incident(detection(by=rule("r"), host=host), severity=severity)  # type: ignore[arg-type]
    threats = (Threat(cve, ("Rule r",)),) if cve else ()
    return msgspec.structs.replace(made, id=name, score=score, threats=threats)


def ids(incidents: tuple[Incident, ...]) -> list[str]:
    return [each.id for each in incidents]


PAYMENTS = Stake("pay1", "payments", "Ann", 5.0, critical=True, cves=(LOG4J,))
SHOP = Stake("shop1", "shop", "Bob", 2.0)


def test_incidents_on_hosts_of_critical_services_go_first_within_a_severity() -> None:
    by_host = {"pay1": [PAYMENTS], "shop1": [SHOP]}
    some = [found("a", "ws1", score=9.0), found("b", "pay1"), found("c", "ws2", severity="critical")]
    assert ids(with_stakes(some, by_host)) == ["c", "b", "a"]


def test_an_attempt_on_a_flaw_that_the_host_has_goes_before_one_on_a_flaw_it_has_not() -> None:
    by_host = {"pay1": [PAYMENTS], "shop1": [msgspec.structs.replace(SHOP, cves=(OTHER,))]}
    not_there, there = found("a", "pay1", cve=OTHER, score=9.0), found("b", "shop1", cve=OTHER)
    ordered = with_stakes([not_there, there], by_host)
    assert ids(ordered) == ["b", "a"]
    assert [stake.cves for each in ordered for stake in each.stakes] == [(OTHER,), ()]


def test_a_flaw_that_only_an_event_names_is_not_looked_for() -> None:
    one = msgspec.structs.replace(found("a", "pay1"), threats=(Threat(LOG4J),))
    ((stake,),) = [each.stakes for each in with_stakes([one], {"pay1": [PAYMENTS]})]
    assert stake.cves == ()


def test_weight_only_breaks_a_tie() -> None:
    by_host = {"pay1": [msgspec.structs.replace(PAYMENTS, critical=False)], "shop1": [SHOP]}
    assert ids(with_stakes([found("a", "shop1"), found("b", "pay1")], by_host)) == ["b", "a"]
    assert ids(with_stakes([found("a", "shop1", score=6.0), found("b", "pay1")], by_host)) == ["a", "b"]


def test_a_host_is_known_by_its_full_name_and_in_any_case() -> None:
    by_host = {"PAY1.corp.example": [PAYMENTS], "10.0.0.1": [SHOP]}
    named, numbered, other = with_stakes(
        [found("a", "pay1"), found("b", "10.0.0.1"), found("c", "10.0.0.9", score=1.0)], by_host
    )
    assert [stake.service for stake in named.stakes] == ["payments"]
    assert [stake.service for stake in numbered.stakes] == ["shop"]
    assert other.stakes == ()


def test_a_line_says_what_runs_there_and_which_flaw_it_has() -> None:
    assert told(PAYMENTS) == f"pay1 runs the critical service payments (weight 5, owner Ann), which has {LOG4J}"
    assert told(Stake("h", "s")) == "h runs the service s (weight 1)"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(LEVELS), st.sampled_from(["h0", "h1", "h2"]), st.integers(0, 3)), max_size=8),
    st.dictionaries(st.sampled_from(["h0", "h1"]), st.integers(0, 2 * MAX_STAKES)),
)
def test_stakes_never_move_an_incident_out_of_its_severity_and_stay_few(
    drawn: list[tuple[str, str, int]], sizes: dict[str, int]
) -> None:
    some = [found(f"i{number}", host, severity=level, score=score) for number, (level, host, score) in enumerate(drawn)]
    by_host = {
        host: [Stake(host, f"s{number}", critical=number == 1) for number in range(n)] for host, n in sizes.items()
    }
    ordered = with_stakes(some, by_host)
    ranks = [LEVEL_RANK[each.severity] for each in ordered]
    assert ranks == sorted(ranks, reverse=True)
    assert sorted(ids(ordered)) == sorted(each.id for each in some)
    assert all(len(each.stakes) <= MAX_STAKES for each in ordered)
