//! What must hold of security, a test for each rule; their names begin with the rule's number in
//! `SECURITY.md`.

mod authority;
mod delegation;
mod exchanges;
mod jwt;
mod keys;
mod logins_and_load;
mod outside;
mod secrets;
mod secrets_of_passkeys;
mod source;
mod tokens;
