"""Training scripts; what they make is shipped, they are not."""
