"""Value types and errors that every room shares; imports no other room."""
