//! What must hold of security, a test for each rule; their names begin with the rule's number in
//! `SECURITY.md`.

mod delegation;
mod logins_and_load;
