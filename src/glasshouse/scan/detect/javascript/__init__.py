"""Detectors of weaknesses that only JavaScript has."""
