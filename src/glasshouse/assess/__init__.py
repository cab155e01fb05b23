"""Assessment of models: classification, evaluations, risk register, tiers and the release gate.

Evidence comes in as values and is never edited here; verdicts are pure functions of committed thresholds and recorded
runs.
"""
