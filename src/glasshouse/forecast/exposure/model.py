"""Values of an exposure report: services, what is vulnerable in them, and what exploitation would hit."""

from __future__ import annotations

import msgspec

from glasshouse.inventory.component import Component, LeftOut


class Service(msgspec.Struct, frozen=True):
    """Something the organisation runs.

    ``criticality`` (0 or more) is its weight in every sum; ``critical`` is the flag of a critical or important
    function. ``supplier``, its LEI and ``substitutable`` are for the register of third parties. ``hosts`` are the
    machines it runs on, as logs name them.
    """

    name: str
    components: tuple[Component, ...]
    owner: str = ""
    criticality: float = 1.0
    critical: bool = False
    sector: str = ""
    supplier: str = ""
    supplier_lei: str = ""
    substitutable: str = ""
    function: str = ""
    hosts: tuple[str, ...] = ()


class Vulnerability(msgspec.Struct, frozen=True):
    """One advisory that is about a component in use.

    ``chance`` is that of being listed as known exploited within the horizon; ``assumed`` tells that no forecast was
    there and the overall rate stands in.  ``fixed`` names the first versions without it.
    """

    component: Component
    advisory: str
    cves: tuple[str, ...]
    chance: float
    assumed: bool
    listed: bool
    fixed: tuple[str, ...] = ()
    summary: str = ""


class Exposed(msgspec.Struct, frozen=True):
    """A component, what exploitation of it would hit, and its share of the expected loss.

    ``reach`` and ``critical_reach`` count services that contain it.  ``removed`` is the share of the expected loss
    that goes when it alone is patched.
    """

    component: Component
    chance: float
    reach: int
    critical_reach: int
    removed: float
    vulnerabilities: tuple[Vulnerability, ...]
    fixed: tuple[str, ...]


class Concentration(msgspec.Struct, frozen=True):
    """Dependence on one thing: the share of weighted services that depend on it."""

    name: str
    services: int
    critical_services: int
    share: float


class Concentrations(msgspec.Struct, frozen=True):
    """Dependence by one dimension (component, vendor or supplier); ``herfindahl`` is 1 when all rests on one."""

    dimension: str
    herfindahl: float
    largest: tuple[Concentration, ...]


class Spread(msgspec.Struct, frozen=True):
    """A simulated number: its mean, the range that holds 90 % of the draws, and the mean of the worst 5 %."""

    mean: float
    low: float
    high: float
    worst: float


class PatchStep(msgspec.Struct, frozen=True):
    """Patching this next, after those before it, leaves ``remaining`` of the expected loss (1 is all)."""

    component: Component
    fixed: tuple[str, ...]
    remaining: float


class WhatIf(msgspec.Struct, frozen=True):
    """A new flaw in a component, exploited for certain: the services it would hit."""

    component: str
    services: tuple[str, ...]
    critical_services: tuple[str, ...]
    weight_share: float


class Exposure(msgspec.Struct, frozen=True):
    """The report.  Losses are sums of criticality, an index and never money.

    Probabilities are of listing as known exploited.
    """

    day: str
    horizon_days: int
    services: tuple[Service, ...]
    components: int
    vulnerable: tuple[Exposed, ...]
    expected_loss: float
    total_weight: float
    loss: Spread
    services_hit: Spread
    concentrations: tuple[Concentrations, ...]
    single_points: tuple[Concentration, ...]
    plan: tuple[PatchStep, ...]
    what_if: tuple[WhatIf, ...]
    unknown: tuple[LeftOut, ...]
    model: str
    caveats: tuple[str, ...] = ()
