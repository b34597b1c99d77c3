"""The lanes of a copy: how they are started, and which parts a hop of one copies.

Knows chains of hops and listings; `plan` decides, and `hop` does the rest. Must not know how a copy ends.
"""
