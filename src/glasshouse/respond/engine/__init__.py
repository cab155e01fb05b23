"""The detection engine: batches of events in, matches of compiled Sigma rules out."""
