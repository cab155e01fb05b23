"""Evaluation suites, one module each; `glasshouse.assess.suite` has the protocol and the registry."""
