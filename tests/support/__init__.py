"""What the tests share: databases, the cast, a mail server, a running site, a browser."""
