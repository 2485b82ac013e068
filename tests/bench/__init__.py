"""Benchmarks of mflearn against what one would use instead: one module for each, run by `make bench`."""
