//! `farthing serve`, for as long as it is checked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// How long it may take to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server on a port of its own.
pub(super) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it on a free port, which it prints.
    pub(super) fn start(farthing: &Path) -> anyhow::Result<Server> {
        let mut command = Command::new(farthing);
        command.args(["serve", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", farthing.display()))?;
        let mut line = String::new();
        let output = child.stdout.take().expect("stdout was piped above");
        let read = BufReader::new(output).read_line(&mut line);
        let server = Server { child, address: line.trim().trim_end_matches('/').to_string() };
        read.context("cannot read what the server prints")?;
        ensure!(
            server.address.starts_with("http://127.0.0.1:"),
            "the server printed `{}`, which is no address",
            line.trim()
        );
        Ok(server)
    }

    /// Its address, without a slash at the end.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Ends it as Ctrl-C does.
    ///
    /// # Errors
    /// It does not end in time, or not well.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().context("cannot start `kill`")?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().context("cannot wait for the server")? {
                ensure!(status.success(), "the server ended with {status} after Ctrl-C");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        anyhow::bail!("the server still ran {} s after Ctrl-C", PATIENCE.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
