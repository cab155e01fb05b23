"""Which detector has which name; modules are imported when a detector is first used."""

from __future__ import annotations

import functools
import importlib
from typing import cast

from glasshouse.scan.detect.interface import Detector
from glasshouse.words.errors import RuleError

_PACKAGE = "glasshouse.scan.detect"

DETECTORS: dict[str, str] = {
    "check-then-use": "java.structure:find_check_then_use",
    "constant-nonce": "java.structure:find_constant_nonces",
    "lock-order": "java.structure:find_lock_orders",
    "narrowing-cast": "java.structure:find_narrowing_casts",
    "shared-temporary-path": "java.structure:find_shared_temporary_paths",
    "implicit-narrowing": "java.numbers:find_implicit_narrowing",
    "index-outside": "java.numbers:find_outside_indexes",
    "narrow-counter": "java.numbers:find_narrow_counters",
    "number-overflow": "java.numbers:find_overflows",
    "cobol": "cobol_facts:find_facts",
    "channel-authentication": "java.decisions:find_channel_authentication",
    "endless-loop": "java.decisions:find_endless_loops",
    "guessable-secret-method": "java.decisions:find_guessable_secret_methods",
    "password-comparison": "java.decisions:find_password_comparisons",
    "predictable-seed": "java.decisions:find_predictable_seeds",
    "untrusted-decision": "java.decisions:find_untrusted_decisions",
    "trust-all": "java.structure:find_trust_all",
    "bad-tag-filter": "javascript.sanitization:find_bad_tag_filters",
    "biased-randomness": "javascript.secrets:find_biased_randomness",
    "cleartext-logging": "javascript.secrets:find_cleartext_logging",
    "cleartext-storage": "javascript.secrets:find_cleartext_storage",
    "development-error-handler": "javascript.web_setup:find_development_error_handlers",
    "bracket-stripping": "javascript.markup:find_bracket_stripping",
    "tag-expansion": "javascript.markup:find_tag_expansion",
    "code-from-json": "javascript.markup:find_code_from_json",
    "double-escaping": "javascript.sanitization:find_double_escaping",
    "dynamic-method-call": "javascript.objects:find_dynamic_calls",
    "exposed-directory": "javascript.web_setup:find_exposed_directories",
    "fast-password-hash": "javascript.secrets:find_fast_password_hashes",
    "host-header-link": "javascript.web_setup:find_host_header_links",
    "hostname-check-disabled": "javascript.crypto:find_disabled_hostname_checks",
    "incomplete-multi-character-sanitization": "javascript.sanitization:find_multi_character_sanitization",
    "hardcoded-credential": "named_values:find_hardcoded_credentials",
    "incomplete-sanitization": "javascript.sanitization:find_incomplete_sanitization",
    "incomplete-url-scheme-check": "javascript.urls:find_incomplete_scheme_checks",
    "incomplete-url-substring-check": "javascript.urls:find_substring_checks",
    "insecure-randomness": "javascript.secrets:find_insecure_randomness",
    "insecure-temporary-file": "javascript.files:find_insecure_temporary_files",
    "jwt-decode-without-verify": "javascript.crypto:find_unverified_tokens",
    "loop-bound": "javascript.objects:find_loop_bounds",
    "missing-csrf": "javascript.web_setup:find_missing_csrf",
    "missing-origin-check": "javascript.urls:find_missing_origin_checks",
    "missing-rate-limit": "javascript.web_setup:find_missing_rate_limits",
    "missing-regexp-anchor": "javascript.urls:find_missing_anchors",
    "path-in-command": "javascript.files:find_paths_in_commands",
    "host-check": "host_checks:find_host_checks",
    "open-host-pattern": "host_checks:find_open_host_patterns",
    "php-hardcoded-credential": "php.checks:find_hardcoded_credentials",
    "php-loose-comparison": "php.checks:find_loose_comparisons",
    "php-missing-nonce": "php.wordpress:find_missing_nonces",
    "php-unguarded-model": "php.checks:find_unguarded_models",
    "php-weak-random": "php.checks:find_weak_random",
    "private-flow": "private_flow:find_flows",
    "proto-pollution": "javascript.prototypes:find_prototype_pollution",
    "stack-trace-exposure": "javascript.web_setup:find_stack_traces",
    "static-nonce": "javascript.crypto:find_static_nonces",
    "redos": "named_values:find_slow_patterns",
    "timing-comparison": "named_values:find_timing_comparisons",
    "type-confusion": "javascript.objects:find_type_confusion",
    "unescaped-hostname-regexp": "javascript.urls:find_unescaped_hostnames",
    "memory": "glasshouse.scan.memory.checks:find_memory",
    "weak-random": "named_values:find_weak_random",
    "unsafe-jquery-plugin": "javascript.jquery:find_unsafe_jquery_plugins",
    "zip-slip": "javascript.files:find_zip_slips",
}


@functools.cache
def detector(name: str) -> Detector:
    """The detector of that name; ``RuleError`` when there is none."""
    place = DETECTORS.get(name)
    if place is None:
        known = ", ".join(sorted(DETECTORS))
        raise RuleError(f"there is no detector {name!r}", hint=f"Known detectors: {known}.")
    module, _, function = place.partition(":")
    full = module if module.startswith("glasshouse.") else f"{_PACKAGE}.{module}"
    return cast(Detector, getattr(importlib.import_module(full), function))
