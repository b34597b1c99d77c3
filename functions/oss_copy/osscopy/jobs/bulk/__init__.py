"""Jobs that copy many objects: the walk of ranges, their logs, and what follows when all have ended.

Knows the order in which records are written and read; not how one copy is done, no SDK, and no decision:
those are in `plan.bulk`. Every record is written once. A hop begins where the newest entry of its range's log
ends, whatever its event says; who loses a record to another writer leaves.
"""
