//! Feeds arbitrary bytes to `keystone_actors::token::fuzz_token`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_actors::token::fuzz_token(data));
