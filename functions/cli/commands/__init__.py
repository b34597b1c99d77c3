"""The commands of the program: they read arguments, call the other rooms, and print.

A command must not import an SDK: it asks `account` or `service`. Those of `deployment` are about s.yaml
and the account; those here about copies, and the local cloud.
"""
