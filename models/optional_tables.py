"""Tables that a file may have beside what its format asks for: ours, or another program's."""

from __future__ import annotations

from models.toml_table import Table


def ours(table: Table, key: str, *names: str) -> Table | None:
    """An optional table, if it is of our form; another program's of the same name is left out.

    Args:
        table: The table in which it stands.
        key: Its name there.
        names: Keys that ours has in any case.
    """
    if not table.has_tables(key) or not set(names) <= set(table.peek(key)):
        return None
    return table.table(key)


def leave_out(table: Table, *, where: str) -> tuple[str, ...]:
    """Refuse unknown keys of a table that has been read; leave out the tables in it that are not known.

    Args:
        table: The table.
        where: Name of the file for messages.

    Returns:
        One sentence for each table that was left out.
    """
    unknown = [key for key in table.unread() if table.has_tables(key)]
    for key in unknown:
        table.pass_over(key)
    table.done()
    return tuple(
        f"{where}: the optional table [{table.path(key)}] is not known to this version and was left out."
        for key in unknown
    )
