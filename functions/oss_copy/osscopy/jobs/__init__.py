"""Many copies over time: their records, what callers ask and do about them, the sweep, lists of copies.

Knows which copies are on record, and who goes on with them; not how one copy is done (`copying`), not what
an event or an HTTP request looks like, and no SDK: records are small objects behind the port `Records`.
"""
