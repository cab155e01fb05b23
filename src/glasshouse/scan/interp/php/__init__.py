"""What PHP alone has: arrays, references, names at run time, constants and text."""
