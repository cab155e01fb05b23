"""Trends: monthly counts by weakness, vendor, ecosystem and technology, forecasts of them, changes.

And what emerges.
"""
