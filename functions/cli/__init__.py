"""The deployer's tools: they judge s.yaml, set up an account, deploy to it and ask for copies.

They run on the deployer's machine and are never part of the function.

- `commands`: one module for each command. They read arguments, call the other rooms, and print.
- `tool`: the genuine `s` as a program.
- `account`: questions and changes to OSS, FC and RAM. Only modules of this room may import an SDK.
- `rights`: the RAM policies that a deployment needs.
- `template`: s.yaml is read, resolved and judged here, without any network.
- `errors`: the one error tree.
- `openapi`: a program of its own: it writes the OpenAPI document that the product serves.

A room imports only rooms that stand below it. All of them may import the product (`osscopy`), which must not
know them.
"""
