"""Indexes of some rows only. Each database hears of the condition when its schema is made, and not before.

SQLAlchemy would check such a condition with the code of both databases as soon as a model is imported; a process that
serves one of them has no use for the other.
"""

from sqlalchemy import Index, MetaData, text

DATABASES = ("sqlite", "postgresql")


def index_of_some(
    name: str, *columns: str, where: str = "", sqlite: str = "", postgresql: str = "", unique: bool = False
) -> Index:
    """An index of the rows for which `where` is true, or what each of the two calls it.

    >>> index_of_some("ix_drafts", "id", where="status = 'draft'").info
    {'sqlite_where': "status = 'draft'", 'postgresql_where': "status = 'draft'"}
    """
    told = {"sqlite_where": sqlite or where, "postgresql_where": postgresql or where}
    return Index(name, *columns, unique=unique, info=told)


def tell_conditions(metadata: MetaData) -> None:
    """Completes every such index, for whoever makes a schema of them."""
    for table in metadata.tables.values():
        for index in table.indexes:
            for name, condition in index.info.items():
                index.dialect_kwargs[name] = text(condition)
