"""Pictures of jobs: which parts or ranges are done, and a timeline of hops.

Knows records; writes nothing that a copy depends on. Must not know how a picture is drawn.
"""
