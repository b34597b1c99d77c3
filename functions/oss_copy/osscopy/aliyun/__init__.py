"""Adapters to Alibaba Cloud: the ports of `model` through oss2 and the FC SDKs.

The only room that imports an SDK: oss2 in `wire.sdk`, FC's in `fc_sdks`. It must not know how a copy is done:
each method is one request, and its errors are those of `model`.
"""
