//! Ctrl-C: a run ends the cases that it has in hand and keeps its rows; a second Ctrl-C ends it at once.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use farthing_kernels::backend::worker;

use crate::measure::sampler::HostClock;

/// Runs from when it was pressed.
static ASKED: OnceLock<HostClock> = OnceLock::new();

/// Exit status of a process that Ctrl-C ended: 128 + SIGINT, as shells have it.
pub const EXIT_CODE: i32 = 130;

/// How long the loop has to end by itself before the last resort: enough for the short cases of a chunk.
const GRACE: Duration = Duration::from_secs(5);

/// Whether Ctrl-C was pressed.
pub fn asked() -> bool {
    ASKED.get().is_some()
}

/// Seconds until the last resort, once Ctrl-C was pressed.
pub fn left_s() -> f64 {
    ASKED.get().map_or(f64::INFINITY, |asked| GRACE.as_secs_f64() - asked.seconds())
}

/// Listens from now on. Loops see it by [`asked`]; where they do not end in time, or Ctrl-C is pressed again, `last_resort`
/// runs in another thread, which then ends the process. A second call, or a system without signals, changes nothing.
pub fn listen(grace: Grace, last_resort: impl Fn() + Send + Sync + 'static) {
    let last_resort = Arc::new(last_resort);
    // Without a handler Ctrl-C ends the process at once: rows are lost, nothing is left half-written under a run's name.
    let _ = ctrlc::set_handler(move || {
        let is_again = ASKED.set(HostClock::start()).is_err();
        if is_again || grace == Grace::None {
            end(&*last_resort);
        }
        let last_resort = Arc::clone(&last_resort);
        std::thread::spawn(move || {
            std::thread::sleep(GRACE);
            end(&*last_resort);
        });
    });
}

fn end(last_resort: &dyn Fn()) {
    static ENDING: Mutex<()> = Mutex::new(());
    // A second Ctrl-C and the end of the grace may meet here: whoever comes later waits for the process to end.
    let _first = ENDING.lock();
    last_resort();
    // Nothing unwinds from here on.
    worker::end_all();
    std::process::exit(EXIT_CODE);
}

/// Whether loops look at [`asked`] and end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// They do.
    Given,
    /// They cannot: the last resort is the only one.
    None,
}
