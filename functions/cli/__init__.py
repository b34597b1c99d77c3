"""The program `oss-copy`: for who asks for copies, and for who deploys and operates the function.

It runs on its user's machine and is never part of the function.

- `commands`: one module for each command, or for a few. They read arguments, call the other rooms, and print.
- `shown`: what is printed: text made harmless, tables, bars, JSON.
- `service`: what the deployed function and its buckets are asked. May import an SDK.
- `tool`: the genuine `s` as a program.
- `account`: questions and changes to OSS, FC and RAM. May import an SDK.
- `rights`: the RAM policies that a deployment needs.
- `template`: s.yaml is read, resolved and judged here, without any network.
- `request`: addresses and flags, and the JSON that is made of them.
- `errors`: the one error tree, with exit statuses.
- `texts`: text that others wrote, made harmless.
- `openapi`: a program of its own: it writes the OpenAPI document that the product serves.

A room imports only rooms that stand below it. All of them may import the product (`osscopy`), which must not
know them.
"""
