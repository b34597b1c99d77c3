"""`python -m tests.cloud`: starts the local cloud, says in one line of JSON where it is, stops on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop

from tests.cloud.accounts import ACCOUNT_ID
from tests.cloud.cloud import Cloud, Settings
from tests.cloud.readings import Choice, parsed

REGION = "cn-hangzhou"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code is 2 if the template cannot be deployed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.var and options.bare:
        parser.error("--var is for a template, and --bare has none")
    if not options.bare and (options.bucket or options.region != REGION or options.account != ACCOUNT_ID):
        parser.error("--bucket, --region and --account are for --bare: a template says them")
    settings = Settings(
        template=None if options.bare else options.template,
        buckets=tuple(options.bucket),
        region=options.region,
        account=options.account,
        variables=dict(options.var),
        environment=dict(options.env),
        data=options.data,
        oss_port=options.oss_port,
        fc_port=options.fc_port,
        service=options.service,
        retry_pause=options.retry_pause,
        batch_seconds=options.batch_seconds,
        refuse_fc_signature=options.refuse_fc_signature,
        strict_destinations=options.strict_destinations,
        policies={role: Path(file) for role, file in options.policy},
        oss_host=options.oss_host,
        readings=_readings(parser, options.reading),
    )
    try:
        uvloop.run(_serve(settings, until_eof=options.until_eof))
    except (ValueError, OSError) as exc:
        print(f"local cloud: {exc}", file=sys.stderr)  # noqa: T201 - a program that speaks to its user
        return 2
    return 0


async def _serve(settings: Settings, *, until_eof: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stop.set())
    cloud = Cloud(settings)
    try:
        ready = await cloud.start()
        print(msgspec.json.encode(ready).decode(), flush=True)  # noqa: T201 - this line is the contract
        await stop.wait()
    finally:
        await cloud.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cloud", description=__doc__)
    parser.add_argument("--oss-port", type=int, default=0, metavar="N", help="default: any free port")
    parser.add_argument(
        "--oss-host",
        type=_local_name,
        default="",
        metavar="NAME.localhost",
        help="functions reach OSS by this name, buckets as virtual hosts; default: by address",
    )
    parser.add_argument("--fc-port", type=int, default=0, metavar="N", help="default: any free port")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="where buckets are saved when it stops",
    )
    parser.add_argument("--template", type=Path, default=Path("s.yaml"), metavar="FILE")
    parser.add_argument("--bare", action="store_true", help="deploy nothing: a client of the FC API will")
    parser.add_argument("--bucket", action="append", default=[], metavar="NAME", help="of --bare")
    parser.add_argument("--region", default=REGION, help=f"of --bare; default: {REGION}")
    parser.add_argument(
        "--account", default=ACCOUNT_ID, metavar="ID", help=f"of --bare; default: {ACCOUNT_ID}"
    )
    parser.add_argument("--var", type=_pair, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--env", type=_pair, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--service", default="", help="name of an FC 2.0 service; default: FC 3.0, none")
    parser.add_argument(
        "--retry-pause", type=float, default=0.2, metavar="SECONDS", help="before the first retry"
    )
    parser.add_argument(
        "--batch-seconds", type=float, default=0.0, help="how long OSS triggers gather records"
    )
    parser.add_argument("--refuse-fc-signature", action="store_true", help="2023-03-30 takes ACS3 only")
    parser.add_argument(
        "--strict-destinations",
        action="store_true",
        help="FC refuses a destination function that is not there",
    )
    parser.add_argument(
        "--policy",
        type=_pair,
        action="append",
        default=[],
        metavar="ROLE=FILE",
        help="what the role may do, a RAM policy; default: everything",
    )
    parser.add_argument(
        "--reading",
        action="append",
        default=[],
        metavar="NAME=a|b",
        help="which of two sources that disagree is right; READINGS.md has the names",
    )
    parser.add_argument("--until-eof", action="store_true", help="stop also when standard input ends")
    return parser


def _readings(parser: argparse.ArgumentParser, words: Sequence[str]) -> dict[str, Choice]:
    try:
        return parsed(words)
    except ValueError as error:
        parser.error(f"--reading: {error}")


def _local_name(text: str) -> str:
    if text and not text.endswith(".localhost"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .localhost")
    return text


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
