"""Settings for the whole suite: property tests judge results, not the speed of the machine they run on."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ordinary", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.register_profile("long", parent=settings.get_profile("ordinary"), max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))
