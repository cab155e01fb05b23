"""Detectors of weaknesses that only Java has."""
