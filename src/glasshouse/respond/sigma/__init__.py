"""Sigma rules as values: parsed by pySigma, compiled to predicates and expressions, kept in a cache."""
