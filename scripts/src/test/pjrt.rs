//! `cargo xtask test --pjrt`: the StableHLO that we emit, run by XLA's CPU client from PyPI.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{self, cargo, target_dir};
use crate::step::Step;

/// XLA's CPU client as a PJRT plugin, and a client for it in Python without dependencies: both Apache-2.0. 220 MB.
const PACKAGES: [&str; 2] = ["lammps-jax-pjrt-cpu==0.11.2", "pypjrt==0.1.1"];

/// Installs the packages into a virtual environment of its own and runs the test; says why where it cannot.
pub(super) fn step(quick: bool) -> Step {
    let name = "StableHLO through PJRT";
    match python() {
        Err(why) => Step::left_out(name, &why),
        Ok(python) => {
            let command = &mut cargo();
            // The whole workspace, though one package has it: another choice of packages would be another build.
            command.args(["test", "--workspace", "--test", "pjrt", "--"]);
            if quick {
                command.arg("--quick");
            }
            Step::tests(name, command.env("FARTHING_PJRT_PYTHON", python))
        }
    }
}

/// A Python with the packages.
fn python() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("the working folder: {error}"))?;
    let environment = here.join(target_dir()).join("pjrt");
    let python = environment.join("bin").join("python3");
    let has_packages = || command::says_yes(Command::new(&python).args(["-c", "import pypjrt, lammps_jax_pjrt_cpu"]));
    if has_packages() {
        return Ok(python);
    }
    if !command::says_yes(Command::new("python3").args(["-m", "venv"]).arg(&environment)) {
        return Err("there is no python3 with venv".into());
    }
    println!("installing {} into {}", PACKAGES.join(", "), environment.display());
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]).args(PACKAGES);
    if !command::says_yes(&mut install) || !has_packages() {
        return Err(format!("pip cannot install {} here", PACKAGES.join(", ")));
    }
    Ok(python)
}
