//! Python with NumPy, on which emitted NKI source runs as a test.

use std::process::Command;

use super::{Install, apply, apt_get};
use crate::command;

/// Debian's and Ubuntu's package of NumPy; it brings Python too.
const PACKAGE: &str = "python3-numpy";

/// Looks for NumPy, installs it where there is none and it may; why there is none.
pub(crate) fn numpy(install: Install) -> Result<(), String> {
    if is_there() {
        println!("NumPy: found");
        return Ok(());
    }
    let installed = match install {
        Install::Never => Err("told not to install".into()),
        Install::IfAllowed => apt_get().and_then(|apt| {
            println!("NumPy: installing {PACKAGE}");
            apply(&apt, &["install", "--yes", "--no-install-recommends", PACKAGE])
        }),
    };
    match installed {
        Ok(()) if is_there() => Ok(()),
        Ok(()) => Err(format!("{PACKAGE} is installed, and yet {} has no NumPy", python())),
        Err(why) => Err(format!("{} has no NumPy; {why}; Debian, Ubuntu: apt-get install {PACKAGE}", python())),
    }
}

fn python() -> String {
    std::env::var("FARTHING_PYTHON").unwrap_or_else(|_| "python3".into())
}

fn is_there() -> bool {
    command::says_yes(Command::new(python()).args(["-c", "import numpy"]))
}
