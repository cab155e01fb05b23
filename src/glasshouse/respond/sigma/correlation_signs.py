"""Operators of a correlation's condition in postfix order; keys of rules never look like them."""

AND, OR, NOT = "&", "|", "!"
