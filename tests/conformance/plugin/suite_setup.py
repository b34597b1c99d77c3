"""A pytest plugin for other people's suites, which run in a process of their own."""

from __future__ import annotations

import os
import random
import unittest

import pytest

if not hasattr(unittest.TestCase, "assertEquals"):  # until 3.11, and some of the suite's tests use it
    unittest.TestCase.assertEquals = unittest.TestCase.assertEqual


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each test draws the same random numbers in every run, and needs no tear-down where nothing listens.

    Some of oss2's tests draw lots which bucket to use, one of them encrypted by a service of its own (KMS).
    A tear-down would fail for want of a server; there only the test itself counts.
    """
    random.seed(item.nodeid)
    instance = getattr(item, "instance", None)
    if os.environ.get("NOTHING_LISTENS") and isinstance(instance, unittest.TestCase):
        instance.tearDown = lambda: None  # type: ignore[method-assign]  # the bug is put in from outside
