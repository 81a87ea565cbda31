//! Keeps drivers from talking on the user's terminal.

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
