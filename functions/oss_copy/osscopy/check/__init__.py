"""The check: what is wrong with a deployment, line by line; its judgements serve the deployer's tool too.

Knows settings, ports, and how a copy is planned. It must not know HTTP, SDKs, or how jobs are run.
"""
