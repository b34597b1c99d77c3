"""Everything that is asked of an account: OSS, FC and RAM, in the name of the deployer.

Only modules of this room may import an SDK (oss2, alibabacloud_*, darabonba, Tea). `credentials` makes every
client, and `sdk_errors` translates every error of an SDK. The room must not know command lines, nor how `s`
is run.
"""
