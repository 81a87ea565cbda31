//! Chromium: named, found, or installed.

use std::path::PathBuf;
use std::process::Command;

use crate::command;
use crate::setup::{Install, install};

/// Debian's package.
const PACKAGE: &str = "chromium";
/// Names a browser.
const VARIABLE: &str = "CHROME";
/// Programs that speak the DevTools protocol, in the order in which they are asked.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser that `CHROME` names, else one on the PATH, else Debian's, installed where that is allowed.
///
/// # Errors
/// Why there is none, and what would help.
pub(super) fn find(may_install: Install) -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        let starts = command::says_yes(Command::new(&named).arg("--version"));
        return if starts { Ok(named) } else { Err(format!("{VARIABLE}={} does not start", named.display())) };
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let installed = match may_install {
        Install::Never => Err("told not to install".into()),
        Install::IfAllowed => install("browser", &[PACKAGE]),
    };
    let help = format!("install Chromium (Debian: apt-get install {PACKAGE}), or name a browser by {VARIABLE}");
    installed.map_err(|why| format!("no Chromium on the PATH; {why}; {help}"))?;
    // Ubuntu's package of that name only points to a snap, which may not be there.
    on_path().ok_or_else(|| format!("{PACKAGE} is installed, and yet none starts; {help}"))
}

fn on_path() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let paths = PROGRAMS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    paths.into_iter().find(|path| path.is_file() && command::says_yes(Command::new(path).arg("--version")))
}
