"""Measurements, side by side with peers: `make bench`. Nothing is asserted; RESULTS.md is the outcome."""
