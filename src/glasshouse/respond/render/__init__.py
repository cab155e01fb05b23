"""Report formats: one module per format, each from a report to text pieces."""
