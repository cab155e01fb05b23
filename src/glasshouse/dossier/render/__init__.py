"""One module per format; a renderer is a function from a document to text or bytes, and adds nothing to it."""
