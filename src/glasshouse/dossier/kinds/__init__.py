"""One module per document: a pure function from `Evidence` to a `Document`."""
