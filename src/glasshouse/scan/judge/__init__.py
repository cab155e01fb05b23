"""The ranker: how likely a reviewer would confirm a finding, and why.  It orders findings and deletes none."""
