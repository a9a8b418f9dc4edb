#!/usr/bin/env python3
"""The schema of a database as sorted JSON lines, for comparing two of them.

    schema_dump.py URL                    print it
    schema_dump.py URL --expect FILE      print the difference from FILE; exit 1 if there is one

URL is SQLAlchemy's (sqlite:///file, postgresql+psycopg2://..., mysql+pymysql://...). Tables whose name begins
with a --skip prefix (by default ng_: ours, and sqlite_: SQLite's own) are left out. Rows are printed too, since a
fresh database holds only those that its migrations inserted; --no-rows leaves them out.

The files in schema/ were written by this script from databases that `keystone-manage db_sync` of Python Keystone
30.0.0 made on SQLite 3.40, PostgreSQL 15 and MariaDB 10.11 (database charset utf8mb3).

Needs SQLAlchemy, and PyMySQL or psycopg2-binary.
"""

import argparse
import difflib
import json
import sys

import sqlalchemy as sa


def listed(value):
    """Column lists keep their order: it is part of what an index or a key means."""
    return [str(v) for v in value or []]


def columns(inspector, table):
    primary = inspector.get_pk_constraint(table)
    yield {"primary_key": primary["name"], "columns": listed(primary["constrained_columns"])}
    for position, column in enumerate(inspector.get_columns(table)):
        # repr, where str would drop what enum types allow and what TINYINT displays.
        yield {
            "column": column["name"],
            "position": position,
            "type": repr(column["type"]),
            "nullable": column["nullable"],
            "default": column["default"],
            "autoincrement": column.get("autoincrement") is True,
        }


def constraints(inspector, table):
    for index in inspector.get_indexes(table):
        yield {"index": index["name"], "columns": listed(index["column_names"]), "unique": bool(index["unique"])}
    for unique in inspector.get_unique_constraints(table):
        yield {"unique": unique["name"], "columns": listed(unique["column_names"])}
    for key in inspector.get_foreign_keys(table):
        yield {
            "foreign_key": key["name"],
            "columns": listed(key["constrained_columns"]),
            "to": [key["referred_table"], *listed(key["referred_columns"])],
            "options": {k: v for k, v in sorted(key["options"].items())},
        }
    for check in inspector.get_check_constraints(table):
        yield {"check": check["name"], "text": check["sqltext"]}


def rows(connection, engine, table):
    name = engine.dialect.identifier_preparer.quote(table)
    for row in connection.execute(sa.text(f"SELECT * FROM {name}")).mappings():
        yield {"row": {k: v if isinstance(v, (int, str, type(None))) else str(v) for k, v in row.items()}}


def beside_tables(connection, inspector, wanted):
    """What isn't a table's: enum types and sequences of PostgreSQL, engine and charset of MySQL."""
    if connection.dialect.name == "postgresql":
        for enum in inspector.get_enums():
            yield {"enum": enum["name"], "labels": enum["labels"]}
        owners = """
            SELECT s.relname AS sequence, t.relname AS owner, a.attname AS owner_column, format_type(q.seqtypid, NULL) AS type
            FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid
            LEFT JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a'
            LEFT JOIN pg_class t ON t.oid = d.refobjid
            LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"""
        for row in connection.execute(sa.text(owners)).mappings():
            if row["owner"] in wanted or row["owner"] is None:
                yield dict(row)
    elif connection.dialect.name in ("mysql", "mariadb"):
        options = """
            SELECT table_name AS name, engine AS engine, table_collation AS collation
            FROM information_schema.tables WHERE table_schema = DATABASE()"""
        for row in connection.execute(sa.text(options)).mappings():
            if row["name"] in wanted:
                yield {"table": row["name"], **{k: row[k] for k in ("engine", "collation")}}


def dump(url, skip, with_rows):
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    wanted = [t for t in inspector.get_table_names() if not t.startswith(tuple(skip))]
    out = []
    with engine.connect() as connection:
        for table in wanted:
            facts = [*columns(inspector, table), *constraints(inspector, table)]
            if with_rows:
                facts += rows(connection, engine, table)
            out += [{"table": table, **fact} for fact in facts]
        out += beside_tables(connection, inspector, set(wanted))
    engine.dispose()
    return sorted(json.dumps(fact, ensure_ascii=False) for fact in out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--expect", metavar="FILE")
    parser.add_argument("--skip", metavar="PREFIX", action="append", help="default: ng_ and sqlite_")
    parser.add_argument("--no-rows", action="store_true")
    args = parser.parse_args()

    found = dump(args.url, args.skip or ["ng_", "sqlite_"], not args.no_rows)
    if args.expect is None:
        print("\n".join(found))
        return 0
    with open(args.expect, encoding="utf-8") as file:
        expected = file.read().splitlines()
    if args.no_rows:
        expected = [line for line in expected if "row" not in json.loads(line)]
    difference = list(difflib.unified_diff(expected, found, args.expect, args.url.rsplit("@", 1)[-1], lineterm="", n=0))
    print("\n".join(difference) if difference else f"same: {len(found)} facts")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
