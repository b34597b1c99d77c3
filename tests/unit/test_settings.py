"""The environment: read whole, wrong variables named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from osscopy import settings
from osscopy.model import GIB, MIB, CopyRequest, Destination, Misconfigured, Prices, Refused, Source
from osscopy.plan.allowed.options import AllowedOptions
from osscopy.plan.telling.choice import Telling
from osscopy.plan.telling.receivers import Receiver


def rule(source: str, destination: str, **options: Any) -> dict[str, Any]:
    """`bucket/prefix` to `bucket/key template`."""
    from_bucket, _, prefix = source.partition("/")
    to_bucket, _, key = destination.partition("/")
    return {
        "source": {"bucket": from_bucket, "prefix": prefix},
        "destination": {"bucket": to_bucket, "key": key or "{key}"},
        **options,
    }


def test_an_empty_environment_allows_nothing() -> None:
    loaded = settings.load({"STATE_BUCKET": "state"})
    assert loaded == settings.Settings("state")
    with pytest.raises(Refused) as caught:
        loaded.allow(CopyRequest(source=Source("src", "a"), destination=Destination("dst", "b")))
    assert caught.value.code == "NotAllowed"


def test_all_settings_are_read() -> None:
    loaded = settings.load(
        {
            "STATE_BUCKET": "state",
            "STATE_PREFIX": "records/",
            "ALLOWED_SOURCES": "src/*, other/in/*",
            "ALLOWED_DESTINATIONS": "dst/*",
            "COPY_RULES": json.dumps([rule("src/in/", "dst/{name}", storageClass="IA")]),
            "OSS_ENDPOINT": "http://127.0.0.1:9000",
            "INVOKE_ENDPOINT": "https://fc.example.com",
            "INVOKE_FUNCTION": "oss-copy",
            "MAX_PARALLEL": "8",
            "MAX_LANES": "3",
            "MULTIPART_THRESHOLD": "10MiB",
            "ALLOWED_OPTIONS": "delete, public-acl",
            "MAX_OBJECT_SIZE": "50GiB",
            "HTTP_AUTH_TYPE": "anonymous",
            "API_TOKEN": "0123456789abcdef",
            "STATE_KEY": f"{'n' * 32}, {'o' * 32}",
            "STATE_UNSIGNED_UNTIL": "2026-11-30",
            "LOG_LEVEL": "DEBUG",
            "RESERVED_CONCURRENCY": "9",
            "MAX_CHAINS": "40",
            "NOTIFY_URL": "https://hooks.example.com/told",
            "NOTIFY_FORM": "dingtalk",
            "NOTIFY_SECRET": "SECret-of-the-robot",
            "NOTIFY_FUNCTION": "on-call",
            "NOTIFY_ON": "all",
            "PRICES": '{"currency": "CNY", "put": 0.000001, "get": 1e-6, "second": 0.1, "invocation": 0}',
        }
    )
    assert loaded.prices == Prices("CNY", 0.000001, 0.000001, 0.1)
    assert (loaded.workers, loaded.max_chains) == (7, 40)
    receiver = Receiver("https://hooks.example.com/told", "dingtalk", "SECret-of-the-robot")
    assert loaded.telling == Telling("on-call", receiver, "all")
    assert loaded.seal.keys == (b"n" * 32, b"o" * 32)
    assert loaded.seal.unsigned_until == 1_795_996_800
    assert len(loaded.allowed_sources) == 2
    assert isinstance(loaded.rules, tuple)
    assert loaded.rules[0].request("in/a").storage_class == "IA"
    assert (loaded.max_parallel, loaded.max_lanes, loaded.multipart_threshold) == (8, 3, 10 * MIB)
    assert loaded.options == AllowedOptions(frozenset({"public-acl", "delete"}), 50 * GIB)
    assert loaded.invoke_function == "oss-copy"
    loaded.allow(CopyRequest(source=Source("other", "in/a"), destination=Destination("dst", "b")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STATE_BUCKET", ""),
        ("PRICES", "cheap"),
        ("MAX_CHAINS", "0"),
        ("PRICES", '{"currency": "CNY", "put": -1, "get": 1}'),
        ("PRICES", '{"currency": "", "put": 1, "get": 1}'),
        ("PRICES", '{"currency": "CNY", "put": 1}'),
        ("PRICES", '{"currency": "CNY", "put": 1, "get": 1, "list": 1}'),
        ("STATE_BUCKET", "No Bucket"),
        ("STATE_PREFIX", "no-slash"),
        ("ALLOWED_SOURCES", "src"),
        ("ALLOWED_DESTINATIONS", "Bad_Bucket/*"),
        ("COPY_RULES", "{"),
        ("COPY_RULES", '[{"source": {"bucket": "src"}}]'),
        ("COPY_RULES", json.dumps([rule("src/", "dst/{what}")])),
        ("COPY_RULES", json.dumps([rule("src/", "dst/x", colour="red")])),
        ("COPY_RULES", json.dumps([rule("src/", "dst//{name}")])),
        ("STATE_PREFIX", "/records/"),
        ("COPY_RULES", "oss://state"),
        ("COPY_RULES", "oss://No_Bucket/rules.json"),
        ("STATE_KEY", "short"),
        ("STATE_KEY", "n" * 31),
        ("STATE_KEY", f"{'n' * 32},"),
        ("STATE_KEY", ",".join(["n" * 32] * 3)),
        ("STATE_UNSIGNED_UNTIL", "soon"),
        ("STATE_UNSIGNED_UNTIL", "2026-13-01"),
        ("OSS_ENDPOINT", "ftp://x"),
        ("OSS_ENDPOINT", "oss-cn-hangzhou.aliyuncs.com"),
        ("STATE_BUCKET", "oss://state"),
        ("ALLOWED_SOURCES", "oss://src/*"),
        ("COPY_RULES", json.dumps([rule("src/", "dst/oss://dst/{name}")])),
        ("COPY_RULES", json.dumps([rule("src/", "dst/backup/")])),
        ("COPY_RULES", json.dumps([rule("src/", "dst/{dir}")])),
        ("COPY_RULES", json.dumps([rule("src/", "dst/x", metadata={"user": {"a_b": ""}})])),
        ("INVOKE_ENDPOINT", "https://host/path"),
        ("INVOKE_FUNCTION", "a/b"),
        ("MAX_PARALLEL", "0"),
        ("MAX_LANES", "0"),
        ("MAX_LANES", "101"),
        ("MAX_PARALLEL", "many"),
        ("MULTIPART_THRESHOLD", "1KiB"),
        ("MULTIPART_THRESHOLD", "big"),
        ("HTTP_AUTH_TYPE", "jwt"),
        ("ALLOWED_OPTIONS", "public"),
        ("ALLOWED_OPTIONS", "delete versions"),
        ("MAX_OBJECT_SIZE", "0"),
        ("MAX_OBJECT_SIZE", "60000GiB"),
        ("MAX_OBJECT_SIZE", "large"),
        ("API_TOKEN", "short"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        settings.load({"STATE_BUCKET": "state", name: value})
    assert caught.value.field == name
    assert caught.value.message.startswith(name)


HANGZHOU = "https://oss-cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(
    ("endpoint", "write"),
    [
        ("https://my-bucket.oss-cn-hangzhou.aliyuncs.com", HANGZHOU),
        ("https://My-Bucket.OSS-cn-hangzhou.aliyuncs.com", "https://OSS-cn-hangzhou.aliyuncs.com"),
        ("https://my-bucket.oss-cn-hangzhou.aliyuncs.com/", HANGZHOU),
        ("my-bucket.oss-cn-hangzhou.aliyuncs.com/a/b.bin", HANGZHOU),
        ("http://b-1.oss-cn-hangzhou-internal.aliyuncs.com", "http://oss-cn-hangzhou-internal.aliyuncs.com"),
        ("https://b-1.cn-hangzhou.oss.aliyuncs.com", "https://cn-hangzhou.oss.aliyuncs.com"),
        ("https://b-1.vpc100-oss-cn-beijing.aliyuncs.com", "https://vpc100-oss-cn-beijing.aliyuncs.com"),
        ("https://b-1.oss-accelerate.aliyuncs.com:443", "https://oss-accelerate.aliyuncs.com:443"),
        (f"{HANGZHOU}/my-bucket", HANGZHOU),
        (f"{HANGZHOU}/", HANGZHOU),
        ("oss-cn-hangzhou.aliyuncs.com", HANGZHOU),
        ("http://127.0.0.1:9000/bucket", "http://127.0.0.1:9000"),
    ],
)
def test_an_endpoint_with_a_bucket_or_a_path_is_told_what_to_write(endpoint: str, write: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        settings.load({"STATE_BUCKET": "state", "OSS_ENDPOINT": endpoint})
    assert caught.value.message.endswith(f"; write {write}")
    assert settings.load({"STATE_BUCKET": "state", "OSS_ENDPOINT": write}).oss_endpoint == write


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            {**rule("src/b/", "dst/x"), "source": "oss://src/in/"},
            '[1].source: an object is taken here, no address: write {"bucket":"src","prefix":"in/"}',
        ),
        (
            {**rule("src/b/", "dst/x"), "source": {"bucket": "oss://src/in/"}},
            "[1].source.bucket: 'oss://src/in/' is an address: write 'src' as the bucket",
        ),
        (rule("src/b/", "dst/{kee}"), "[1].destination.key: unknown placeholder {kee}"),
        (rule("src/b/", "dst//{name}"), "[1].destination.key: OSS takes no key that begins with /"),
        (rule("src//b/", "dst/{name}"), "[1].source.prefix: OSS takes no key that begins with /"),
        (rule("src/b/", "dst/x", trafficLimit=1), "[1].trafficLimit: 0, or"),
        (rule("src/b/", "dst/x", acl="red"), "[1].acl: Invalid enum value 'red'; known are copy, default"),
    ],
)
def test_the_rule_that_is_wrong_is_named(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        settings.load({"STATE_BUCKET": "state", "COPY_RULES": json.dumps([rule("src/a/", "dst/x"), wrong])})
    assert caught.value.message.startswith(f"COPY_RULES at {told}")


def test_a_template_that_makes_keys_for_sources_in_folders_is_taken() -> None:
    assert settings.read_rules(json.dumps([rule("src/", "dst/{dir}/{name}")]))


@pytest.mark.parametrize("template", ["{name}", "flat/{name}", "{date:%Y}/{stem}{ext}", "fixed"])
def test_a_rule_that_would_copy_all_markers_to_one_key_is_refused(template: str) -> None:
    for markers in ("skip", None):
        assert settings.read_rules(json.dumps([rule("src/", f"dst/{template}", markers=markers)]))
    with pytest.raises(Refused) as caught:
        settings.read_rules(json.dumps([rule("src/", f"dst/{template}", markers="copy")]))
    assert caught.value.field == "[0].markers"
    assert "{key} or {dir}" in caught.value.message


@pytest.mark.parametrize("template", ["{key}", "x/{dir}{name}", "{dir}a-{stem}{ext}"])
def test_a_rule_that_keeps_markers_apart_may_do_either(template: str) -> None:
    for markers in ("copy", "skip", None):
        assert settings.read_rules(json.dumps([rule("src/", f"dst/{template}", markers=markers)]))
    with pytest.raises(Refused, match="known are copy, skip"):
        settings.read_rules(json.dumps([rule("src/", f"dst/{template}", markers="drop")]))


def test_a_byte_order_mark_before_the_rules_changes_nothing() -> None:
    text = json.dumps([rule("src/", "dst/{key}")])
    assert settings.read_rules("\ufeff" + text) == settings.read_rules(text)


def test_a_size_that_is_none_is_told_of_its_own_variable() -> None:
    with pytest.raises(Misconfigured, match=r"^Misconfigured: MULTIPART_THRESHOLD: '1MB' is no size"):
        settings.load({"STATE_BUCKET": "state", "MULTIPART_THRESHOLD": "1MB"})


@pytest.mark.parametrize(
    "rules",
    [
        [rule("one/", "one/copy/{key}")],
        [rule("one/in/", "one/{key}")],
        [rule("one/in/", "one/in/deeper/{name}")],
        [rule("one/a/", "two/{key}"), rule("two/", "three/{key}")],
        [rule("one/a/", "two/b/{key}"), rule("two/b/a/", "one/c/{key}")],
        [rule("one/a/", "two/{date:%Y}/{key}"), rule("two/2026/", "one/c/{key}")],
    ],
)
def test_rules_that_feed_each_other_are_refused(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(Misconfigured, match=r"rule \d writes .* rule \d would copy again"):
        settings.load({"STATE_BUCKET": "state", "COPY_RULES": json.dumps(rules)})


@pytest.mark.parametrize(
    "rules",
    [
        [rule("one/in/", "one/out/{key}")],
        [rule("one/", "two/{key}"), rule("three/", "two/{key}")],
        [rule("one/a/", "two/x/{key}"), rule("two/y/", "three/{key}")],
    ],
)
def test_rules_that_do_not_meet_are_taken(rules: list[dict[str, Any]]) -> None:
    assert len(settings.read_rules(json.dumps(rules))) == len(rules)


STATE = {"STATE_BUCKET": "one", "STATE_PREFIX": "records/"}


@pytest.mark.parametrize(
    ("source", "suffix", "destination"),
    [
        ("one/", "", "two/{key}"),
        ("one/rec", "", "two/{key}"),
        ("one/records/", "", "two/{key}"),
        ("one/records/done/", "", "two/{key}"),
        ("one/", "0", "two/{key}"),
        ("one/", "s/done/c-1", "two/{key}"),
        ("two/", "", "one/records/{key}"),
        ("two/", "", "one/records/x"),
        ("two/records/", "", "one/{key}"),
    ],
)
def test_the_function_s_own_records_are_neither_watched_nor_written_by_a_rule(
    source: str, suffix: str, destination: str
) -> None:
    wrong = rule(source, destination)
    wrong["source"]["suffix"] = suffix
    text = json.dumps([rule("src/", "dst/{key}"), wrong])
    with pytest.raises(
        Misconfigured, match=r"^Misconfigured: COPY_RULES: rule 1 .* one/records/\*"
    ) as caught:
        settings.load({**STATE, "COPY_RULES": text})
    assert caught.value.field == "COPY_RULES"
    with pytest.raises(ValueError, match=r"rule 1 .* one/records/\*"):
        settings.load({**STATE, "COPY_RULES": "oss://one/rules.json"}).read_rules(text)


@pytest.mark.parametrize(
    ("source", "suffix", "destination"),
    [
        ("one/in/", "", "two/{key}"),
        ("one/", ".jpg", "two/{key}"),
        ("one/", "/x.jpg", "two/{key}"),
        ("two/", "", "one/{key}"),
        ("two/records/", "", "three/{key}"),
    ],
)
def test_rules_beside_the_records_are_taken(source: str, suffix: str, destination: str) -> None:
    right = rule(source, destination)
    right["source"]["suffix"] = suffix
    assert settings.load({**STATE, "COPY_RULES": json.dumps([right])}).rules


@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [
        (Source("one", "records/done/c-1"), Destination("one", "copy"), "source"),
        (Source("one", "a"), Destination("one", "records/done/c-1"), "destination"),
        (Source("one", "a"), Destination("one", "rules.json"), "destination"),
    ],
)
def test_neither_records_nor_rules_are_copied_whatever_the_allow_lists_say(
    source: Source, destination: Destination, field: str
) -> None:
    allowing = {"ALLOWED_SOURCES": "one/*", "ALLOWED_DESTINATIONS": "one/*"}
    loaded = settings.load({**STATE, **allowing, "COPY_RULES": "oss://one/rules.json"})
    loaded.allow(CopyRequest(source=Source("one", "rules.json"), destination=Destination("one", "a")))
    with pytest.raises(Refused) as caught:
        loaded.allow(CopyRequest(source=source, destination=destination))
    assert (caught.value.code, caught.value.field, caught.value.status) == ("NotAllowed", field, 403)


def test_credentials_of_the_environment_are_read_anew_each_time() -> None:
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "one"}
    assert settings.environment_credentials(environ) == ("id", "one", None)
    environ |= {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "two", "ALIBABA_CLOUD_SECURITY_TOKEN": "t"}
    assert settings.environment_credentials(environ) == ("id", "two", "t")
    assert settings.environment_credentials({}) is None
    assert settings.environment_credentials({"ALIBABA_CLOUD_ACCESS_KEY_ID": "id"}) is None
    assert settings.environment_credentials({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "one"}) is None


@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [
        (("src", "in/a"), ("dst", "out/a"), None),
        (("src", "other/a"), ("dst", "out/a"), "source"),
        (("dst", "in/a"), ("dst", "out/a"), "source"),
        (("src", "in/a"), ("dst", "other/a"), "destination"),
        (("src", "in/a"), ("src", "out/a"), "destination"),
    ],
)
def test_both_sides_of_a_copy_have_to_be_allowed(
    source: tuple[str, str], destination: tuple[str, str], field: str | None
) -> None:
    loaded = settings.load({**STATE, "ALLOWED_SOURCES": "src/in/*", "ALLOWED_DESTINATIONS": "dst/out/*"})
    asked = CopyRequest(source=Source(*source), destination=Destination(*destination))
    if field is None:
        loaded.allow(asked)
        return
    with pytest.raises(Refused) as caught:
        loaded.allow(asked)
    assert (caught.value.code, caught.value.field, caught.value.status) == ("NotAllowed", field, 403)


RULE_TO_FOLLOW = {"source": {"bucket": "src-bucket"}, "destination": {"bucket": "dst-bucket"}}


def test_a_rule_that_follows_deletions_takes_a_word_of_the_allowed_options() -> None:
    rule = {**RULE_TO_FOLLOW, "deletes": "follow"}
    given = {"STATE_BUCKET": "state-bucket", "COPY_RULES": json.dumps([rule])}
    with pytest.raises(Misconfigured, match=r"COPY_RULES at \[0\].deletes: .* ALLOWED_OPTIONS lacks delete"):
        settings.load(given)
    assert settings.load({**given, "ALLOWED_OPTIONS": "delete"}).rules != ()
