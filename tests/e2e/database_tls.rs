//! TLS to the database server, as its URL asks for it. The servers that `tests/run` starts have
//! certificates that are signed by themselves; it says where these are.

use crate::server::tls::Pair;
use crate::support::Cloud;
use crate::support::cloud::Builder;
use crate::testdb::{Backend, TestDb, each_database};

/// The file with the certificate of the database's server. `None` where there is none, or where
/// somebody else has started the server.
fn certificate(db: &TestDb) -> Option<String> {
    let variable = match db.backend() {
        Backend::Sqlite => return None,
        Backend::Postgres => "TEST_POSTGRES_CERTIFICATE",
        Backend::Mariadb => "TEST_MYSQL_CERTIFICATE",
    };
    let file = std::env::var(variable).ok();
    if file.is_none() {
        eprintln!("left out: {variable} is not set");
    }
    file
}

/// The URL by which whoever signed this file is trusted, and the server has to be whom it names.
fn trusting(backend: Backend, url: &url::Url, file: &str) -> String {
    let mut url = url.clone();
    url.set_query(Some(&match backend {
        Backend::Postgres => format!("sslmode=verify-full&sslrootcert={file}"),
        _ => format!("ssl_ca={file}&ssl_verify_identity=true"),
    }));
    url.into()
}

/// What `db status` says to this URL: its exit code, and its complaint.
fn status(url: &str) -> (Option<i32>, String) {
    let output = Cloud::command(&["db", "status", "--config-file", "/dev/null"])
        .env("OS_DATABASE__CONNECTION", url)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told)
}

each_database! {
    async fn tls_to_the_database_is_spoken_and_verified_as_its_url_asks(db: TestDb) {
        let Some(own) = certificate(&db) else { return };
        let backend = db.backend();
        let stranger = Pair::make(db.scratch(), "stranger");
        let mut url = url::Url::parse(db.url()).unwrap();
        if backend == Backend::Mariadb {
            // Whoever comes without TLS is refused, as PostgreSQL can be asked who came with it.
            let user = format!("tls_{}", std::process::id());
            let name = url.path().trim_start_matches('/').to_owned();
            db.execute(&format!("CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY 'tls-secret' REQUIRE SSL")).await;
            db.execute(&format!("GRANT ALL ON \"{name}\".* TO '{user}'@'127.0.0.1'")).await;
            url.set_username(&user).unwrap();
            url.set_password(Some("tls-secret")).unwrap();
            assert_eq!(status(url.as_str()).0, Some(1));
        }

        let (code, told) = status(&trusting(backend, &url, &stranger.certificate.display().to_string()));
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("certificate") && !told.contains("secret"), "{told}");

        let cloud = Builder::new(&db).set("database", "connection", trusting(backend, &url, &own)).start().await;
        cloud.api().admin().await;
        if backend == Backend::Postgres {
            let count = async |plain: &str| {
                let sql = format!(
                    "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE datname = current_database() AND application_name = 'keystone-ng' AND {plain} ssl"
                );
                db.number(&sql).await
            };
            assert!(count("").await > 0);
            assert_eq!(count("NOT").await, 0);
        }
        drop(cloud);
        if backend == Backend::Mariadb {
            db.execute(&format!("DROP USER '{}'@'127.0.0.1'", url.username())).await;
        }
    }
}
