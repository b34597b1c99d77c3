"""Records and submissions with the function's own mark.

This room must not know what a record says, nor how it is reached.
"""
