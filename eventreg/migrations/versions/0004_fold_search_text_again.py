"""fold stored search text again, and give accounts' addresses ASCII hosts

Searches now take typographic quotes, dashes and ligatures for what keyboards have, so the text they look through must
hold those too. The table below is what changed, as it was then. Text that the version before writes while this runs
keeps its old form until it is saved again. An account with an international host is found by its ASCII form from now on.

Revision ID: 0004
Revises: 0003
"""

import idna
import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

PLAIN = {
    "'": '\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02c8\u055a`',
    '"': '\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb',
    '<': '\u2039',
    '>': '\u203a',
    '-': '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043',
    '/': '\u2044',
    'ae': '\u00e6',
    'oe': '\u0153',
    'o': '\u00f8',
    'd': '\u0111\u00f0',
    'th': '\u00fe',
    'l': '\u0142',
    'h': '\u0127',
    't': '\u0167',
    'i': '\u0131',
    'k': '\u0138',
    'n': '\u014b',
    '': '\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064'
        '\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u115f\u1160\u3164\ufe0e\ufe0f\ufeff\uffa0',
}
"""What is written now, for each of the characters that stood there."""
PAIRS = [(character, plain) for plain, characters in PLAIN.items() for character in characters]
LONGEST = 500
"""Of a registration's search text, which grows by ligatures."""
AT_ONCE = 20
"""Characters in one statement: SQLite nests no more than 100 calls."""


def upgrade() -> None:
    for start in range(0, len(PAIRS), AT_ONCE):
        op.execute(_folding('events', 'search_text', PAIRS[start:start + AT_ONCE]))
        op.execute(_folding('registrations', 'search_text', PAIRS[start:start + AT_ONCE]))
    _give_ascii_hosts()


def _folding(table: str, folded: str, pairs: list[tuple[str, str]]) -> sa.TextClause:
    """One UPDATE of the rows that hold any of these characters; SQLite's index of words follows by its triggers."""
    for character, plain in pairs:
        quoted = plain.replace("'", "''")
        folded = f"replace({folded}, '{character}', '{quoted}')"
    if table == 'registrations':
        folded = f'substr({folded}, 1, {LONGEST})'
    some = f"[{''.join(character for character, _plain in pairs)}]"
    holds = f"GLOB '*{some}*'" if op.get_bind().dialect.name == 'sqlite' else f"~ '{some}'"
    return sa.text(f'UPDATE {table} SET search_text = {folded} WHERE search_text {holds}')


def _give_ascii_hosts() -> None:
    organizers = sa.table('organizers', sa.column('id', sa.Integer), sa.column('email', sa.String))
    rows = op.get_bind().execute(sa.select(organizers.c.id, organizers.c.email)).all()
    taken = {row.email for row in rows}
    for row in rows:
        local, _at, host = row.email.rpartition('@')
        if host.isascii():
            continue
        try:
            address = f'{local}@{idna.encode(host, uts46=True).decode()}'.lower()
        except idna.IDNAError:
            continue  # no mail was ever sent there
        if address not in taken:
            op.execute(sa.update(organizers).where(organizers.c.id == row.id).values(email=address))


def downgrade() -> None:
    """Nothing: the version before finds what it folds alike, and folds the rest anew when it is saved."""
