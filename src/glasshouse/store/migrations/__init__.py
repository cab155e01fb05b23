"""Migrations of the store, one module per version of its tables; run by `glasshouse.store.migrate`."""
