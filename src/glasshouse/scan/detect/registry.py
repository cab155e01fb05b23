"""Which detector has which name; modules are imported when a detector is first used."""

from __future__ import annotations

import functools
import importlib
from typing import cast

from glasshouse.scan.detect.interface import Detector
from glasshouse.words.errors import RuleError

_PACKAGE = "glasshouse.scan.detect"

DETECTORS: dict[str, str] = {
    "check-then-use": "java_structure:find_check_then_use",
    "constant-nonce": "java_structure:find_constant_nonces",
    "lock-order": "java_structure:find_lock_orders",
    "narrowing-cast": "java_structure:find_narrowing_casts",
    "shared-temporary-path": "java_structure:find_shared_temporary_paths",
    "implicit-narrowing": "java_numbers:find_implicit_narrowing",
    "index-outside": "java_numbers:find_outside_indexes",
    "narrow-counter": "java_numbers:find_narrow_counters",
    "number-overflow": "java_numbers:find_overflows",
    "cobol": "cobol_facts:find_facts",
    "channel-authentication": "java_decisions:find_channel_authentication",
    "endless-loop": "java_decisions:find_endless_loops",
    "guessable-secret-method": "java_decisions:find_guessable_secret_methods",
    "password-comparison": "java_decisions:find_password_comparisons",
    "predictable-seed": "java_decisions:find_predictable_seeds",
    "untrusted-decision": "java_decisions:find_untrusted_decisions",
    "trust-all": "java_structure:find_trust_all",
    "bad-tag-filter": "javascript_sanitization:find_bad_tag_filters",
    "biased-randomness": "javascript_secrets:find_biased_randomness",
    "cleartext-logging": "javascript_secrets:find_cleartext_logging",
    "cleartext-storage": "javascript_secrets:find_cleartext_storage",
    "development-error-handler": "javascript_web_setup:find_development_error_handlers",
    "bracket-stripping": "javascript_markup:find_bracket_stripping",
    "tag-expansion": "javascript_markup:find_tag_expansion",
    "code-from-json": "javascript_markup:find_code_from_json",
    "double-escaping": "javascript_sanitization:find_double_escaping",
    "dynamic-method-call": "javascript_objects:find_dynamic_calls",
    "exposed-directory": "javascript_web_setup:find_exposed_directories",
    "fast-password-hash": "javascript_secrets:find_fast_password_hashes",
    "host-header-link": "javascript_web_setup:find_host_header_links",
    "hostname-check-disabled": "javascript_crypto:find_disabled_hostname_checks",
    "incomplete-multi-character-sanitization": "javascript_sanitization:find_multi_character_sanitization",
    "hardcoded-credential": "named_values:find_hardcoded_credentials",
    "incomplete-sanitization": "javascript_sanitization:find_incomplete_sanitization",
    "incomplete-url-scheme-check": "javascript_urls:find_incomplete_scheme_checks",
    "incomplete-url-substring-check": "javascript_urls:find_substring_checks",
    "insecure-randomness": "javascript_secrets:find_insecure_randomness",
    "insecure-temporary-file": "javascript_files:find_insecure_temporary_files",
    "jwt-decode-without-verify": "javascript_crypto:find_unverified_tokens",
    "loop-bound": "javascript_objects:find_loop_bounds",
    "missing-csrf": "javascript_web_setup:find_missing_csrf",
    "missing-origin-check": "javascript_urls:find_missing_origin_checks",
    "missing-rate-limit": "javascript_web_setup:find_missing_rate_limits",
    "missing-regexp-anchor": "javascript_urls:find_missing_anchors",
    "path-in-command": "javascript_files:find_paths_in_commands",
    "host-check": "host_checks:find_host_checks",
    "open-host-pattern": "host_checks:find_open_host_patterns",
    "php-hardcoded-credential": "php_checks:find_hardcoded_credentials",
    "php-loose-comparison": "php_checks:find_loose_comparisons",
    "php-missing-nonce": "php_wordpress:find_missing_nonces",
    "php-unguarded-model": "php_checks:find_unguarded_models",
    "php-weak-random": "php_checks:find_weak_random",
    "private-flow": "private_flow:find_flows",
    "proto-pollution": "javascript_prototypes:find_prototype_pollution",
    "stack-trace-exposure": "javascript_web_setup:find_stack_traces",
    "static-nonce": "javascript_crypto:find_static_nonces",
    "redos": "named_values:find_slow_patterns",
    "timing-comparison": "named_values:find_timing_comparisons",
    "type-confusion": "javascript_objects:find_type_confusion",
    "unescaped-hostname-regexp": "javascript_urls:find_unescaped_hostnames",
    "memory": "glasshouse.scan.memory.checks:find_memory",
    "weak-random": "named_values:find_weak_random",
    "unsafe-jquery-plugin": "javascript_jquery:find_unsafe_jquery_plugins",
    "zip-slip": "javascript_files:find_zip_slips",
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
