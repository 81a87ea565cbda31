//! axe-core from the npm registry, checked by its hash; it stays in the build folder and is in no commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::command::says_yes;

/// Of 2025-03: the newest of the 4.10 series.
const ADDRESS: &str = "https://registry.npmjs.org/axe-core/-/axe-core-4.10.3.tgz";
/// SHA-512 of that file, as the registry's entry states it (`dist.integrity`, in hexadecimal; read 2026-11-26).
const SHA512: &str = "5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c2\
                      1cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12";

/// The script, fetched where it is not there yet.
///
/// # Errors
/// It cannot be fetched or unpacked, or is another file than it should be.
pub(super) fn fetched(folder: &Path) -> anyhow::Result<PathBuf> {
    let script = folder.join("package/axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    let archive = folder.join("axe-core.tgz");
    run(Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--output"])
        .arg(&archive)
        .arg(ADDRESS))?;
    let sum = folder.join("axe-core.sha512");
    let file = archive.file_name().expect("a file was named above").to_string_lossy();
    std::fs::write(&sum, format!("{SHA512}  {file}\n")).with_context(|| format!("cannot write {}", sum.display()))?;
    let is_right = says_yes(Command::new("sha512sum").arg("--check").arg("axe-core.sha512").current_dir(folder));
    ensure!(is_right, "{ADDRESS} is not the file it was: its SHA-512 is another");
    run(Command::new("tar").arg("xzf").arg(&archive).arg("--directory").arg(folder).arg("package/axe.min.js"))?;
    Ok(script)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start `{program}`; is it installed?"))?;
    ensure!(status.success(), "`{program}` failed ({status}) on the way to {ADDRESS}");
    Ok(())
}
