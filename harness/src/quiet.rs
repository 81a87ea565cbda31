//! Keeps drivers from talking where others are to be heard: on the user's terminal, and between answers.

use std::io::{self, Write};

/// Turns off Mesa's device-select layer, unless the user has decided about it: it looks for a Wayland display to choose
/// an adapter by, which is not its choice here, and complains on stderr where there is none. Called first by both entry
/// points ([`crate::cli::main`], [`crate::bench::main`]).
pub(crate) fn drivers() {
    const SWITCH: &str = "NODEVICE_SELECT";
    if std::env::var_os(SWITCH).is_none() {
        // SAFETY: the entry points call this before they start any thread, so nothing reads the environment meanwhile.
        unsafe { std::env::set_var(SWITCH, "1") };
    }
}

/// Standard output for the caller alone: what anything else in this process prints there goes to standard error.
///
/// # Errors
/// The system has no room for another file.
#[cfg(unix)]
pub(crate) fn own_stdout() -> io::Result<Box<dyn Write>> {
    use std::os::fd::AsFd;

    let own = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(Box::new(std::fs::File::from(own)))
}

/// Standard output; it cannot be taken for oneself on this system.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub(crate) fn own_stdout() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(io::stdout()))
}
