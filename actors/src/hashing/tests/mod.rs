//! The hashes against those that Python Keystone wrote, and the pool with work that is counted,
//! held up or broken.

mod algorithm;
mod bounds;
mod pool;
