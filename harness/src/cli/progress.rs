//! One line on stderr that says what is running; nothing where stderr is no terminal.

use std::io::{IsTerminal, Write, stderr};

/// A line that replaces itself.
pub struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    /// Progress over this many steps.
    pub fn new(total: usize) -> Progress {
        Progress { total, shown: stderr().is_terminal() }
    }

    /// Shows step `at`, from 1; step 0 is what comes before.
    pub fn step(&self, at: usize, what: &str) {
        let count = if at == 0 { String::new() } else { format!("[{at}/{}] ", self.total) };
        self.write(&format!("\r\x1b[K{count}{what}"));
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
