"""Forecasts, trends and exposure as text, JSON, CSV and HTML."""
