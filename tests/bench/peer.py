"""Copies one object with the Copier of alibabacloud-oss-v2 and prints the seconds it took.

A program of its own, since that SDK does not share an environment with oss2 (both bring a package `crcmod`).
The order comes as JSON; the clock starts when client and connection have served once.
"""

from __future__ import annotations

import json
import sys
import time

import alibabacloud_oss_v2 as oss
from alibabacloud_oss_v2.transport import RequestsHttpClient


def main() -> None:
    """Warm up, copy, print."""
    order = json.loads(sys.argv[1])
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(
        order["access_key_id"], order["access_key_secret"]
    )
    config.region = order["region"]
    config.endpoint = order["endpoint"]
    options = {"part_size": order["part_size"], "multipart_copy_threshold": order["part_size"]}
    if order["parallel"]:
        options["parallel_num"] = order["parallel"]
        config.http_client = RequestsHttpClient(max_connections=order["parallel"])
    copier = oss.Client(config).copier(**options)
    for key in (order["warm"], order["key"]):
        begun = time.monotonic()
        copier.copy(
            oss.CopyObjectRequest(
                bucket=order["destination"], key=key, source_bucket=order["source"], source_key=key
            )
        )
        seconds = time.monotonic() - begun
    print(seconds)  # noqa: T201 - read by the bench


if __name__ == "__main__":
    main()
