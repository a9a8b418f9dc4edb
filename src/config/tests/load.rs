use std::time::Duration;

use keystone_actors::db::url::{DatabaseUrl, TlsMode};

use super::super::sections::{JwsAlgorithm, PasswordHashAlgorithm, TokenProvider};
use super::super::{Config, Limit, Place, Sources, Warning, options};
use super::{file, load, mistakes};

#[test]
fn a_file_of_python_keystone_is_accepted_without_a_warning() {
    let loaded = file(
        "[DEFAULT]\nlog_dir = /var/log/keystone\nuse_json = True\ntransport_url = rabbit://u:p@h\n\
         [database]\nconnection = mysql+pymysql://keystone:pw@db/keystone?charset=utf8\n\
         [token]\nprovider = fernet\nexpiration = 14_400\n[fernet_tokens]\nmax_active_keys = 5\n\
         [cache]\nenabled = true\nbackend = dogpile.cache.memcached\nmemcache_servers = a:1,b:2\n\
         [oslo_messaging_rabbit]\nssl = false\n[ldap]\nurl = ldap://x\n[auth]\nmethods = password,\
         token\n",
    );

    assert_eq!(loaded.warnings, []);
    assert!(loaded.config.default.use_json);
    assert_eq!(loaded.config.token.expiration, Duration::from_secs(14_400));
    assert_eq!(loaded.config.token.provider, TokenProvider::Fernet);
    assert_eq!(loaded.config.fernet_tokens.max_active_keys, 5);
    assert_eq!(loaded.config.auth.methods, ["password", "token"]);
    let inert: Vec<_> = loaded
        .without_effect
        .iter()
        .map(|(meta, _)| meta.title())
        .collect();
    assert_eq!(
        inert,
        [
            "[DEFAULT] transport_url",
            "[cache] enabled",
            "[cache] backend",
            "[cache] memcache_servers",
            "[oslo_messaging_rabbit] ssl",
            "[ldap] url",
        ]
    );
}

#[test]
fn overrides_beat_the_environment_which_beats_files_of_which_the_last_wins() {
    let seconds = |files: &[&str], env: &[(&str, &str)], flags: &[(&str, &str, &str)]| {
        load(files, env, flags)
            .unwrap()
            .config
            .token
            .expiration
            .as_secs()
    };
    let (a, b) = (
        "[token]\nexpiration=1\nexpiration=2\n",
        "[token]\nexpiration=3\n",
    );
    let env = [("OS_TOKEN__EXPIRATION", "4")];

    assert_eq!(seconds(&[a], &[], &[]), 2);
    assert_eq!(seconds(&[a, b], &[], &[]), 3);
    assert_eq!(seconds(&[b, a], &[], &[]), 2);
    assert_eq!(seconds(&[a, b], &env, &[]), 4);
    assert_eq!(
        seconds(
            &[a, b],
            &env,
            &[("token", "expiration", "5"), ("token", "expiration", "6")]
        ),
        6
    );
}

#[test]
fn a_repeatable_option_collects_its_lines_over_all_files() {
    let texts = |files: &[&str], env: &[(&str, &str)]| {
        load(files, env, &[])
            .unwrap()
            .config
            .oslo_policy
            .policy_dirs
            .0
    };

    assert_eq!(texts(&[""], &[]), ["policy.d"]);
    let a = "[oslo_policy]\npolicy_dirs=a\npolicy_dirs=b\n";
    assert_eq!(
        texts(&[a, "[oslo_policy]\npolicy_dirs=c\n"], &[]),
        ["a", "b", "c"]
    );
    assert_eq!(
        texts(&[a], &[("OS_OSLO_POLICY__POLICY_DIRS", "x,y\nz")]),
        ["x,y", "z"]
    );
}

#[test]
fn an_old_name_works_and_is_told_of() {
    let loaded = file("[DEFAULT]\nlogfile = /l\n[assignment]\nlist_limit = 7\n");

    assert_eq!(loaded.config.default.log_file, Some("/l".into()));
    assert_eq!(loaded.config.resource.list_limit, Some(7));
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "a.conf:2: [DEFAULT] logfile is now called [DEFAULT] log_file",
            "a.conf:4: [assignment] list_limit is now called [resource] list_limit",
        ]
    );
}

#[test]
fn todays_name_beats_the_old_one_of_the_same_file_but_not_of_a_later_one() {
    let limit = |files: &[&str]| load(files, &[], &[]).unwrap().config.resource.list_limit;
    let (new, old) = ("[resource]\nlist_limit=1\n", "[assignment]\nlist_limit=2\n");

    assert_eq!(limit(&[&format!("{new}{old}")]), Some(1));
    assert_eq!(limit(&[new, old]), Some(2));
    assert_eq!(limit(&[old, new]), Some(1));
}

#[test]
fn references_are_filled_in_as_oslo_does() {
    for (written, value) in [
        ("$notification_format", "cadf"),
        ("${notification_format}x", "cadfx"),
        ("$notification_format-x", "cadf-x"),
        ("${token.expiration}", "7"),
        ("$token.revoke_by_id", "True"),
        ("$max_db_limit", "1000"),
        ("<$list_limit>", "<>"),
        ("$ldap.suffix", "cn=example,cn=com"),
        ("$oslo_policy.policy_default_rule", "dd/r"),
        ("a$$b\\$c", "a$b$c"),
        ("$1 $ ${ ${x y} $", "$1 $ ${ ${x y} $"),
        ("$$notification_format", "$notification_format"),
    ] {
        let loaded = file(&format!(
            "[identity]\ndefault_domain_id = dd\n[token]\nexpiration = 0_7\nrevoke_by_id = yes\n\
             [oslo_policy]\npolicy_default_rule = ${{identity.default_domain_id}}/r\n\
             [DEFAULT]\ndefault_publisher_id = {written}\n"
        ));

        assert_eq!(
            loaded.config.default.default_publisher_id.as_deref(),
            Some(value),
            "{written}"
        );
    }
}

#[test]
fn a_bare_reference_is_looked_for_in_its_section_then_in_default() {
    let text = "[DEFAULT]\nlist_limit = 5\nmax_db_limit = 6\n[identity]\nlist_limit = 7\n\
                default_domain_id = $list_limit-$max_db_limit\n";

    assert_eq!(file(text).config.identity.default_domain_id, "7-6");
}

#[test]
fn bad_references_say_what_to_do() {
    for (text, word) in [
        ("[identity]\ndefault_domain_id = $nosuch\n", "write $$"),
        (
            "[identity]\ndefault_domain_id = $default_domain_id\n",
            "circle",
        ),
        (
            "[identity]\ndefault_domain_id = $auth.methods\n",
            "more than one value",
        ),
        (
            "[identity]\ndefault_domain_id = ${token.expiration.x}\n",
            "no option",
        ),
        ("[DEFAULT]\nmax_db_limit = $debug\n", "whole number"),
    ] {
        let all = mistakes(text);
        assert!(
            all.len() == 1 && all[0].contains(word) && all[0].starts_with("a.conf:2: "),
            "{all:?}"
        );
    }
}

#[test]
fn references_can_not_be_made_to_grow_without_bound() {
    let names = [
        "admin_project_name",
        "admin_project_domain_name",
        "project_name_url_safe",
    ];
    let twice = |name: &str| format!("${{resource.{name}}}${{resource.{name}}}");
    let circle = format!(
        "[resource]\n{} = {}\n{} = {}\n",
        names[0],
        twice(names[1]),
        names[1],
        twice(names[0])
    );
    assert!(mistakes(&circle).iter().all(|one| one.contains("circle")));

    // Four levels of eight references each.
    let eight = |name: &str| format!("${{{name}}}").repeat(8);
    let tree = format!(
        "[resource]\nadmin_project_name = {}\nadmin_project_domain_name = {}\n[identity]\n\
         default_domain_id = {}\n[oslo_policy]\npolicy_default_rule = x\n",
        eight("admin_project_domain_name"),
        eight("identity.default_domain_id"),
        eight("oslo_policy.policy_default_rule"),
    );
    let all = mistakes(&tree);
    assert!(
        all.len() == 1 && all[0].contains("more than 256"),
        "{all:?}"
    );

    let long = format!(
        "[identity]\ndefault_domain_id = {}\n[resource]\nadmin_project_name = {}\n",
        "x".repeat(60_000),
        "$identity.default_domain_id".repeat(2)
    );
    assert!(mistakes(&long)[0].contains("65536 bytes"));
}

#[test]
fn every_mistake_is_told_at_once_with_place_value_and_what_is_allowed() {
    let all = mistakes(
        "[token]\nexpiration = soon\nprovider = uuid\n[identity]\nmax_password_length = 5000\n\
         [DEFAULT]\ndebug = maybe\n[x\n[hashing]\nqueue = 0\n",
    );

    assert_eq!(
        all,
        [
            "a.conf:8: a section has to end with ] and nothing may follow it",
            "a.conf:7: [DEFAULT] debug = \"maybe\": it has to be true or false",
            "a.conf:10: [hashing] queue = \"0\": it has to be a whole number from 1 to 1000000",
            "a.conf:5: [identity] max_password_length = \"5000\": it has to be a whole number from 1 to 4096",
            "a.conf:2: [token] expiration = \"soon\": it has to be a time in seconds, 0 or more",
            "a.conf:3: [token] provider = \"uuid\": it has to be one of fernet, jws",
        ]
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let text = "[database]\nconnection = postgresql://u:hunter2@h/d\n[security_compliance]\n\
                invalid_password_hash_secret_key = hunter2\n[resource]\nadmin_project_name = \
                $security_compliance.invalid_password_hash_secret_key\n";
    let mut loaded = file(text);

    // What a secret was put into by reference has it, of course.
    let name = loaded.config.resource.admin_project_name.take();
    assert_eq!(name.as_deref(), Some("hunter2"));
    assert!(!format!("{loaded:?}").contains("hunter2"));
    for bad in [
        "[database]\nconnection = oracle://u:hunter2@h/d\n",
        "[database]\nconnection = postgresql://u:x@hunter2@h/d\n",
        "[database]\nconnection = postgresql://u:p@h/d?hunter2\nconnection = $hunter2\n",
    ] {
        let all = mistakes(bad).join("\n").replace("$hunter2 refers", "");
        assert!(
            !all.contains("hunter2") && all.contains("[database] connection"),
            "{all}"
        );
    }
}

#[test]
fn an_unknown_option_is_a_warning_with_the_nearest_name() {
    for (text, told) in [
        (
            "[token]\nexpiraton = 1\n",
            "a.conf:2: there is no option [token] expiraton; did you mean [token] expiration?",
        ),
        (
            "[DEFAULT]\nlog-file = x\n",
            "a.conf:2: there is no option [DEFAULT] log-file; did you mean [DEFAULT] log_file?",
        ),
        (
            "[DEFAULT]\nallow_expired_window = 1\n",
            "a.conf:2: there is no option [DEFAULT] allow_expired_window; did you mean [token] allow_expired_window?",
        ),
        (
            "[default]\ndebug = 1\n",
            "a.conf:2: there is no option [default] debug; did you mean [DEFAULT] debug?",
        ),
        (
            "[databse]\nconnection = hunter2\n",
            "a.conf:2: there is no option [databse] connection; did you mean [database] connection?",
        ),
        (
            "[zzz]\nqqqqqqqq = 1\n",
            "a.conf:2: there is no option [zzz] qqqqqqqq",
        ),
    ] {
        let warnings: Vec<_> = file(text)
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(warnings, [told]);
    }
    let env = load(
        &[],
        &[
            ("OS_TOKEN__EXPIRY", "1"),
            ("OS_AUTH_URL", "x"),
            ("HOME", "/"),
        ],
        &[],
    )
    .unwrap();
    assert!(
        matches!(&env.warnings[..], [Warning::Unknown { place: Place::Environment(name), .. }] if name == "OS_TOKEN__EXPIRY")
    );
}

#[test]
fn an_unknown_flag_is_a_mistake() {
    let error = load(&[], &[], &[("token", "expiry", "1")]).unwrap_err();

    assert!(
        error
            .to_string()
            .contains("command line: there is no option [token] expiry"),
        "{error}"
    );
}

#[test]
fn options_that_keystone_makes_up_as_it_goes_are_known() {
    let loaded = file(
        "[auth]\nmethods = password,kerberos\nkerberos = x\nopenid = y\n[openid]\nremote_id_attribute = z\n",
    );

    let kinds: Vec<_> = loaded
        .warnings
        .iter()
        .map(|w| matches!(w, Warning::Note { .. }))
        .collect();
    assert_eq!(kinds, [true, false, true]);
}

#[test]
fn the_admin_token_is_ignored_with_a_warning() {
    assert_eq!(file("[DEFAULT]\nadmin_token =\n").warnings, []);
    let told = file("[DEFAULT]\nadmin_token = hunter2\n").warnings[0].to_string();
    assert!(
        told.contains("admin_token is ignored") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn an_option_without_effect_is_not_even_checked() {
    let loaded = file("[token]\ncaching = perhaps\n[ldap]\npage_size = x\n");

    assert!(loaded.config.token.caching);
    assert_eq!(loaded.without_effect.len(), 2);
}

#[test]
fn connection_parameters_are_added_to_the_url() {
    let loaded = file(
        "[database]\nconnection = postgresql://u:p@h/d\nconnection_parameters = sslmode=require\n",
    );
    let DatabaseUrl::Postgres { tls, .. } = loaded.config.database.connection else {
        panic!()
    };
    assert_eq!(tls.mode, TlsMode::Require);

    let all = mistakes(
        "[database]\nconnection = postgresql://u:p@h/d\nconnection_parameters = service=x\n",
    );
    assert!(
        all[0].starts_with("a.conf:3: [database] connection_parameters: "),
        "{all:?}"
    );
    let all = mistakes("[database]\nconnection_parameters = sslmode=require\n");
    assert!(all[0].contains("SQLite"), "{all:?}");
}

#[test]
fn rules_that_tie_options_together_are_checked() {
    for (text, word) in [
        ("[api_server]\ntls_certificate = /c\n", "tls_key is missing"),
        ("[api_server]\ntls_key = /c\n", "tls_certificate is missing"),
        ("[api_server]\nlisten =\n", "listen is empty"),
        (
            "[api_server]\nmetrics_listen = 127.0.0.1:5000\n",
            "has to differ",
        ),
        ("[identity]\npassword_hash_rounds = 3\n", "from 4 to 31"),
        (
            "[identity]\npassword_hash_algorithm = bcrypt_sha256\npassword_hash_rounds = 32\n",
            "from 4 to 31",
        ),
        ("[identity]\nlist_limit = -1\n", "0 or more"),
        ("[jwt_tokens]\njws_accepted_algorithms =\n", "is empty"),
        ("[cache_coherence]\npoll_interval = 2\n", "trust_window"),
    ] {
        let all = mistakes(text);
        assert!(all.len() == 1 && all[0].contains(word), "{text}: {all:?}");
    }
    file("[identity]\npassword_hash_rounds = 0\n");
    file("[identity]\npassword_hash_algorithm = pbkdf2_sha512\npassword_hash_rounds = 60000\n");
}

#[test]
fn settings_list_value_and_place_but_hide_what_was_made_of_a_secret() {
    let loaded = load(
        &["[token]\nexpiration = 60\n[resource]\nadmin_project_name = $cache.password\n"],
        &[("OS_DEFAULT__DEBUG", "yes")],
        &[],
    )
    .unwrap();
    let of = |title: &str| {
        loaded
            .settings
            .iter()
            .find(|s| s.meta.title() == title)
            .unwrap()
    };

    assert_eq!(of("[token] expiration").value.as_deref(), Some("60"));
    assert_eq!(of("[token] expiration").place.to_string(), "a.conf:2");
    assert_eq!(
        of("[DEFAULT] debug").place,
        Place::Environment("OS_DEFAULT__DEBUG".into())
    );
    assert_eq!(
        of("[token] allow_rescope_scoped_token").place,
        Place::Default
    );
    assert!(of("[database] connection").hidden && of("[database] connection").value.is_none());
    assert!(of("[resource] admin_project_name").hidden);
    assert!(!loaded.settings.iter().any(|s| s.meta.inert));
}

#[test]
fn files_and_directories_are_read_in_order_and_have_to_exist() {
    let root = std::env::temp_dir().join(format!("keystone-ng-config-{}", std::process::id()));
    let dir = root.join("conf.d");
    std::fs::create_dir_all(&dir).unwrap();
    for (name, seconds) in [
        ("20-b.conf", 3),
        ("10-a.conf", 2),
        (".99.conf", 9),
        ("99.bak", 9),
    ] {
        std::fs::write(dir.join(name), format!("[token]\nexpiration = {seconds}\n")).unwrap();
    }
    std::fs::write(
        root.join("keystone.conf"),
        "[token]\nexpiration = 1\n[DEFAULT]\ndebug = on\n",
    )
    .unwrap();

    let sources = Sources {
        files: vec![root.join("keystone.conf")],
        dirs: vec![dir.clone()],
        ..Sources::default()
    };
    let loaded = Config::load(&sources).unwrap();
    let absent = Sources {
        files: vec![root.join("absent.conf")],
        dirs: vec![root.join("absent.d")],
        ..Sources::default()
    };
    let error = Config::load(&absent).unwrap_err().to_string();
    std::fs::remove_dir_all(&root).unwrap();

    assert_eq!(loaded.config.token.expiration, Duration::from_secs(3));
    assert!(loaded.config.default.debug);
    assert!(
        error.contains("absent.conf") && error.contains("absent.d"),
        "{error}"
    );
}

#[test]
fn the_defaults_are_those_of_python_keystone() {
    let config = file("").config;

    assert_eq!(
        config.default.notification_opt_out.0,
        [
            "identity.authenticate.success",
            "identity.authenticate.pending"
        ]
    );
    assert_eq!(config.default.max_db_limit, 1000);
    assert_eq!(
        config.identity.password_hash_algorithm,
        PasswordHashAlgorithm::Bcrypt
    );
    assert_eq!(
        config.jwt_tokens.jws_accepted_algorithms,
        [JwsAlgorithm::Es256]
    );
    assert_eq!(config.credential.user_limit, Limit::NONE);
    assert_eq!(
        config.token.allow_expired_window,
        Duration::from_secs(172_800)
    );
    assert_eq!(
        config.database.connection,
        DatabaseUrl::Sqlite {
            path: "keystone.db".into()
        }
    );
}

#[test]
fn no_option_is_defined_twice_and_each_has_a_meaning() {
    let mut seen = std::collections::HashSet::new();
    for meta in options() {
        assert!(
            seen.insert((meta.section, meta.name)),
            "{} twice",
            meta.title()
        );
        assert!(!meta.doc.is_empty(), "{}", meta.title());
        for (section, name) in meta.deprecated_names {
            assert!(
                !options().any(|other| (other.section, other.name) == (*section, *name)),
                "{section} {name}"
            );
        }
    }
}
