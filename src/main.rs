//! The command `keystone-ng`.

use std::process::ExitCode;

/// Freed memory goes back sooner and threads wait less for each other than with the system's
/// allocator; `docs/PERFORMANCE.md` has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keystone_ng::cli::main()
}
