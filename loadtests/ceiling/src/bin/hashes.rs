//! How many passwords this machine hashes in a second, all cores at work: logins can't be faster.
//!
//!     hashes COST SECONDS [NICE]
//!
//! Prints that rate, with the crate and the cost that the server uses. NICE is how far the threads
//! stand back behind others, as those of the server do.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// Any salt: the time doesn't depend on it.
const SALT: [u8; 16] = *b"sixteen bytes...";

fn hash_until(end: Instant, cost: u32, nice: i32) -> u32 {
    if nice > 0 {
        // On Linux it holds for the calling thread alone. Where it fails, they don't stand back.
        if let Err(error) = rustix::process::nice(nice) {
            eprintln!("nice {nice}: {error}");
        }
    }
    let mut count = 0;
    while Instant::now() < end {
        std::hint::black_box(bcrypt::bcrypt(cost, SALT, b"correct horse"));
        count += 1;
    }
    count
}

fn main() -> ExitCode {
    let arguments: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let (cost, seconds, nice) = match *arguments.as_slice() {
        [cost @ 4..=31, seconds] => (cost, seconds, 0),
        [cost @ 4..=31, seconds, nice @ 0..=19] => (cost, seconds, nice.cast_signed()),
        _ => {
            eprintln!("usage: hashes COST SECONDS [NICE]");
            return ExitCode::FAILURE;
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds.into());
    let count: u32 = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| scope.spawn(move || hash_until(end, cost, nice)))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .sum()
    });
    println!("{:.3}", f64::from(count) / began.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
