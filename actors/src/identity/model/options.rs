//! Options of a user: exceptions from the rules for passwords, and multi-factor rules.

use serde::{Deserialize, Serialize};

use crate::attributes::double_option;

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $stored:literal,)+) => {
        /// The options of a user. `None`: unset.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct UserOptions {$(
            $(#[$doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $name: Option<$type>,
        )+}

        /// Changes of [`UserOptions`]: what is absent stays, `null` removes.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct UserOptionsPatch {$(
            #[doc = concat!("See [`UserOptions::", stringify!($name), "`].")]
            #[serde(deserialize_with = "double_option")]
            pub $name: Option<Option<$type>>,
        )+}

        impl UserOptions {
            /// The options after a change.
            pub fn patched(&self, patch: UserOptionsPatch) -> Self {
                Self {$(
                    $name: patch.$name.unwrap_or_else(|| self.$name.clone()),
                )+}
            }

            /// From rows of the option table: option ID, and value as JSON. Options that are not
            /// known, and values that make no sense, count as unset.
            pub fn from_rows<'a>(rows: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
                let mut options = Self::default();
                for (id, value) in rows {
                    match id {
                        $($stored => options.$name = parse(value),)+
                        _ => {}
                    }
                }
                options
            }

            /// As rows of the option table.
            pub fn to_rows(&self) -> Vec<(&'static str, String)> {
                [$(($stored, self.$name.as_ref().map(|value| serde_json::json!(value).to_string()))),+]
                    .into_iter()
                    .filter_map(|(id, value)| Some((id, value?)))
                    .collect()
            }
        }
    };
}

// With the four characters under which Keystone stores each.
options! {
    /// A password that an administrator sets need not be changed before use.
    ignore_change_password_upon_first_use: bool = "1000",
    /// Passwords don't expire.
    ignore_password_expiry: bool = "1001",
    /// Failed logins don't lock the account.
    ignore_lockout_failure_attempts: bool = "1002",
    /// The user can't change the password; an administrator can.
    lock_password: bool = "1003",
    /// Not logging in for long doesn't disable the account.
    ignore_user_inactivity: bool = "1004",
    /// `false`: the multi-factor rules are not applied.
    multi_factor_auth_enabled: bool = "MFAE",
    /// Sets of methods, each of which is enough to log in with.
    multi_factor_auth_rules: Vec<Vec<String>> = "MFAR",
}

fn parse<T: serde::de::DeserializeOwned>(value: Option<&str>) -> Option<T> {
    serde_json::from_str(value?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn options_are_stored_under_keystones_ids_as_json() {
        let options: UserOptions = from_value(json!({
            "ignore_change_password_upon_first_use": true,
            "ignore_password_expiry": false,
            "ignore_lockout_failure_attempts": true,
            "lock_password": true,
            "ignore_user_inactivity": true,
            "multi_factor_auth_enabled": false,
            "multi_factor_auth_rules": [["password", "totp"]],
        }))
        .unwrap();

        let rows = options.to_rows();

        let stored: Vec<_> = rows
            .iter()
            .map(|(id, value)| (*id, value.as_str()))
            .collect();
        assert_eq!(
            stored,
            [
                ("1000", "true"),
                ("1001", "false"),
                ("1002", "true"),
                ("1003", "true"),
                ("1004", "true"),
                ("MFAE", "false"),
                ("MFAR", r#"[["password","totp"]]"#),
            ]
        );
        let read = stored.into_iter().map(|(id, value)| (id, Some(value)));
        assert_eq!(UserOptions::from_rows(read), options);
    }

    #[test]
    fn an_option_is_merged_by_name_and_removed_by_null() {
        let options: UserOptions =
            from_value(json!({"lock_password": true, "ignore_password_expiry": true})).unwrap();
        let patch = from_value(json!({"lock_password": null, "multi_factor_auth_enabled": true}));

        let after = serde_json::to_value(options.patched(patch.unwrap())).unwrap();

        assert_eq!(
            after,
            json!({"ignore_password_expiry": true, "multi_factor_auth_enabled": true})
        );
        assert!(from_value::<UserOptionsPatch>(json!({"foo": 1})).is_err());
    }

    #[test]
    fn what_is_stored_and_makes_no_sense_is_unset() {
        let rows = [
            ("1003", Some("\"yes\"")),
            ("1001", None),
            ("9999", Some("true")),
        ];
        assert_eq!(UserOptions::from_rows(rows), UserOptions::default());
    }
}
