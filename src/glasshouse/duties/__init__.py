"""Legal clocks: which report is due when, to whom, and whether it was filed.  A clock never guesses its anchor.

``law`` loads the rules (data with citation and confidence), ``periods`` does calendar arithmetic, ``clock`` is one pure
function from (rule, anchors, filings, now, calendar, scope) to a state.  Nothing here reads a clock, a file of the
user's or the network; dates of application are data, so that changing one changes every answer.
"""
