"""Pages for people who approve: what waits, on which terms, and a passkey to sign the verdict with.

Served on this machine by ``glasshouse console``.  The pages hold no logic: the door asks, checks and records.
"""
