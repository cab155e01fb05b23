"""Documents computed from the log and the registers: cards, forms, reports, packs.

``values`` says what a value rests on, ``document`` is the one shape of every document, ``kinds/`` has one module per
document, ``render/`` one per format.  The same evidence gives the same bytes: no clock, no random number, no order of
discovery reaches a document.
"""
