"""Reading public records about vulnerabilities from files; one module per source, one registry."""
