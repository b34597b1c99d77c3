"""What may be asked of the function beyond a plain copy, and what may be done for whoever asks.

This room must not know where a request came from, nor any I/O.
"""
