//! Ctrl-C: a run stops after the launch in flight and keeps its complete rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farthing_kernels::backend::worker;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit status of a process that Ctrl-C ended: 128 + SIGINT, as shells have it.
pub const EXIT_CODE: i32 = 130;

/// How long the loop has to end by itself before the last resort.
const GRACE: Duration = Duration::from_secs(2);

/// Whether Ctrl-C was pressed.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Listens from now on. Loops see it by [`asked`]; where a launch does not come back in time, `last_resort` runs in
/// another thread, which then ends the process. A second call, or a system without signals, changes nothing.
pub fn listen(grace: Grace, last_resort: impl Fn() + Send + 'static) {
    // Without a handler Ctrl-C ends the process at once: rows are lost, nothing is left half-written under a run's name.
    let _ = ctrlc::set_handler(move || {
        ASKED.store(true, Ordering::Relaxed);
        if grace == Grace::Given {
            std::thread::sleep(GRACE);
        }
        last_resort();
        // Nothing unwinds from here on.
        worker::end_all();
        std::process::exit(EXIT_CODE);
    });
}

/// Whether loops look at [`asked`] and end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// They do.
    Given,
    /// They cannot: the last resort is the only one.
    None,
}
