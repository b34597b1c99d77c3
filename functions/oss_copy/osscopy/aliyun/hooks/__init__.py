"""What leaves the function for elsewhere: messages by HTTPS, and the lines of the log. Knows no OSS."""
