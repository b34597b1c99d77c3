"""What is believed of what is read back: whose it is, and whether anybody can have written it.

This room must not know where records and continuations are, nor any I/O.
"""
