//! One line on stderr that says what is running and how long the rest may take; nothing where stderr is no terminal.

use std::io::{IsTerminal, Write, stderr};

use crate::measure::sampler::HostClock;

/// A line that replaces itself.
pub struct Progress {
    total: usize,
    started: HostClock,
    shown: bool,
}

impl Progress {
    /// Progress over this many steps.
    pub fn new(total: usize) -> Progress {
        Progress { total, started: HostClock::start(), shown: stderr().is_terminal() }
    }

    /// Shows step `at`, from 1; step 0 is what comes before. What goes on beyond the last one is part of it.
    pub fn step(&self, at: usize, what: &str) {
        let at = at.min(self.total);
        let count = if at == 0 { String::new() } else { format!("[{at}/{}{}] ", self.total, self.rest(at)) };
        self.write(&format!("\r\x1b[K{count}{what}"));
    }

    /// How long the rest takes if it goes on as it did; nothing before one step is done.
    fn rest(&self, at: usize) -> String {
        let (done, left) = (at.saturating_sub(1), (self.total + 1).saturating_sub(at));
        if done == 0 {
            return String::new();
        }
        let s = (self.started.seconds() / done as f64 * left as f64) as u64;
        format!(", {}:{:02} left", s / 60, s % 60)
    }

    /// Takes the line away, before anything else is printed.
    pub fn clear(&self) {
        self.write("\r\x1b[K");
    }

    fn write(&self, text: &str) {
        if self.shown {
            // A terminal that has gone is no reason to stop measuring.
            let _ = stderr().write_all(text.as_bytes()).and_then(|()| stderr().flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_rest_is_what_it_took_so_far_for_each_step() {
        let progress = Progress::new(3);
        assert_eq!(progress.rest(1), "", "nothing is known yet");
        assert_eq!(progress.rest(4), ", 0:00 left", "nothing is left");
        assert!(progress.rest(2).ends_with(" left"));
        assert_eq!(Progress::new(0).rest(0), "");
    }
}
