//! What the system says about this process.

/// Resident memory, in bytes; 0 where the system does not tell.
pub(super) fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|field| field.parse::<u64>().ok());
    pages
        .unwrap_or(0)
        .saturating_mul(rustix::param::page_size() as u64)
}

/// File descriptors in use; 0 where the system does not tell.
pub(super) fn open_files() -> u64 {
    // The directory's own is among them, and closed again.
    let entries = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    u64::try_from(entries.saturating_sub(1)).unwrap_or(u64::MAX)
}

/// File descriptors that it may have; 0 where there is no limit.
pub(super) fn most_open_files() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile)
        .current
        .unwrap_or(0)
}
