"""What the tests share: databases, the cast, a mail server, a running site, a browser."""

HANG_SECONDS = 600
"""After so long a test that waits fails instead of hanging. No test depends on how fast the machine is."""
