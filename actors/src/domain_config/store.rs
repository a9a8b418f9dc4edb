//! The tables `whitelisted_config` and `sensitive_config`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{ConfigPlace, DomainSettings, Error, Options};
use crate::db::on_connection;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{config_register, sensitive_config, whitelisted_config};
use crate::db::{Db, InsertRows};
use crate::epoch::{Entity, Kind};
use crate::ids::DomainId;
use crate::{lock_by_id, transaction, with_conn};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = whitelisted_config)]
struct ShownRow {
    domain_id: String,
    group: String,
    option: String,
    value: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sensitive_config)]
struct SecretRow {
    domain_id: String,
    group: String,
    option: String,
    value: String,
}

crate::insert_rows!(
    ShownRow => crate::db::schema::whitelisted_config,
    SecretRow => crate::db::schema::sensitive_config,
);

/// A configuration, its secrets apart.
pub(super) fn of_config(config: Map<String, Value>, options: &Options) -> DomainSettings {
    let mut settings = DomainSettings::default();
    for (group, of_group) in config {
        let Value::Object(of_group) = of_group else {
            continue;
        };
        for (option, value) in of_group {
            let key = (group.clone(), option);
            if options.is_secret(&key.0, &key.1) {
                settings.secret.insert(key, value.to_string().into());
            } else {
                settings.shown.insert(key, value);
            }
        }
    }
    settings
}

fn assemble(shown: Vec<ShownRow>, secret: Vec<SecretRow>) -> DomainSettings {
    let shown = shown.into_iter().map(|row| {
        let value = serde_json::from_str(&row.value).unwrap_or(Value::Null);
        ((row.group, row.option), value)
    });
    let secret = secret
        .into_iter()
        .map(|row| ((row.group, row.option), SecretString::from(row.value)));
    DomainSettings {
        shown: shown.collect(),
        secret: secret.collect(),
    }
}

/// All that a domain has.
macro_rules! load_settings {
    ($conn:expr, $domain:expr) => {{
        let shown: Vec<ShownRow> = whitelisted_config::table
            .filter(whitelisted_config::domain_id.eq($domain.as_str()))
            .select(ShownRow::as_select())
            .load($conn)
            .await?;
        let secret: Vec<SecretRow> = sensitive_config::table
            .filter(sensitive_config::domain_id.eq($domain.as_str()))
            .select(SecretRow::as_select())
            .load($conn)
            .await?;
        assemble(shown, secret)
    }};
}

/// Writes all that a domain has in the place of what it had.
macro_rules! write_settings {
    ($conn:expr, $domain:expr, $settings:expr) => {{
        let settings: &DomainSettings = $settings;
        diesel::delete(
            whitelisted_config::table.filter(whitelisted_config::domain_id.eq($domain.as_str())),
        )
        .execute($conn)
        .await?;
        diesel::delete(
            sensitive_config::table.filter(sensitive_config::domain_id.eq($domain.as_str())),
        )
        .execute($conn)
        .await?;
        let (shown, secret) = rows($domain, settings);
        $conn.insert_rows(shown).await?;
        $conn.insert_rows(secret).await?;
    }};
}

/// Locks the domain for the rest of the transaction: one change of its configuration at a time.
macro_rules! lock_domain {
    ($conn:expr, $domain:expr) => {
        if !lock_by_id!($conn, project, $domain) {
            return Err(Error::DomainNotFound($domain.clone()));
        }
    };
}

fn rows(domain: &DomainId, settings: &DomainSettings) -> (Vec<ShownRow>, Vec<SecretRow>) {
    let shown = settings
        .shown
        .iter()
        .map(|((group, option), value)| ShownRow {
            domain_id: domain.to_string(),
            group: group.clone(),
            option: option.clone(),
            value: value.to_string(),
        });
    let secret = settings
        .secret
        .iter()
        .map(|((group, option), value)| SecretRow {
            domain_id: domain.to_string(),
            group: group.clone(),
            option: option.clone(),
            value: value.expose_secret().to_owned(),
        });
    (shown.collect(), secret.collect())
}

fn of_domain(domain: &DomainId) -> Change {
    Change::of([Entity::new(Kind::DomainConfig, domain.as_str())])
}

pub(super) async fn load(db: &Db, domain: &DomainId) -> Result<DomainSettings, Error> {
    with_conn!(db, |conn| Ok::<_, Error>(load_settings!(conn, domain)))
}

/// Whether there was nothing before, and the change.
pub(super) async fn replace(
    db: &Db,
    node: &str,
    domain: &DomainId,
    settings: &DomainSettings,
) -> Result<(bool, Change), Error> {
    transaction!(db, |conn| {
        lock_domain!(conn, domain);
        let old: DomainSettings = load_settings!(conn, domain);
        write_settings!(conn, domain, settings);
        let change = record_change(conn, node, of_domain(domain)).await?;
        Ok((old.is_empty(), change))
    })
}

pub(super) async fn update(
    db: &Db,
    node: &str,
    domain: &DomainId,
    place: &ConfigPlace,
    patch: DomainSettings,
) -> Result<(DomainSettings, Change), Error> {
    transaction!(db, |conn| {
        lock_domain!(conn, domain);
        let mut settings: DomainSettings = load_settings!(conn, domain);
        if place.group.is_some() && !settings.has(place) {
            return Err(not_found(place, domain));
        }
        for (key, value) in &patch.shown {
            settings.secret.remove(key);
            settings.shown.insert(key.clone(), value.clone());
        }
        for (key, value) in &patch.secret {
            settings.shown.remove(key);
            settings.secret.insert(key.clone(), value.clone());
        }
        write_settings!(conn, domain, &settings);
        let change = record_change(conn, node, of_domain(domain)).await?;
        Ok((settings, change))
    })
}

pub(super) async fn delete(
    db: &Db,
    node: &str,
    domain: &DomainId,
    place: &ConfigPlace,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        lock_domain!(conn, domain);
        let mut settings: DomainSettings = load_settings!(conn, domain);
        // Keystone looks for the group first.
        let group = ConfigPlace {
            option: None,
            ..place.clone()
        };
        for place in [&group, place] {
            if place.group.is_some() && !settings.has(place) {
                return Err(not_found(place, domain));
            }
        }
        settings
            .shown
            .retain(|(group, option), _| !place.contains(group, option));
        settings
            .secret
            .retain(|(group, option), _| !place.contains(group, option));
        write_settings!(conn, domain, &settings);
        Ok(record_change(conn, node, of_domain(domain)).await?)
    })
}

fn not_found(place: &ConfigPlace, domain: &DomainId) -> Error {
    Error::NotFound {
        place: place.clone(),
        domain: domain.clone(),
    }
}

on_connection! {
    /// Deletes the configuration of a domain, when the domain is deleted. Gives the entities that
    /// are not what they were.
    pub(crate) async fn delete_config_of_domain<'a>(conn, domain: &'a str) -> Vec<Entity> {
        diesel::delete(whitelisted_config::table.filter(whitelisted_config::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        diesel::delete(sensitive_config::table.filter(sensitive_config::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        diesel::delete(config_register::table.filter(config_register::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        Ok(vec![Entity::new(Kind::DomainConfig, domain)])
    }
}
