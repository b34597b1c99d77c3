"""Deterministic simulation: the product on a simulated cloud that tries to break it."""
