//! Whether the tables are as the migrations make them, as far as we depend on it: somebody may have
//! altered them, or restored half of them.
//!
//! What is due is read from the migrations' own text, what there is from the database's catalog. Whatever
//! else was added (columns that may be empty, indexes, tables) is no business of ours.

use std::collections::HashMap;
use std::fmt;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::Error;
use crate::db::migrate::statements;
use crate::db::{Db, DbKind};
use crate::with_conn;

/// A table or a column that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// The table's name.
    pub table: String,
    /// The column's; empty where the table is missing.
    pub column: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a table or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The table is missing.
    NoTable,
    /// The column is missing.
    NoColumn,
    /// Its type is one that we can't read as the one that is due.
    OtherType {
        /// What it is.
        found: String,
        /// What it should be.
        due: String,
    },
    /// What fits into the type that is due does not fit into it.
    TooShort {
        /// How many characters or bytes it takes.
        found: u32,
        /// How many it should take.
        due: u32,
    },
    /// It may not be NULL, which it has to be able to be.
    NeverNull,
    /// A column that is not Keystone's, may not be NULL and has no default: no row can be added.
    Unfillable,
}

impl Altered {
    /// Whether we can't work with it at all.
    pub fn is_fatal(&self) -> bool {
        match self.flaw {
            Flaw::NoTable | Flaw::NoColumn | Flaw::OtherType { .. } | Flaw::Unfillable => true,
            Flaw::TooShort { .. } | Flaw::NeverNull => false,
        }
    }
}

impl fmt::Display for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, .. } = self;
        match &self.flaw {
            Flaw::NoTable => write!(f, "the table {table} is missing"),
            Flaw::NoColumn => write!(f, "{table}.{column} is missing"),
            Flaw::OtherType { found, due } => write!(f, "{table}.{column} is {found}, not {due}"),
            Flaw::TooShort { found, due } => {
                write!(f, "{table}.{column} takes {found} characters, not {due}")
            }
            Flaw::NeverNull => write!(f, "{table}.{column} may not be NULL"),
            Flaw::Unfillable => write!(
                f,
                "{table}.{column} is not Keystone's, may not be NULL and has no default, so that \
                 no row can be added"
            ),
        }
    }
}

/// A column, due or found.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    column: String,
    /// As declared: `VARCHAR(64)`.
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    /// Whether a row may be added that does not name it.
    #[diesel(sql_type = Bool)]
    filled: bool,
}

/// Which tables and columns, Python Keystone's and ours, are not as this version needs them, in the
/// order of the migrations; empty where all is well.
///
/// # Errors
/// When the database does not tell.
pub async fn altered_tables(db: &Db) -> Result<Vec<Altered>, Error> {
    let catalog = match db.kind() {
        DbKind::Sqlite => {
            r#"SELECT m.name AS "table", c.name AS "column", c.type AS declared,
                      c."notnull" = 0 AS nullable, c.dflt_value IS NOT NULL OR c.pk > 0 AS filled
                 FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
                WHERE m.type IN ('table', 'view')"#
        }
        DbKind::Postgres => {
            r#"SELECT table_name::text AS "table", column_name::text AS "column",
                      CASE WHEN data_type = 'USER-DEFINED' THEN udt_name::text
                           WHEN character_maximum_length IS NULL THEN data_type::text
                           ELSE data_type::text || '(' || character_maximum_length || ')'
                      END AS declared,
                      is_nullable = 'YES' AS nullable,
                      column_default IS NOT NULL OR is_identity = 'YES' AS filled
                 FROM information_schema.columns
                WHERE table_schema = ANY (current_schemas(false))"#
        }
        DbKind::Mysql => {
            "SELECT table_name AS `table`, column_name AS `column`, column_type AS declared,
                    is_nullable = 'YES' AS nullable,
                    column_default IS NOT NULL OR extra LIKE '%auto_increment%'
                        OR extra LIKE '%GENERATED%' AS filled
               FROM information_schema.columns
              WHERE table_schema = DATABASE()"
        }
    };
    let found: Vec<Column> = with_conn!(db, |conn| {
        let found = diesel::sql_query(catalog).load(conn).await;
        found.map_err(Error::from)
    })?;
    let due: Vec<Column> = statements(db.kind()).flat_map(columns).collect();
    Ok(differences(db.kind(), &due, &found))
}

/// The columns of the tables that a migration makes, and those that it adds to tables. It has each on a
/// line of its own.
fn columns(statements: &str) -> Vec<Column> {
    const NO_COLUMN: [&str; 7] = [
        "PRIMARY",
        "UNIQUE",
        "KEY",
        "CONSTRAINT",
        "FOREIGN",
        "CHECK",
        "--",
    ];
    let mut columns = Vec::new();
    let mut table = None;
    for line in statements.lines() {
        if let Some(begun) = line.strip_prefix("CREATE TABLE ") {
            let name = begun.strip_prefix("IF NOT EXISTS ").unwrap_or(begun);
            table = name.strip_suffix(" (").map(bare);
            continue;
        }
        if let Some((_, change)) = line.split_once("ALTER TABLE ") {
            columns.extend(added(change));
            continue;
        }
        if line.starts_with(')') {
            table = None;
        }
        let (Some(table), Some(line)) = (table, line.strip_prefix("    ")) else {
            continue;
        };
        let Some((name, rest)) = line.split_once(' ') else {
            continue;
        };
        // What is indented further goes on from the line before.
        if name.is_empty() || NO_COLUMN.contains(&name) {
            continue;
        }
        columns.push(column(table, name, rest));
    }
    columns
}

/// The column of `ng_x ADD COLUMN y VARCHAR(8)`, whatever follows; on MySQL that stands in a text.
fn added(change: &str) -> Option<Column> {
    let (table, rest) = change.split_once(" ADD COLUMN ")?;
    let rest = rest.split([';', '\'']).next()?;
    let (name, rest) = rest.split_once(' ')?;
    Some(column(bare(table), name, rest))
}

fn column(table: &str, name: &str, rest: &str) -> Column {
    let rest = rest.trim_start();
    let declared = match rest.split_once(')') {
        Some((open, _)) if open.contains('(') && !open.contains(' ') => format!("{open})"),
        _ => {
            let word = rest.split([' ', ',', '(']).next().unwrap_or_default();
            word.to_owned()
        }
    };
    Column {
        table: table.to_owned(),
        column: bare(name).to_owned(),
        declared,
        nullable: !rest.contains("NOT NULL") && !rest.contains("PRIMARY KEY"),
        filled: true,
    }
}

/// A name without its quotes.
fn bare(name: &str) -> &str {
    name.trim_matches(['"', '`'])
}

/// What can be read as what. On SQLite any column holds anything, and MySQL's protocol has numbers that fit
/// each other; PostgreSQL's has each type in a form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Integer,
    BigInt,
    Bool,
    Time,
    Date,
    Bytes,
    Other(String),
}

fn family(kind: DbKind, declared: &str) -> Family {
    let lower = declared.to_lowercase();
    let name = lower.split('(').next().unwrap_or_default().trim();
    let strict = kind == DbKind::Postgres;
    match name {
        // PostgreSQL's two enums are called `type` and `entity_type`.
        "type" | "entity_type" if strict => Family::Other(name.to_owned()),
        "varchar" | "character varying" | "char" | "character" | "text" | "tinytext"
        | "mediumtext" | "longtext" | "enum" => Family::Text,
        "boolean" | "bool" | "tinyint" | "integer" | "int" | "bigint" | "smallint"
        | "mediumint"
            if !strict =>
        {
            Family::Number
        }
        // Whatever unsigned, zerofill and the like add.
        other if !strict && (other.starts_with("int") || other.starts_with("bigint")) => {
            Family::Number
        }
        "integer" | "serial" => Family::Integer,
        "bigint" | "bigserial" => Family::BigInt,
        "boolean" => Family::Bool,
        "datetime" | "timestamp" | "timestamp without time zone" => Family::Time,
        "date" => Family::Date,
        "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" | "bytea" => {
            Family::Bytes
        }
        other => Family::Other(other.to_owned()),
    }
}

/// The number in brackets, of a type that has one.
fn length(declared: &str) -> Option<u32> {
    let (_, rest) = declared.split_once('(')?;
    rest.strip_suffix(')')?.parse().ok()
}

fn differences(kind: DbKind, due: &[Column], found: &[Column]) -> Vec<Altered> {
    let mut tables: HashMap<&str, HashMap<&str, &Column>> = HashMap::new();
    for one in found {
        let table = tables.entry(&one.table).or_default();
        table.insert(&one.column, one);
    }
    let mut altered = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for one in due {
        let first = !seen.contains(&one.table.as_str());
        let say = |column: &str, flaw| Altered {
            table: one.table.clone(),
            column: column.to_owned(),
            flaw,
        };
        let Some(table) = tables.get(one.table.as_str()) else {
            if first {
                seen.push(&one.table);
                altered.push(say("", Flaw::NoTable));
            }
            continue;
        };
        if first {
            seen.push(&one.table);
            let known = |name: &str| {
                let mut due = due.iter();
                due.any(|other| other.table == one.table && other.column == name)
            };
            let mut others: Vec<&str> = table
                .values()
                .filter(|other| !other.nullable && !other.filled && !known(&other.column))
                .map(|other| other.column.as_str())
                .collect();
            others.sort_unstable();
            altered.extend(others.into_iter().map(|name| say(name, Flaw::Unfillable)));
        }
        match table.get(one.column.as_str()) {
            None => altered.push(say(&one.column, Flaw::NoColumn)),
            Some(there) => {
                let flaw = flaw(kind, one, there);
                altered.extend(flaw.map(|flaw| say(&one.column, flaw)));
            }
        }
    }
    altered
}

fn flaw(kind: DbKind, due: &Column, found: &Column) -> Option<Flaw> {
    let family_due = family(kind, &due.declared);
    if family(kind, &found.declared) != family_due {
        return Some(Flaw::OtherType {
            found: found.declared.clone(),
            due: due.declared.clone(),
        });
    }
    let sized = matches!(family_due, Family::Text | Family::Bytes);
    if let (true, Some(due), Some(found)) = (sized, length(&due.declared), length(&found.declared))
        && found < due
    {
        return Some(Flaw::TooShort { found, due });
    }
    (due.nullable && !found.nullable).then_some(Flaw::NeverNull)
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
