"""Connectors: how an approved step is carried out.  Only what the door let through reaches them."""
