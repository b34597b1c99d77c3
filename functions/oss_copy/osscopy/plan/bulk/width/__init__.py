"""Where to cut a range of keys: looks to ask for, and estimates of how many keys lie where.

It must not know requests or records: keys that were seen come in, keys come out. An estimate may be wrong; a
cut is none unless it lies within the range, so that no key is lost or doubled by it.
"""

from osscopy.plan.bulk.width.search import ROUNDS as ROUNDS, Sample as Sample, Search as Search
