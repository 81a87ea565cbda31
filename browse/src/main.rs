//! Checks farthing's pages in a real browser: what only a browser can tell of scripts, policies, layout and access.
//!
//! ```text
//! pages ── tab: errors, requests, violations ──┬─ look    two widths, two colour schemes, axe-core, weight
//!                                              ├─ sort    a click on a column's name
//!                                              └─ what-if a field, the figures, the address, a reload
//! ```
//! `cargo xtask browse` starts it with everything it needs; the last line is `N checks passed, M failed`.

mod hostile;
mod look;
mod pages;
mod sort;
mod tab;
mod tally;
mod what_if;

use clap::{Args, Parser};
use std::path::PathBuf;
use std::process::ExitCode;
use tab::Chromium;
use tally::Tally;

#[derive(Parser)]
#[command(about = "Checks farthing's pages in a real browser")]
enum Task {
    /// Writes a results folder that is out to harm: names with tags, names of megabytes
    Hostile {
        /// Folder of runs to start from
        #[arg(long)]
        from: PathBuf,
        /// Folder to write
        #[arg(long)]
        to: PathBuf,
    },
    /// Opens every page and prints what is wrong
    Check(Inputs),
}

/// What is checked, and with what.
#[derive(Args)]
pub(crate) struct Inputs {
    /// The browser
    #[arg(long)]
    chromium: PathBuf,
    /// A published site
    #[arg(long)]
    site: PathBuf,
    /// The site of the hostile results folder
    #[arg(long)]
    hostile: PathBuf,
    /// Address of `farthing serve`, without a slash at the end
    #[arg(long)]
    live: String,
    /// axe-core's axe.min.js
    #[arg(long)]
    axe: PathBuf,
    /// Folder for screenshots
    #[arg(long)]
    shots: PathBuf,
    /// Most pages of each part of the site that are opened: pages of a part come from one template
    #[arg(long, default_value_t = usize::MAX)]
    most: usize,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Hostile { from, to } => hostile::write(&from, &to).map(|()| true),
        Task::Check(inputs) => check(&inputs),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Checks everything; whether something was checked and all of it was right.
fn check(inputs: &Inputs) -> anyhow::Result<bool> {
    let chromium = Chromium::start(&inputs.chromium)?;
    let axe = look::Axe::read(&inputs.axe)?;
    std::fs::create_dir_all(&inputs.shots)?;
    let mut tally = Tally::default();
    for (kind, page) in pages::all(inputs)? {
        let shot = inputs.shots.join(page.shot_name(kind));
        look::check(&chromium, &page, &axe, &shot, &mut tally);
    }
    let published = pages::file_address(&inputs.site)?;
    for base in [published.as_str(), &inputs.live] {
        sort::check(&chromium, base, &mut tally);
    }
    what_if::check(&chromium, &inputs.live, &mut tally);
    Ok(tally.close())
}
