"""Analyses of C and C++: memory, lifetimes, numbers, locks, and data from outside, path by path."""
