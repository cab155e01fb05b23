"""The languages that `test_front_ends` is about."""
