//! Feeds arbitrary bytes to `keystone_ng::passkeys::spelling::fuzz_passkey`.
#![cfg_attr(not(test), no_main)]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystone_ng::passkeys::spelling::fuzz_passkey(data));
