"""Logs in, events out: formats are recognised by content, damaged input yields what can be read and a reason."""
