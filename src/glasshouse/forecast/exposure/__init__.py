"""Exposure: which components are vulnerable, and what their exploitation would hit."""
