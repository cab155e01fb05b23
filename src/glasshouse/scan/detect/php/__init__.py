"""Detectors of weaknesses that only PHP has."""
