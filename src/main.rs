//! The command `keystone-ng`.

use std::process::ExitCode;

/// Few threads, many short-lived bodies.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keystone_ng::cli::main()
}
