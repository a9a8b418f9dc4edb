//! Feeds arbitrary bytes to `keystone_actors::webauthn::fuzz_webauthn`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_actors::webauthn::fuzz_webauthn(data));
