"""Messages that a job has ended: which outcomes are told, their text, and the form that each receiver wants.

This room must not know records, nor how a message is sent.
"""
