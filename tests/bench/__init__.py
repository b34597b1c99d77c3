"""Measurements; what they show goes to RESULTS.md."""
