"""Report formats: one module per format, all fed with the same ``Report`` (see ``interface``), listed in ``registry``.

Every format is deterministic: the same report gives the same bytes; nothing in it depends on the clock.
"""
