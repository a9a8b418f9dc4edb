//! Feeds arbitrary bytes to `keystone_ng::policy::fuzz_policy`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_ng::policy::fuzz_policy(data));
