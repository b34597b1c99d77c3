"""`python -m tests.cloud.oss`: the OSS server alone; prints one line of JSON when it listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

import uvloop

from tests.cloud.accounts import Accounts
from tests.cloud.conditions import Conditions, Weather
from tests.cloud.readings import parsed

from .server import OssServer


async def _run(arguments: argparse.Namespace) -> None:
    accounts, weather = Accounts(), Weather(arguments.reading)
    weather.set(Conditions(latency_ms=arguments.latency_ms))
    server = OssServer(accounts=accounts, weather=weather, data=arguments.data)
    for number, wish in enumerate(arguments.seed):
        name, _, size = wish.partition("=")
        bucket, _, key = name.partition("/")
        if bucket not in server.store.buckets:
            server.create_bucket(bucket)
        server.seed(bucket, key, int(size), number)
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    line = {
        "oss": await server.start(arguments.port),
        "region": server.store.region,
        "account_id": accounts.account_id,
        "access_key_id": accounts.owner.access_key_id,
        "access_key_secret": accounts.owner.access_key_secret,
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - it is the interface
    await stop.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, help="where buckets are saved when it stops")
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument(
        "--seed", action="append", default=[], metavar="BUCKET/KEY=SIZE", help="an object to make"
    )
    parser.add_argument("--reading", action="append", default=[], metavar="NAME=a|b")
    arguments = parser.parse_args()
    try:
        arguments.reading = parsed(arguments.reading)
    except ValueError as error:
        parser.error(f"--reading: {error}")
    uvloop.run(_run(arguments))


if __name__ == "__main__":
    main()
