//! Access rules.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::RuleChoice;
use super::super::{AccessRule, Error, NewAccessRule};
use super::RuleRow;
use crate::db::Db;
use crate::db::schema::{access_rule, application_credential_access_rule};
use crate::identity::hold_user;
use crate::ids::UserId;
use crate::{transaction, with_conn};

/// A row to write.
#[derive(Insertable)]
#[diesel(table_name = access_rule)]
pub(super) struct NewRuleRow {
    service: Option<String>,
    path: Option<String>,
    method: Option<String>,
    external_id: String,
    user_id: String,
}

crate::insert_rows!(NewRuleRow => crate::db::schema::access_rule);

/// What is asked of the table about the rules of a new application credential.
pub(super) struct Question {
    pub ids: Vec<String>,
    pub paths: Vec<String>,
}

impl Question {
    pub fn of(wanted: &[NewAccessRule]) -> Self {
        Self {
            ids: wanted.iter().filter_map(|rule| rule.id.clone()).collect(),
            paths: wanted.iter().filter_map(|rule| rule.path.clone()).collect(),
        }
    }
}

/// What the table answered: the number of each rule's row, its owner, and the rule.
pub(super) struct Found(pub Vec<(i32, Option<String>, RuleRow)>);

impl Found {
    /// The rules that were wanted, those that there are with the numbers of their rows.
    pub fn choose(
        self,
        user: &str,
        wanted: Vec<NewAccessRule>,
    ) -> Result<(RuleChoice, HashMap<String, i32>), Error> {
        let mut numbers = HashMap::new();
        let mut known: Vec<(bool, AccessRule)> = Vec::new();
        for (number, owner, row) in self.0 {
            let own = owner.as_deref() == Some(user);
            let rule = AccessRule::from(row);
            if own {
                numbers.entry(rule.id.clone()).or_insert(number);
            }
            known.push((own, rule));
        }
        Ok((RuleChoice::of(wanted, &known)?, numbers))
    }
}

pub(super) fn new_rows(choice: &RuleChoice, user: &str) -> Vec<NewRuleRow> {
    let rows = choice.new.iter().map(|rule| NewRuleRow {
        service: rule.service.clone(),
        path: rule.path.clone(),
        method: rule.method.clone(),
        external_id: rule.id.clone(),
        user_id: user.to_owned(),
    });
    rows.collect()
}

/// The rules of a new application credential of a user whose row is held, made where there are
/// none yet, and the numbers of their rows.
macro_rules! choose {
    ($conn:expr, $user:expr, $wanted:expr) => {{
        use $crate::application_credential::store::rules::{Found, Question, new_rows};
        use $crate::db::schema::access_rule;
        let (user, wanted): (&str, &[_]) = ($user, $wanted);
        if wanted.is_empty() {
            Default::default()
        } else {
            let question = Question::of(wanted);
            // Of somebody else's only those that are named: to be refused.
            let meant =
                access_rule::external_id
                    .eq_any(question.ids.clone())
                    .or(access_rule::user_id
                        .eq(user)
                        .and(access_rule::path.eq_any(question.paths.clone())));
            let found = access_rule::table
                .filter(meant)
                .select((access_rule::id, access_rule::user_id, RuleRow::as_select()))
                .order(access_rule::id)
                .load($conn)
                .await?;
            let (choice, mut numbers) = Found(found).choose(user, wanted.to_vec())?;
            $conn.insert_rows(new_rows(&choice, user)).await?;
            let new: Vec<String> = choice.new.iter().map(|rule| rule.id.clone()).collect();
            let made: Vec<(Option<String>, i32)> = access_rule::table
                .filter(access_rule::user_id.eq(user))
                .filter(access_rule::external_id.eq_any(new))
                .select((access_rule::external_id, access_rule::id))
                .load($conn)
                .await?;
            numbers.extend(
                made.into_iter()
                    .filter_map(|(id, number)| Some((id?, number))),
            );
            let rules = choice.rules.iter();
            let chosen: Vec<i32> = rules
                .filter_map(|rule| numbers.get(&rule.id).copied())
                .collect();
            (choice, chosen)
        }
    }};
}
pub(super) use choose;

pub(in super::super) async fn list_rules(db: &Db, user: &UserId) -> Result<Vec<AccessRule>, Error> {
    with_conn!(db, |conn| {
        let rows: Vec<RuleRow> = access_rule::table
            .filter(access_rule::user_id.eq(user.as_str()))
            .select(RuleRow::as_select())
            .order(access_rule::id)
            .load(conn)
            .await?;
        Ok(rows.into_iter().map(AccessRule::from).collect())
    })
}

pub(in super::super) async fn find_rule(
    db: &Db,
    id: &str,
    user: &UserId,
) -> Result<Option<AccessRule>, Error> {
    with_conn!(db, |conn| {
        let row: Option<RuleRow> = access_rule::table
            .filter(access_rule::external_id.eq(id))
            .filter(access_rule::user_id.eq(user.as_str()))
            .select(RuleRow::as_select())
            .first(conn)
            .await
            .optional()?;
        Ok(row.map(AccessRule::from))
    })
}

/// Nothing to invalidate: what is cached of a rule is in the application credentials that it
/// restricts, and there are none.
pub(in super::super) async fn delete_rule(db: &Db, id: &str, user: &UserId) -> Result<(), Error> {
    transaction!(db, |conn| {
        // Meanwhile no application credential is restricted by it. What is left of a user who is gone
        // may be deleted as well.
        let _ = hold_user(conn, user.as_str()).await?;
        let number: Option<i32> = access_rule::table
            .filter(access_rule::external_id.eq(id))
            .filter(access_rule::user_id.eq(user.as_str()))
            .select(access_rule::id)
            .first(conn)
            .await
            .optional()?;
        let number = number.ok_or_else(|| Error::AccessRuleNotFound(id.to_owned()))?;
        // The database would drop the restriction with the rule.
        let used: Option<i32> = application_credential_access_rule::table
            .filter(application_credential_access_rule::access_rule_id.eq(number))
            .select(application_credential_access_rule::access_rule_id)
            .first(conn)
            .await
            .optional()?;
        if used.is_some() {
            return Err(Error::AccessRuleInUse);
        }
        diesel::delete(access_rule::table.find(number))
            .execute(conn)
            .await?;
        Ok(())
    })
}
