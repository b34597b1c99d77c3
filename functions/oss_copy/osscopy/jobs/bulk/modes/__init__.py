"""Jobs that do other than copy one object a key: the looks of checks, and all versions of keys.

Must not know what is decided (`plan.bulk.modes`).
"""
