//! `cargo xtask browse`: the published site and the server, checked in a real browser.
//!
//! The browser is driven by a crate in a workspace of its own (`browse/`), built only here: it takes longer to compile than
//! everything else of the set-up.

mod axe;
mod chromium;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{cargo, stream, target_dir};
use crate::setup::Install;
use anyhow::{Context, ensure};
use server::Server;

/// Where all of it lies: pages, screenshots, axe-core.
const FOLDER: &str = "browse";

/// What is checked.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install nothing, whatever is not there
    #[arg(long)]
    no_install: bool,
    /// Open at most N pages of each part of the site, which come from one template [default: all]
    #[arg(long, value_name = "N")]
    most: Option<usize>,
}

/// Builds, publishes, serves and checks; whether all was well. Where there is no browser and none can be installed it says
/// so, and that is a failure only where FARTHING_REQUIRE names `browser`.
///
/// # Errors
/// A build fails, the site cannot be published or served, axe-core cannot be fetched.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let install = if options.no_install { Install::Never } else { Install::IfAllowed };
    let chromium = match chromium::find(install) {
        Ok(chromium) => chromium,
        Err(why) => {
            println!("browser checks did not run: {why}");
            println!("0 checks passed, 0 failed");
            return Ok(!is_required());
        }
    };
    println!("browser: {}", chromium.display());
    let folder = target_dir().join(FOLDER);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let axe = axe::fetched(&folder)?;
    let farthing = built()?;
    let [site, hostile, results] = ["site", "hostile", "hostile-results"].map(|name| folder.join(name));
    publish(&farthing, Path::new("results"), &site)?;
    let made = checks(&["hostile", "--from", "results", "--to"]).arg(&results).status();
    ensure!(made.context("cannot start the checks")?.success(), "no hostile results folder was made");
    publish(&farthing, &results, &hostile)?;
    let server = Server::start(&farthing)?;
    let mut command = checks(&["check", "--live", server.address()]);
    for (flag, path) in [
        ("--chromium", &chromium),
        ("--site", &site),
        ("--hostile", &hostile),
        ("--axe", &axe),
        ("--shots", &folder.join("shots")),
    ] {
        command.arg(flag).arg(path);
    }
    if let Some(most) = options.most {
        command.args(["--most", &most.to_string()]);
    }
    let status = stream(&mut command, |_| {})?;
    // Ended before the verdict, so that a server that does not end is told as well.
    server.end()?;
    Ok(status.success())
}

fn is_required() -> bool {
    std::env::var("FARTHING_REQUIRE").is_ok_and(|required| required.split(',').any(|word| word == "browser"))
}

/// The command, built.
fn built() -> anyhow::Result<PathBuf> {
    let status = cargo().args(["build", "--package", "farthing"]).status().context("cannot start cargo")?;
    ensure!(status.success(), "farthing does not build");
    Ok(target_dir().join("debug/farthing"))
}

fn publish(farthing: &Path, results: &Path, out: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(farthing);
    command.arg("--results").arg(results).arg("publish").arg("--out").arg(out);
    let status = command.status().with_context(|| format!("cannot start {}", farthing.display()))?;
    ensure!(status.success(), "`farthing publish` of {} failed ({status})", results.display());
    Ok(())
}

/// The crate that drives the browser, in a build folder of its own.
fn checks(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--manifest-path", "browse/Cargo.toml", "--target-dir"]);
    command.arg(target_dir().join("browse-build")).arg("--").args(arguments);
    command
}
