"""The verifier: reads, trusts nothing, signs nothing; also shipped as one self-contained file."""
