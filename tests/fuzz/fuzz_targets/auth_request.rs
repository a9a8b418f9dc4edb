//! Feeds arbitrary bytes to `keystone_ng::auth::request::fuzz_auth_request`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_ng::auth::request::fuzz_auth_request(data));
