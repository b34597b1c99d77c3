"""The aliyun room."""
