//! A run on its way: cell by cell, rows kept as they come.

use std::io::Write;

use super::super::{CliError, Format, Progress};
use super::keep::Kept;
use super::{Cell, Plan, RunArgs};
use crate::interrupt;
use crate::measure::sampler::{Budget, HostClock, LEAST_VISITS};
use crate::measure::{Chunk, Lab, Oracle};
use crate::record::{Row, Status};
use crate::report::{Flat, against_best, row_tables};
use crate::session::{self, shown};
use crate::store::{Results, write_index};
use crate::tunings::Tunings;

/// Least seconds of a subject under `--budget`: six visits of a sample or two, of a launch that is far below a millisecond.
const LEAST_S: f64 = 0.05;

pub(super) struct Session<'s> {
    pub(super) args: &'s RunArgs,
    pub(super) kept: &'s Kept,
    /// Whom the others take turns with.
    pub(super) peers: Vec<String>,
    pub(super) progress: Progress,
    pub(super) rows: Vec<Row>,
    /// Cells that are done.
    pub(super) done: usize,
    pub(super) out: &'s mut dyn Write,
    pub(super) started: HostClock,
    pub(super) tunings: Tunings,
}

/// How the loop over cells ended.
pub(super) enum Ended {
    Complete,
    Interrupted,
}

impl Session<'_> {
    pub(super) fn measure(&mut self, plan: &Plan<'_>) -> Result<Ended, CliError> {
        let oracle = Oracle::new();
        let header = &self.kept.header;
        let cold_cap_bytes = session::cold_cap_bytes(&header.environment);
        let lab = Lab { header, oracle: &oracle, cold_cap_bytes, tunings: self.tunings.clone() };
        let mut chunk = Chunk::default();
        for cell in &plan.cells {
            if interrupt::asked() {
                break;
            }
            let name = cell.ids().join(" vs ");
            self.step(&name, chunk.visits());
            let cell = self.rest(&lab, cell)?;
            if cell.group.is_empty() {
                self.done += 1;
            } else {
                // Those that are armed have their time before them too.
                let left = plan.cells.len() - self.done;
                let budget = Budget { total_s: self.seconds(left, cell.group.len()), ..Budget::default() };
                chunk.begin(name, &lab, &cell.case, (&cell.group, budget), &interrupt::asked);
            }
            if chunk.is_full(&lab) {
                self.complete(&lab, &mut chunk)?;
            }
        }
        self.complete(&lab, &mut chunk)?;
        Ok(if interrupt::asked() { Ended::Interrupted } else { Ended::Complete })
    }

    /// Visits the cases that are armed until each is done, and keeps their rows; after Ctrl-C those of short launches, each
    /// with fewer samples.
    fn complete(&mut self, lab: &Lab<'_>, chunk: &mut Chunk<'_, String>) -> Result<(), CliError> {
        chunk.visit(&interrupt::asked, &|name, visits| self.step(name, visits));
        if interrupt::asked() && chunk.cases() > 0 {
            self.progress.clear();
            eprintln!(
                "farthing: of {} cases in hand the short ones are finished; Ctrl-C again ends at once",
                chunk.cases()
            );
        }
        while let Some((_, rows)) = match interrupt::asked() {
            true => chunk.finish_soonest(lab, interrupt::left_s()),
            false => chunk.finish_next(lab),
        } {
            self.done += 1;
            // Together: of backends that took turns none is kept without the others.
            self.kept.writer.append(&rows)?;
            self.show(&rows)?;
        }
        Ok(())
    }

    /// What of a cell was not measured before; rows that were are taken as they are.
    fn rest<'f>(&mut self, lab: &Lab<'_>, cell: &Cell<'f>) -> Result<Cell<'f>, CliError> {
        let mut rest = Cell { case: cell.case.clone(), group: Vec::new() };
        for subject in &cell.group {
            let known = if self.kept.earlier.is_empty() { None } else { lab.key(&cell.case, *subject).ok() };
            let id = cell.case.id(subject.name, subject.backend.device().threads);
            let row = self.kept.earlier.iter().find(|row| match &known {
                Some(key) => row.key.as_ref() == Some(key),
                // What no program could be made of ended before it had a key.
                None => row.case_id() == id && row.device == subject.backend.device().device,
            });
            match row.cloned() {
                Some(row) => self.show(&[row])?,
                None => rest.group.push(*subject),
            }
        }
        Ok(rest)
    }

    /// Shows the next visit, after those of the cells that are done and of those that are armed.
    fn step(&self, name: &str, visits: usize) {
        self.progress.step(self.done * LEAST_VISITS + visits + 1, name);
    }

    /// Most seconds for each subject of a cell: what is left of the budget, shared among what is left to do.
    fn seconds(&self, left: usize, subjects: usize) -> f64 {
        let Some(budget) = self.args.budget else { return self.args.seconds };
        let rest_s = budget.as_secs_f64() - self.started.seconds();
        (rest_s / (left * subjects) as f64).clamp(LEAST_S.min(self.args.seconds), self.args.seconds)
    }

    fn show(&mut self, rows: &[Row]) -> Result<(), CliError> {
        if self.args.format == Format::Json {
            self.progress.clear();
            for row in rows {
                let text = serde_json::to_string(row).map_err(std::io::Error::from)?;
                writeln!(self.out, "{text}")?;
            }
            self.out.flush()?;
        }
        self.rows.extend_from_slice(rows);
        Ok(())
    }

    /// Completes the file, prints the rows, and says how it went.
    pub(super) fn conclude(self, outcome: Result<Ended, CliError>, results: &Results) -> Result<(), CliError> {
        self.progress.clear();
        let kept = match outcome {
            Ok(Ended::Interrupted) => {
                let said = self.kept.writer.finish_interrupted();
                self.print()?;
                return Err(CliError::Interrupted(said));
            }
            Ok(Ended::Complete) => self.kept.writer.finish()?,
            // Rows that are complete stay, whatever happened afterwards.
            Err(error) => {
                self.kept.writer.finish()?;
                return Err(error);
            }
        };
        if let Some((path, n_rows)) = kept {
            eprintln!("farthing: {n_rows} rows kept in {}", shown(&path));
            if self.args.out.is_none() {
                write_index(results)?;
            }
        }
        let verdict = verdict(&self.rows);
        self.print()?;
        verdict
    }

    fn print(self) -> Result<(), CliError> {
        // Each peer that was named has a column; all of them would leave no room for anything else.
        let columns = if self.args.vs_all() { &[] } else { &self.peers[..] };
        let mut tables = row_tables(&self.rows, columns);
        if self.peers.len() > 1 || self.args.vs_all() {
            tables.push(against_best(&self.rows, &self.peers));
        }
        let text: Vec<String> = match self.args.format {
            Format::Json => return Ok(()),
            Format::Csv => vec![Flat::of_rows(&self.rows).csv()],
            Format::Table => tables.iter().map(|t| t.text()).collect(),
            Format::Md => tables.iter().map(|t| t.markdown()).collect(),
        };
        self.out.write_all(text.join("\n").as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// A wrong, failed or refused row fails the command, and so does a run in which nothing could be measured.
fn verdict(rows: &[Row]) -> Result<(), CliError> {
    let count = |status| rows.iter().filter(|r| r.status == status).count();
    let (ok, wrong, failed) = (count(Status::Ok), count(Status::Wrong), count(Status::Failed));
    let refused = count(Status::Refused);
    let first = rows.iter().find(|r| r.status != Status::Ok).and_then(|r| r.reason.as_deref()).unwrap_or_default();
    if wrong + failed + refused > 0 {
        let n = rows.len();
        return Err(CliError::Failed(format!(
            "{wrong} wrong, {failed} failed and {refused} refused of {n} rows; first: {first}"
        )));
    }
    if ok == 0 && !rows.is_empty() {
        return Err(CliError::Failed(format!("nothing could be measured: {first}")));
    }
    Ok(())
}
