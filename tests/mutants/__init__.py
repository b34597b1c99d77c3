"""Planted faults: deliberate mistakes in the product, each of which a named test has to find.

`planted` knows the lists (`NAME.yaml`, one a room) and how a fault is planted in a tree. `working`
runs tests in such a copy, `__main__` all of the faults or some of them.
"""
