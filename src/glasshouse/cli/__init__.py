"""The command line: one module per command; a command parses, calls one function and renders."""
