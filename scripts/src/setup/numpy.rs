//! NumPy, for the worker that is tested with it and for the test double of NKI: the only things that are not Rust, and
//! nothing else needs it.

use std::process::Command;

use super::{Install, install};
use crate::command;

/// Debian's and Ubuntu's package; it serves the system's own Python.
const PACKAGE: &str = "python3-numpy";

/// Pythons in the order in which the conformance suite asks them.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// Looks for a Python with NumPy, installs it where there is none and it may; which Python has it, or why none does.
pub(crate) fn numpy(install: Install) -> Result<String, String> {
    let found = find().map_or_else(|| mend(install), Ok);
    match &found {
        Ok(python) => println!("NumPy: {python}"),
        Err(why) => println!("NumPy: {why}: the NumPy worker and emitted NKI source will not be tested"),
    }
    found
}

fn find() -> Option<String> {
    let named = std::env::var("FARTHING_PYTHON").ok();
    let mut pythons = named.into_iter().chain(PYTHONS.map(str::to_owned));
    pythons.find(|python| command::says_yes(Command::new(python).args(["-c", "import numpy"])))
}

fn mend(install: Install) -> Result<String, String> {
    let mended = match install {
        Install::Never => Err("told not to install".to_owned()),
        Install::IfAllowed => install_package(),
    };
    mended
        .map_err(|why| format!("no python3 with NumPy; {why}; install it (Debian, Ubuntu: apt-get install {PACKAGE})"))
}

fn install_package() -> Result<String, String> {
    install("NumPy", &[PACKAGE])?;
    find().ok_or_else(|| format!("{PACKAGE} is installed, and yet no python3 has it"))
}
