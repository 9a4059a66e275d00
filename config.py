"""Settings and their defaults.

Each can be set in `instance/config.py` or as an environment variable `EVENTREG_<NAME>`; the environment
wins. `eventreg.settings` reads and checks them, and a bad value stops the start with one sentence.
"""

# Where things are.
DATABASE_URL: str | None = None
"""`sqlite:///…` or `postgresql+psycopg://…`; none means `eventreg.db` in the instance folder."""
BASE_URL: str | None = None
"""Absolute address of the site, used in mail, feeds and calendar entries; none means the address served on."""
REDIS_URL: str | None = None
"""Shared rate-limit counters for several web hosts; none keeps them in each host's instance folder."""

# Secrets.
SECRET_KEY: str | None = None
"""Signs links and sessions; none means a key made once and kept in the instance folder with mode 0600."""

# What the site is called and where its events are.
SITE_NAME = "Community events"
DEFAULT_TIMEZONE = "America/New_York"
CONTACT_EMAIL: str | None = None
"""Address shown to people who need help; none means MAIL_DEFAULT_SENDER."""

# Mail, by Flask-Mail's names. Without MAIL_SERVER, mail is kept as .eml files in `instance/mail/`.
MAIL_SERVER: str | None = None
MAIL_PORT = 25
MAIL_USE_TLS = False
MAIL_USE_SSL = False
MAIL_USERNAME: str | None = None
MAIL_PASSWORD: str | None = None
MAIL_DEFAULT_SENDER: str | None = None
MAIL_TIMEOUT = 10.0
"""Seconds for connect and for each SMTP command."""
MAIL_HOURLY_LIMIT = 20
"""Mails to one mailbox within an hour, plus-addresses together; more wait. 0 sets no limit."""
MAIL_KEEP_DAYS = 90
"""After so many days the words of finished mails are forgotten and kept mails removed; 0 keeps them for ever."""
REPLY_ADDRESS: str | None = None
"""Mailbox that receives calendar replies, plus-addressed per registration."""
REPLY_LMTP_PORT: int | None = None
"""Port on this machine where `eventreg serve` takes replies from the mail server by LMTP; none takes none there."""
REPLY_IMAP_HOST: str | None = None
"""IMAP server whose mailbox the worker looks into every minute; none looks nowhere."""
REPLY_IMAP_PORT = 993
REPLY_IMAP_USER: str | None = None
REPLY_IMAP_PASSWORD: str | None = None
REPLY_IMAP_FOLDER = "INBOX"
REPLY_IMAP_DONE_FOLDER: str | None = None
"""Where mail that was taken in is moved; none leaves it where it is, marked as read."""
REPLY_IMAP_SSL = True
"""TLS from the first byte, as on port 993."""
REPLY_IMAP_STARTTLS = False
"""TLS after a plain beginning, as on port 143; needs REPLY_IMAP_SSL off."""

# Calendars of others.
FOLLOW_USER_AGENT: str | None = None
"""User-Agent sent to the servers of followed calendars; none names eventreg, its version and BASE_URL."""

# Doors.
SESSION_IDLE_HOURS = 12
"""Hours without a request after which one signs in again. A sign-in lasts 7 days at most."""
RATELIMIT_ENABLED = True
MIN_FILL_SECONDS = 2.0
"""A form sent back quicker than this is taken for a robot's; 0 switches it off."""
TRUSTED_PROXIES = 0
"""How many reverse proxies stand in front; so many X-Forwarded-For entries are believed."""

# Speed.
PAGE_CACHE_MB = 16
"""Finished public pages and feeds each web process keeps, in megabytes; 0 makes every page anew."""

DEMO = False
"""Set by `make run`: shows kept mail at /dev/mail to visitors from this machine."""
