use super::*;

fn parse(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn error(text: &str) -> String {
    match DatabaseUrl::parse(text) {
        Ok(url) => panic!("{text} was accepted: {url}"),
        Err(e) => e.to_string(),
    }
}

fn tls_of(text: &str) -> DbTls {
    match parse(text) {
        DatabaseUrl::Postgres { tls, .. } | DatabaseUrl::Mysql { tls, .. } => tls,
        DatabaseUrl::Sqlite { .. } => panic!("SQLite has no TLS"),
    }
}

#[test]
fn the_usual_mysql_url_is_read() {
    let url = parse(
        "mysql+pymysql://keystone:s3cret@db.example:3307/keystone?charset=utf8&plugin=dbcounter",
    );

    let DatabaseUrl::Mysql {
        host,
        port,
        user,
        password,
        database,
        tls,
        socket,
        connect_timeout,
    } = url
    else {
        panic!("not MySQL")
    };
    assert_eq!((host.as_str(), port), ("db.example", 3307));
    assert_eq!((user.as_str(), exposed(&password)), ("keystone", "s3cret"));
    assert_eq!(database, "keystone");
    assert_eq!(tls, DbTls::new(TlsMode::Disable));
    assert_eq!((socket, connect_timeout), (None, None));
}

#[test]
fn the_usual_postgresql_url_is_read() {
    let url = parse(
        "postgresql+psycopg2://k:pw@[2001:db8::1]/ks?sslmode=verify-full&sslrootcert=/ca.pem\
         &connect_timeout=7&application_name=keystone",
    );

    let DatabaseUrl::Postgres {
        host,
        port,
        tls,
        application_name,
        connect_timeout,
        ..
    } = url
    else {
        panic!("not PostgreSQL")
    };
    assert_eq!((host.as_str(), port), ("2001:db8::1", 5432));
    assert_eq!(
        (tls.mode, tls.ca),
        (TlsMode::VerifyFull, Some("/ca.pem".into()))
    );
    assert_eq!(application_name.as_deref(), Some("keystone"));
    assert_eq!(connect_timeout, Some(Duration::from_secs(7)));
}

#[test]
fn three_slashes_are_relative_and_four_absolute() {
    assert_eq!(
        parse("sqlite:///keystone.db"),
        DatabaseUrl::Sqlite {
            path: "keystone.db".into()
        }
    );
    assert_eq!(
        parse("sqlite:////var/k.db"),
        DatabaseUrl::Sqlite {
            path: "/var/k.db".into()
        }
    );
}

#[test]
fn a_database_in_memory_is_refused() {
    for text in ["sqlite://", "sqlite:///", "sqlite:///:memory:"] {
        assert!(error(text).contains("in memory"), "{text}");
    }
}

// The expectations of this table were read off SQLAlchemy 2.1's make_url.
#[test]
fn credentials_are_split_where_sqlalchemy_splits_them() {
    for (text, user, password, host) in [
        ("mysql://u:p%40+x@h/d", "u", "p@+x", "h"),
        ("mysql://u:p/w?d@h/d", "u", "p/w?d", "h"),
        ("mysql://u@c:pw@h/d", "u@c", "pw", "h"),
        ("mysql://a@b@h/d", "a@b", "", "h"),
        ("mysql://u:@h/d", "u", "", "h"),
        ("mysql://u:100%@h/d", "u", "100%", "h"),
        ("mysql://u:a:b@h/d", "u", "a:b", "h"),
        ("postgresql://u:%C3%A4@[::1]:5/d", "u", "ä", "::1"),
    ] {
        let (DatabaseUrl::Mysql {
            user: u,
            password: p,
            host: h,
            ..
        }
        | DatabaseUrl::Postgres {
            user: u,
            password: p,
            host: h,
            ..
        }) = parse(text)
        else {
            panic!("{text}")
        };
        assert_eq!(
            (u.as_str(), exposed(&p), h.as_str()),
            (user, password, host),
            "{text}"
        );
    }
}

#[test]
fn mysql_tls_follows_pymysql() {
    for (query, mode) in [
        ("", TlsMode::Disable),
        ("?ssl_ca=/ca", TlsMode::VerifyFull),
        ("?ssl_ca=/ca&ssl_check_hostname=false", TlsMode::VerifyCa),
        ("?ssl_ca=/ca&ssl_verify_cert=false", TlsMode::Require),
        (
            "?ssl_ca=/ca&ssl_verify_cert=true&ssl_verify_identity=true",
            TlsMode::VerifyFull,
        ),
        ("?ssl_cert=/c&ssl_key=/k", TlsMode::Require),
        ("?ssl_verify_cert=true", TlsMode::VerifyCa),
        ("?ssl_mode=verify_identity", TlsMode::VerifyFull),
        ("?ssl_mode=REQUIRED", TlsMode::Require),
        ("?ssl_ca=/ca&ssl_disabled=true", TlsMode::Disable),
        ("?ssl_ca=/ca&unix_socket=/run/mysqld.sock", TlsMode::Disable),
    ] {
        assert_eq!(
            tls_of(&format!("mysql://u:p@h/d{query}")).mode,
            mode,
            "{query}"
        );
    }
}

#[test]
fn postgresql_tls_follows_libpq() {
    for (query, mode) in [
        ("", TlsMode::Prefer),
        ("?sslmode=disable", TlsMode::Disable),
        ("?sslmode=allow", TlsMode::Prefer),
        ("?sslmode=require", TlsMode::Require),
        ("?sslmode=require&sslrootcert=/ca", TlsMode::VerifyCa),
        ("?sslmode=verify-ca&sslrootcert=/ca", TlsMode::VerifyCa),
        ("?sslmode=verify-full", TlsMode::VerifyFull),
        ("?sslrootcert=system", TlsMode::VerifyFull),
        ("?host=/run/postgresql&sslmode=require", TlsMode::Disable),
    ] {
        assert_eq!(
            tls_of(&format!("postgresql://u:p@h/d{query}")).mode,
            mode,
            "{query}"
        );
    }
    assert!(
        error("postgresql://u:p@h/d?sslmode=require&sslrootcert=system").contains("verify-full")
    );
}

#[test]
fn a_socket_is_used_where_one_is_named_or_no_host_is() {
    let socket = |text: &str| match parse(text) {
        DatabaseUrl::Postgres { socket, .. } | DatabaseUrl::Mysql { socket, .. } => socket,
        DatabaseUrl::Sqlite { .. } => None,
    };

    assert_eq!(socket("postgresql://u@/d?host=/tmp"), Some("/tmp".into()));
    assert_eq!(
        socket("postgresql://u@/d"),
        Some("/var/run/postgresql".into())
    );
    assert_eq!(socket("mysql://u:p@h/d?unix_socket=/s"), Some("/s".into()));
    assert_eq!(socket("postgresql://u@h/d"), None);
}

#[test]
fn what_would_change_the_connection_is_refused_by_name() {
    for (text, word) in [
        ("mysql://u:p@h/d?init_command=SET%20x", "init_command"),
        ("mysql://u:p@h/d?charset=latin1", "utf8mb4"),
        (
            "mysql://u:p@h/d?read_default_file=/etc/my.cnf",
            "read_default_file",
        ),
        ("mysql://u:p@h/d?ssl=true", "ssl_mode"),
        ("mysql://u:p@h/d?ssl_cert=/c", "ssl_key"),
        ("postgresql://u:p@h/d?service=x", "service"),
        ("postgresql://u:p@h/d?options=-c%20a%3Db", "ALTER ROLE"),
        ("postgresql://u:p@h/d?sslmode=always", "verify-full"),
        (
            "postgresql://u:p@h/d?target_session_attrs=read-write",
            "target_session_attrs",
        ),
        ("postgresql+asyncpg://u:p@h/d", "postgresql+asyncpg"),
        ("oracle://u:p@h/d", "oracle"),
        ("mssql+pyodbc://u:p@h/d", "mssql+pyodbc"),
        ("sqlite:///k.db?mode=ro", "mode"),
        ("sqlite://host/k.db", "three slashes"),
        ("sqlite:///file:k.db", "file:"),
        ("keystone.db", "not a URL"),
        ("mysql://h/d", "no user"),
        ("mysql://u:p@h", "no database"),
        ("mysql://u:p@h:0/d", "port"),
        ("mysql://u:p@h:x/d", "port"),
        ("mysql://u:p@h:/d", "port"),
        ("mysql://u:p@h1,h2/d", "several hosts"),
        ("mysql://u:%FF@h/d", "password"),
        ("mysql://u:p@h/d%00", "database"),
        ("mysql://u:p@h/d?connect_timeout=soon", "connect_timeout"),
    ] {
        let message = error(text);
        assert!(message.contains(word), "{text}: {message}");
    }
    assert!(error(&format!("mysql://u:p@h/{}", "d".repeat(MAX_URL))).contains("4096"));
}

#[test]
fn no_text_about_a_url_shows_the_password() {
    for text in [
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@h/d?sslmode=require",
        "postgresql://u:hunter2@/d",
    ] {
        let url = parse(text);
        for shown in [format!("{url}"), format!("{url:?}"), format!("{url:#?}")] {
            assert!(
                !shown.contains("hunter2") && shown.contains("u@"),
                "{shown}"
            );
        }
    }
    for text in [
        "mysql://u:x@hunter2@h/d",
        "mysql://u:hunter2@h/d?a=hunter2",
        "x://u:hunter2@h/d",
    ] {
        assert!(!error(text).contains("hunter2"), "{text}");
    }
}

#[test]
fn further_parameters_come_after_those_of_the_url() {
    let url = DatabaseUrl::with_parameters("postgresql://u@h/d?sslmode=disable", "sslmode=require")
        .unwrap();

    assert_eq!(url, parse("postgresql://u@h/d?sslmode=require"));
    assert_ne!(url, parse("postgresql://u:other@h/d?sslmode=require"));
}
