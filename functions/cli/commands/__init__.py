"""The deployer's commands, a module for each: they read arguments, call the other rooms, and print.

`python -m functions.cli COMMAND` runs most of them; `policy` and `setup` are programs of their own. A command
must not import an SDK: it asks `account`.
"""
