//! What follows the table of a run that was kept: the price of a token on this machine, and a chart.

use std::io::{self, Write};

use crate::cli::chart;
use crate::cli::cost::{self, CostArgs};
use crate::record::{Row, RunHeader};
use crate::session::shown;
use crate::store::Results;

/// Prints the cost table and draws the chart. Neither can spoil the run, which is kept by now.
pub fn after(header: &RunHeader, rows: &[Row], results: &Results) {
    if let Err(error) = price(header, rows) {
        eprintln!("no cost table: {error:#}");
    }
    match chart::draw(header, rows, results) {
        Ok(path) => println!("\nchart: {}", shown(&path)),
        Err(error) => eprintln!("no chart: {error}"),
    }
}

/// `farthing cost` with its defaults.
fn price(header: &RunHeader, rows: &[Row]) -> anyhow::Result<()> {
    let args = CostArgs::of_words(&[])?;
    let mut out = io::stdout().lock();
    writeln!(out)?;
    cost::run(&args, Some((&header.environment).into()), rows, &header.limits, &mut out)
}
