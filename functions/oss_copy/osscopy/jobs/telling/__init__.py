"""Telling somebody that a job has ended: it is on record before the outcome, and told after it.

This room must not know how a job ends, nor the form of a message.
"""
