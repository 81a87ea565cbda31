//! A Python with NumPy: what runs the NumPy worker and the test double of NKI.

use std::process::{Command, Stdio};

/// The first of what FARTHING_PYTHON names, `python3` and the system's own that has NumPy; why there is none.
pub(crate) fn with_numpy() -> Result<String, String> {
    let named = std::env::var("FARTHING_PYTHON").ok();
    let mut pythons = named.into_iter().chain(["python3", "/usr/bin/python3"].map(str::to_owned));
    let has_numpy = |python: &String| {
        let mut command = Command::new(python);
        let quiet = command.args(["-c", "import numpy"]).stdin(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    pythons.find(has_numpy).ok_or("no python3 with NumPy (Debian, Ubuntu: apt-get install python3-numpy)".into())
}
