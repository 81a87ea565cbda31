//! `cargo xtask`: set-up, tests and tidiness. All logic of the scripts is here: shell and CI files only call it.

mod browse;
mod command;
mod counts;
mod fuzz;
mod gpu_stats;
mod neuron;
mod setup;
mod step;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Set-up, tests and tidiness of this repository")]
enum Task {
    /// Set up, run every test and check the house rules; the last line is `N passed, N failed, N skipped`
    ///
    /// Installs Debian's mesa-vulkan-drivers where no Vulkan device is found, and python3-numpy where no Python has NumPy,
    /// if root (or sudo without a password) allows it; goes on without where not. FARTHING_REQUIRE=cpu:avx2,gpu makes the absence of what it lists a failure.
    Test(test::Options),
    /// Install a software Vulkan device and NumPy where there are none, and nothing else
    Setup(setup::Options),
    /// On a machine with Neuron chips: examine it, run the first cases and a suite, and keep the rows
    Neuron(neuron::Options),
    /// Fuzz what is read from outside (needs a nightly toolchain and cargo-fuzz), or change a million lines of it
    Fuzz(fuzz::Options),
    /// Check the published site and the server in a real browser; the last line is `N checks passed, M failed`
    ///
    /// Errors, policies, layout at two widths, sorting, the explorer, and access by axe-core. Installs Debian's chromium where
    /// none is there, if root (or sudo without a password) allows it; CHROME names another. Screenshots stay in
    /// target/browse/shots/. FARTHING_REQUIRE=browse makes the absence of a browser a failure.
    Browse(browse::Options),
    /// Compile every shader for GPUs that are not there, and print registers, spills, occupancy and the hot loop's instructions
    ///
    /// Needs `cargo xtask setup --mesa trixie`, once. The compilers' own words, listings among them, stay in target/gpu-stats/.
    GpuStats(gpu_stats::Options),
    /// Check the house rules in the sources
    Tidy {
        /// Also compile the kernels and check the assembly of the f32 register tile (about a minute)
        #[arg(long)]
        asm: bool,
    },
}

fn main() -> ExitCode {
    match run(&Task::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the task; whether all was well.
fn run(task: &Task) -> anyhow::Result<bool> {
    std::env::set_current_dir(root()).with_context(|| format!("cannot enter {}", root().display()))?;
    match task {
        Task::Test(options) => Ok(test::run(options)),
        Task::Setup(options) => Ok(setup::run(options)),
        Task::Neuron(options) => Ok(neuron::run(options)),
        Task::Fuzz(options) => fuzz::run(options),
        Task::Browse(options) => browse::run(options),
        Task::GpuStats(options) => gpu_stats::run(options),
        Task::Tidy { asm } => tidy::run(*asm),
    }
}

/// The workspace's folder. Cargo names this package's at run time, so that a copied or shared build is right too.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).join("..")
}
