"""Configuration: one table of options, the files and variables they are read from, and the origin of every value."""
