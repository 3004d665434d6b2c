"""What both databases can do and say differently."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Table, Text, literal_column
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType


class JsonDocument(FunctionElement[Any]):
    """A text column that holds JSON, as what `JsonText` looks into: PostgreSQL parses it here, once.

    Values are to be taken from a `parsed` subquery: PostgreSQL would parse anew for each otherwise.
    """

    inherit_cache = True
    type = NullType()


@compiles(JsonDocument)
def _as_it_is(element: JsonDocument, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(JsonDocument, "postgresql")
def _parsed(element: JsonDocument, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS jsonb)"


def parsed(query: Select[Any], name: str) -> CTE:
    """A query with a `JsonDocument` among its columns, whose rows are made once."""
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


class JsonText(FunctionElement[str]):
    """A value within a `JsonDocument`, as text; NULL where it has none. Objects and arrays as JSON.

    Args:
        document: the document.
        path: names separated by dots, with an index where there is a list: `diagnosis.causes[0].cause`. A constant of
            the program: it becomes part of the statement.
    """

    inherit_cache = True
    type = Text()

    def __init__(self, document: ColumnElement[Any], path: str) -> None:
        assert re.fullmatch(r"[a-z_]+(\[\d+\])?(\.[a-z_]+(\[\d+\])?)*", path), path
        steps = ",".join(re.findall(r"\w+", path))
        super().__init__(document, literal_column(f"'$.{path}'"), literal_column(f"'{{{steps}}}'"))


@compiles(JsonText)
def _json_extract(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    document, path, _ = element.clauses
    return f"json_extract({compiler.process(document, **options)}, {compiler.process(path, **options)})"


@compiles(JsonText, "postgresql")
def _json_path(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    document, _, steps = element.clauses
    return f"({compiler.process(document, **options)} #>> {compiler.process(steps, **options)})"


async def insert_missing(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> None:
    """Inserts a row unless there is one with its key."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        await connection.execute(pg_insert(table).on_conflict_do_nothing(), row)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        await connection.execute(sqlite_insert(table).on_conflict_do_nothing(), row)
