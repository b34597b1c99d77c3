"""A local cloud: an OSS server and an FC host that behave, limit and fail as the real ones do.

It knows nothing of oss-copy: it runs whatever `s.yaml` deploys, and the product must never import it.
"""
