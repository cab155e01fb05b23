"""Rates, budgets and concurrency, shared by all worker processes of one machine: reserved before, settled after."""
