"""oss-copy: copies Alibaba Cloud OSS objects from a Function Compute function."""
