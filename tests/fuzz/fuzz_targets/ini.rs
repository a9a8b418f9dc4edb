//! Feeds arbitrary bytes to `keystone_ng::config::fuzz_ini`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_ng::config::fuzz_ini(data));
