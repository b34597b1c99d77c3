"""Lanes: how many chains of invocations copy one object, and which parts each of them copies next.

Must not know any I/O, clock or SDK, as all of `plan`: listings of parts and times come in as arguments.
"""
