"""The shop's back office: catalogue, accounts, documents and suppliers."""
