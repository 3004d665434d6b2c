"""What both databases can do and say differently."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Column, Table, Text, literal_column
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class JsonText(FunctionElement[str]):
    """A value within a text column that holds JSON, as text; NULL where it has none. Objects and arrays as JSON.

    Args:
        column: the column.
        path: names separated by dots, with an index where there is a list: `diagnosis.causes[0].cause`. A constant of
            the program: it becomes part of the statement.
    """

    inherit_cache = True
    type = Text()

    def __init__(self, column: Column[Any], path: str) -> None:
        assert re.fullmatch(r"[a-z_]+(\[\d+\])?(\.[a-z_]+(\[\d+\])?)*", path), path
        steps = ",".join(re.findall(r"\w+", path))
        super().__init__(column, literal_column(f"'$.{path}'"), literal_column(f"'{{{steps}}}'"))


@compiles(JsonText)
def _json_extract(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, path, _ = element.clauses
    return f"json_extract({compiler.process(column, **options)}, {compiler.process(path, **options)})"


@compiles(JsonText, "postgresql")
def _json_path(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, _, steps = element.clauses
    return f"(CAST({compiler.process(column, **options)} AS json) #>> {compiler.process(steps, **options)})"


async def insert_missing(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> None:
    """Inserts a row unless there is one with its key."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        await connection.execute(pg_insert(table).on_conflict_do_nothing(), row)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        await connection.execute(sqlite_insert(table).on_conflict_do_nothing(), row)
