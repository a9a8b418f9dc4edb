//! What a session with the database is set to before it is used: oslo.db's options for it.

/// How sessions are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// `[database] mysql_sql_mode`; empty: the server's own.
    pub mysql_sql_mode: String,
    /// `[database] mysql_wsrep_sync_wait`: what a Galera node waits for; `None`: the server's own.
    pub mysql_wsrep_sync_wait: Option<u32>,
    /// `[database] sqlite_synchronous`: whether a power cut leaves the file whole.
    pub sqlite_synchronous: bool,
}

impl Default for Sessions {
    /// oslo.db's defaults.
    fn default() -> Self {
        Self {
            mysql_sql_mode: "TRADITIONAL".to_owned(),
            mysql_wsrep_sync_wait: None,
            sqlite_synchronous: true,
        }
    }
}

/// Whether a text can be an SQL mode: names, separated by commas.
pub fn is_sql_mode(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_, ".contains(&byte))
}

impl Sessions {
    /// The statement for MySQL and MariaDB. Time zone and SQL mode decide what times mean, and what
    /// is an error.
    pub(super) fn mysql(&self) -> String {
        let mut statement = "SET time_zone = '+00:00'".to_owned();
        if !self.mysql_sql_mode.is_empty() && is_sql_mode(&self.mysql_sql_mode) {
            statement += &format!(", sql_mode = '{}'", self.mysql_sql_mode);
        }
        if let Some(wait) = self.mysql_wsrep_sync_wait {
            statement += &format!(", wsrep_sync_wait = {wait}");
        }
        statement
    }

    /// The statements for SQLite. In write-ahead mode `NORMAL` is safe from a power cut; `OFF` is
    /// safe from the end of the process alone.
    pub(super) fn sqlite(&self) -> String {
        let synchronous = if self.sqlite_synchronous {
            "NORMAL"
        } else {
            "OFF"
        };
        format!(
            "PRAGMA busy_timeout = 5000; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON;"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::dsl::sql;
    use diesel::sql_types::Text;
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl;

    use super::*;
    use crate::actor::Unavailable;
    use crate::db::url::DatabaseUrl;
    use crate::db::{Databases, StorageLimits};
    use crate::testdb::{Backend, TestDb, each_database};
    use crate::with_conn;

    each_database! {
        async fn a_session_is_set_as_configured(db: TestDb) {
            let sessions = Sessions {
                mysql_sql_mode: "STRICT_ALL_TABLES,NO_ZERO_DATE".to_owned(),
                mysql_wsrep_sync_wait: Some(3),
                sqlite_synchronous: false,
            };
            let (question, due) = match db.backend() {
                Backend::Sqlite => ("(SELECT synchronous FROM pragma_synchronous) || ''", "0"),
                Backend::Postgres => ("'nothing is set'", "nothing is set"),
                Backend::Mariadb => (
                    "CONCAT(@@sql_mode, ' ', @@wsrep_sync_wait)",
                    "STRICT_ALL_TABLES,NO_ZERO_DATE 3",
                ),
            };
            let url = DatabaseUrl::parse(db.url()).unwrap();
            let databases =
                Databases::with_sessions(url, StorageLimits::default(), &sessions).unwrap();
            let pool = databases.pool("test", 10).unwrap();

            let told: Result<String, Unavailable> = with_conn!(&pool, |conn| {
                let asked = diesel::select(sql::<Text>(question));
                asked.get_result(conn).await.map_err(|_| Unavailable::Database)
            });

            assert_eq!(told.unwrap(), due);
        }
    }

    diesel::table! {
        numbers (id) {
            id -> Integer,
        }
    }

    each_database! {
        async fn a_statement_is_good_however_many_came_after_it(db: TestDb) {
            TestDb::execute(&db, "CREATE TABLE numbers (id INTEGER PRIMARY KEY)").await;
            TestDb::execute(&db, "INSERT INTO numbers VALUES (7)").await;
            // So many of them may take long on a busy machine.
            let limits = StorageLimits { statement: Duration::from_secs(120), ..StorageLimits::default() };
            let databases = Databases::new(DatabaseUrl::parse(db.url()).unwrap(), limits).unwrap();
            let pool = databases.pool("test", 10).unwrap();

            let told: Result<Vec<i32>, Unavailable> = with_conn!(&pool, |conn| {
                let mut told = Vec::new();
                // Each length is a statement of its own, prepared the first time.
                for length in (1..100).chain(1..100) {
                    let mut question = numbers::table.select(numbers::id).into_boxed();
                    for _ in 0..length {
                        question = question.filter(numbers::id.ne(0));
                    }
                    told.push(question.get_result::<i32>(conn).await.map_err(|_| Unavailable::Database)?);
                }
                Ok(told)
            });

            assert_eq!(told.unwrap(), [7; 198]);
        }
    }

    #[test]
    fn no_text_gets_out_of_the_mode() {
        let sessions = Sessions {
            mysql_sql_mode: "'; DROP TABLE user; --".to_owned(),
            ..Sessions::default()
        };
        assert_eq!(sessions.mysql(), "SET time_zone = '+00:00'");
    }
}
