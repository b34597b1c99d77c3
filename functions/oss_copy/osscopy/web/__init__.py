"""The HTTP API: routes, requests and responses, and its OpenAPI document.

Knows FC's form of an HTTP call, and the queries about copies. It must not know how a copy is done.
"""
