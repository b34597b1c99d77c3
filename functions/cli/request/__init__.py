"""Requests as the user writes them: addresses, flags, and the JSON that is made of them.

Values in, values out. This room asks nobody and must not know how a request is sent.
"""
