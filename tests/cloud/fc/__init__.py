"""The FC host: deploys functions, runs their instances as processes, invokes them as Function Compute does.

`model` what is deployed · `signature` who asks · `api` the two API versions · `control` deploying through the
API (`packages`, `layers`) · `component`, `deployer` who deploys so from an s.yaml · `sources` the triggers
(`objects`, `timers`, `web`) · `host` all of it together · `queue` asynchronous invocations · `runner` one
attempt · `pool` instances of one function · `home` where they live · `instance` one process · `bootstrap`
what runs in it.
"""
