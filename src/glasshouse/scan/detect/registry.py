"""Which detector has which name; modules are imported when a detector is first used."""

from __future__ import annotations

import functools
import importlib
from typing import cast

from glasshouse.scan.detect.interface import Detector
from glasshouse.words.errors import RuleError

_PACKAGE = "glasshouse.scan.detect"

DETECTORS: dict[str, str] = {
    "bad-tag-filter": "javascript_sanitization:find_bad_tag_filters",
    "double-escaping": "javascript_sanitization:find_double_escaping",
    "dynamic-method-call": "javascript_objects:find_dynamic_calls",
    "exposed-directory": "javascript_web_setup:find_exposed_directories",
    "incomplete-sanitization": "javascript_sanitization:find_incomplete_sanitization",
    "incomplete-multi-character-sanitization": "javascript_sanitization:find_multi_character_sanitization",
    "incomplete-url-scheme-check": "javascript_urls:find_incomplete_scheme_checks",
    "incomplete-url-substring-check": "javascript_urls:find_substring_checks",
    "loop-bound": "javascript_objects:find_loop_bounds",
    "missing-csrf": "javascript_web_setup:find_missing_csrf",
    "missing-origin-check": "javascript_urls:find_missing_origin_checks",
    "missing-rate-limit": "javascript_web_setup:find_missing_rate_limits",
    "missing-regexp-anchor": "javascript_urls:find_missing_anchors",
    "proto-pollution": "javascript_objects:find_prototype_pollution",
    "type-confusion": "javascript_objects:find_type_confusion",
    "unescaped-hostname-regexp": "javascript_urls:find_unescaped_hostnames",
}


@functools.cache
def detector(name: str) -> Detector:
    """The detector of that name; ``RuleError`` when there is none."""
    place = DETECTORS.get(name)
    if place is None:
        known = ", ".join(sorted(DETECTORS))
        raise RuleError(f"there is no detector {name!r}", hint=f"Known detectors: {known}.")
    module, _, function = place.partition(":")
    return cast(Detector, getattr(importlib.import_module(f"{_PACKAGE}.{module}"), function))
