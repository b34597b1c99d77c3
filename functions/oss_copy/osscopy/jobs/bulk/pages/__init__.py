"""The objects of a range, page by page: keys under a prefix, or lines of a manifest.

Must not know what is done with an object, nor what becomes of its row.
"""
