"""Where entries, tiles, payloads and the signer's state are kept: one interface, one module for each database."""
