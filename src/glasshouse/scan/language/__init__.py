"""The languages: each sub-package lowers the source text of one language to the intermediate representation.

What a language has to offer is the contract in ``interface``; the engine knows no grammar and no syntax tree.
"""
