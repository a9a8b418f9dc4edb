//! Lines on their way to a [`Sink`], which a thread of its own writes, many at a time where there
//! are many: who logs waits neither for a disk nor for others who log.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::sink::{Sink, SinkError};

/// Bytes that may wait. Who logs more waits until some are written: no line is lost.
const ROOM: usize = 1 << 20;
/// Between two writes, for lines to gather. A kill that can't be handled loses those of this time.
const PAUSE: Duration = Duration::from_millis(5);
/// How long [`Queue::flush`] waits for a write that is under way.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes lines. Clones are one.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Shared>);

struct Shared {
    sink: Sink,
    waiting: Mutex<Waiting>,
    /// There is something to write, where there was nothing.
    some: Condvar,
    /// What waited was taken, or has been written.
    taken: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_being_written: bool,
}

impl Queue {
    /// Writes into this sink for as long as the process lives.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(sink: Sink) -> io::Result<Self> {
        let queue = Self(Arc::new(Shared {
            sink,
            waiting: Mutex::default(),
            some: Condvar::new(),
            taken: Condvar::new(),
        }));
        let shared = Arc::clone(&queue.0);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.work())?;
        Ok(queue)
    }

    /// Takes a whole line, its end included.
    pub fn line(&self, line: &[u8]) {
        let mut waiting = self.0.waiting();
        while waiting.lines.len() > ROOM {
            waiting = wait(&self.0.taken, waiting);
        }
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.0.some.notify_one();
        }
    }

    /// Returns when all that was taken is written, for who is about to end the process; or after a
    /// second, when nothing can be written.
    pub fn flush(&self) {
        let waiting = self.0.waiting();
        let waited = self
            .0
            .taken
            .wait_timeout_while(waiting, PATIENCE, |waiting| waiting.is_being_written);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_being_written {
            self.0.write_out(&waiting.lines);
            waiting.lines.clear();
        }
    }

    /// Opens the file anew, as log rotation needs. What was taken before is in the old one.
    ///
    /// # Errors
    /// When it can't be opened: the old one stays in use.
    pub fn reopen(&self) -> Result<(), SinkError> {
        self.flush();
        self.0.sink.reopen()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, lines: &[u8]) {
        // There is nobody to tell that nobody can be told.
        let _ = self.sink.write(lines);
    }

    /// What the thread does.
    fn work(&self) -> ! {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.waiting();
            while waiting.lines.is_empty() {
                waiting = wait(&self.some, waiting);
            }
            std::mem::swap(&mut waiting.lines, &mut batch);
            waiting.is_being_written = true;
            drop(waiting);
            self.taken.notify_all();

            self.write_out(&batch);
            batch.clear();

            self.waiting().is_being_written = false;
            self.taken.notify_all();
            thread::sleep(PAUSE);
        }
    }
}

fn wait<'a>(until: &Condvar, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
    until.wait(waiting).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A folder of its own, and what writes into the file `log` in it.
    fn prepared(name: &str) -> (PathBuf, Queue) {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let sink = Sink::open(Some(folder.join("log")), false).unwrap();
        (folder, Queue::start(sink).unwrap())
    }

    #[test]
    fn each_line_is_written_once_and_those_of_a_thread_in_their_order() {
        let (folder, queue) = prepared("log-queue");
        // More than there is room for, so that some have to wait.
        let filling = "x".repeat(100);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (queue, filling) = (&queue, &filling);
                scope.spawn(move || {
                    for number in 0..10_000 {
                        queue.line(format!("{thread} {number} {filling}\n").as_bytes());
                    }
                });
            }
        });
        queue.flush();

        let mut next = [0; 4];
        for line in fs::read_to_string(folder.join("log")).unwrap().lines() {
            let mut parts = line.split(' ');
            let thread: usize = parts.next().unwrap().parse().unwrap();
            assert_eq!(parts.next().unwrap().parse(), Ok(next[thread]), "{thread}");
            assert_eq!(parts.next(), Some(&*filling));
            next[thread] += 1;
        }
        assert_eq!(next, [10_000; 4]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_was_taken_before_a_file_is_opened_anew_is_in_the_old_one() {
        let (folder, queue) = prepared("log-queue-reopened");
        let (path, old) = (folder.join("log"), folder.join("log.1"));

        queue.line(b"before\n");
        fs::rename(&path, &old).unwrap();
        queue.reopen().unwrap();
        queue.line(b"after\n");
        queue.flush();

        assert_eq!(fs::read_to_string(old).unwrap(), "before\n");
        assert_eq!(fs::read_to_string(path).unwrap(), "after\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
