//! The run behind a bench target: begun by the first case that passes the filter, ended by the last, or by Ctrl-C.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Mode, Options, leave};
use crate::case::Case;
use crate::interrupt::{self, Grace};
use crate::limits::Limits;
use crate::machine;
use crate::measure::{Armed, Chunk, Lab, Oracle, Recorder, Subject, Watch};
use crate::record::{Row, RunHeader, Status};
use crate::report::row_tables;
use crate::session::{self, Fleet, SharedWriter, shown};
use crate::store::{Results, RunWriter, StoreError, write_index};
use crate::tunings::Tunings;

/// A run on its way.
pub(super) struct Live<'b> {
    mode: &'b Mode,
    fleet: &'b Fleet,
    suite: String,
    results: Results,
    tunings: Tunings,
    header: Option<RunHeader>,
    writer: SharedWriter,
    rows: Arc<Mutex<Vec<Row>>>,
    rates: HashMap<(String, &'static str), f64>,
    /// Cases that Criterion has visited.
    chunk: Chunk<'b, String>,
    passed: usize,
    skipped: usize,
    fatal: Option<String>,
}

impl<'b> Live<'b> {
    pub(super) fn new(mode: &'b Mode, fleet: &'b Fleet, suite: &str) -> Live<'b> {
        let here = std::env::current_dir().unwrap_or_default();
        Live {
            mode,
            fleet,
            suite: suite.to_owned(),
            results: Results::find(None, &here),
            tunings: Tunings::default(),
            header: None,
            writer: SharedWriter::default(),
            rows: Arc::default(),
            rates: HashMap::new(),
            chunk: Chunk::default(),
            passed: 0,
            skipped: 0,
            fatal: None,
        }
    }

    /// Rows kept so far.
    #[cfg(test)]
    pub(super) fn rows(&self) -> Vec<Row> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn mode(&self) -> &'b Mode {
        self.mode
    }

    /// Before the first case: the file, the limits, the header. Leaves Criterion where the file cannot be made.
    pub(super) fn begin(&mut self) {
        if self.fatal.is_some() {
            leave();
        }
        if self.header.is_some() {
            return;
        }
        let settings = BTreeMap::from([
            ("driver".to_owned(), "cargo bench".to_owned()),
            ("suite".to_owned(), self.suite.clone()),
            ("samples".to_owned(), self.mode.sample_size().to_string()),
        ]);
        let header = session::header(machine::environment(), Limits::default(), settings);
        let tunings = Tunings::read(&self.results).map(|tunings| self.tunings = tunings);
        let begun = tunings.and_then(|()| if self.mode.is_benchmark() { self.open(header) } else { Ok(header) });
        match begun {
            Ok(header) => self.header = Some(header),
            Err(error) => {
                self.fatal = Some(error.to_string());
                leave()
            }
        }
    }

    fn open(&mut self, header: RunHeader) -> Result<RunHeader, StoreError> {
        self.writer = SharedWriter::new(RunWriter::in_results(&self.results, &header.run)?);
        let (writer, rows) = (self.writer.clone(), Arc::clone(&self.rows));
        interrupt::listen(Grace::None, move || {
            let said = writer.finish_interrupted();
            print_tables(&rows.lock().unwrap_or_else(PoisonError::into_inner), &[]);
            eprintln!("{said}");
        });
        let limits = self.fleet.limits(&self.fleet.subjects());
        limits.warnings.iter().for_each(|w| eprintln!("{w}"));
        let header = RunHeader { limits: limits.measured, ..header };
        self.writer.header(&header)?;
        Ok(header)
    }

    /// Where cases of this run are checked and made into rows; none before it began.
    pub(super) fn lab<'l>(&'l self, oracle: &'l Oracle) -> Option<Lab<'l>> {
        let header = self.header.as_ref()?;
        let cold_cap_bytes = session::cold_cap_bytes(&header.environment);
        Some(Lab { header, oracle, cold_cap_bytes, tunings: self.tunings.clone() })
    }

    /// Begins to watch what else happens; nothing before the run began.
    pub(super) fn watch(&self, subject: Subject<'_>) -> Option<Watch> {
        Some(Watch::start(&[subject], &self.header.as_ref()?.environment.cpu))
    }

    /// Takes a case that Criterion has visited, to be visited again later.
    pub(super) fn revisit(&mut self, oracle: &Oracle, id: String, armed: Armed<'b>, first: Recorder, watch: Watch) {
        self.chunk.add(id, armed, first, watch);
        if self.lab(oracle).is_some_and(|lab| self.chunk.is_full(&lab)) {
            self.complete(oracle);
        }
    }

    /// Makes the visits that are left, and the rows.
    pub(super) fn complete(&mut self, oracle: &Oracle) {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.visit(&|| false, &|_, _| {});
        while let Some((id, rows)) = self.lab(oracle).and_then(|lab| chunk.finish_next(&lab)) {
            rows.into_iter().for_each(|row| self.keep(&id, row));
        }
    }

    /// Keeps a row, and says so where it has no speed.
    pub(super) fn keep(&mut self, id: &str, row: Row) {
        if row.status != Status::Ok {
            let status = format!("{:?}", row.status).to_lowercase();
            eprintln!("{id}: {status}: {}", row.reason.as_deref().unwrap_or("no reason given"));
        }
        let kept = if self.mode.is_benchmark() { self.writer.append(std::slice::from_ref(&row)) } else { Ok(()) };
        if let Err(error) = kept {
            self.fatal = Some(error.to_string());
        }
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    /// A case that is not measured, and why.
    pub(super) fn skip(&mut self, id: &str, why: &str) {
        eprintln!("{id}: skipped: {why}");
        self.skipped += 1;
    }

    /// A case that `--test` found right.
    pub(super) fn passed(&mut self, id: &str) {
        println!("{id}: ok");
        self.passed += 1;
    }

    /// Remembers what a launch took.
    pub(super) fn learn(&mut self, case: &Case, subject: Subject<'_>, seconds: f64) {
        let rate = case.problem().flops() / seconds;
        let best = self.rates.entry(class(case, subject)).or_insert(0.0);
        *best = best.max(rate);
    }

    /// Seconds of a launch at the best rate that this backend has shown on this operation.
    pub(super) fn predicted_s(&self, case: &Case, subject: Subject<'_>) -> Option<f64> {
        self.rates.get(&class(case, subject)).map(|rate| case.problem().flops() / rate)
    }

    /// Completes the file, prints the tables, and says how it went.
    pub(super) fn conclude(self, options: &Options) -> ExitCode {
        if self.mode.is_list() {
            return ExitCode::SUCCESS;
        }
        let rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let count = |status| rows.iter().filter(|r| r.status == status).count();
        let bad = [Status::Wrong, Status::Failed, Status::Refused].map(count).iter().sum::<usize>()
            + usize::from(self.fatal.is_some());
        let skipped = self.skipped + count(Status::Unsupported);
        if self.mode.is_test() {
            println!("\n{} passed, {bad} failed, {skipped} skipped", self.passed);
        } else if let Err(error) = self.publish(options, &rows) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        } else if self.mode.is_benchmark() {
            println!("\n{} measured, {bad} failed, {skipped} skipped", count(Status::Ok));
        }
        self.fatal.iter().for_each(|why| eprintln!("{why}"));
        if bad > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn publish(&self, options: &Options, rows: &[Row]) -> Result<(), StoreError> {
        let kept = self.writer.finish()?;
        let peers: Vec<String> = options.yardsticks.iter().map(|y| (*y).to_owned()).collect();
        print_tables(rows, &peers);
        let (Some(header), Some((path, n_rows))) = (&self.header, kept) else { return Ok(()) };
        write_index(&self.results)?;
        (options.after)(header, rows, &self.results);
        println!("\n{n_rows} rows kept in {}", shown(&path));
        Ok(())
    }
}

fn class(case: &Case, subject: Subject<'_>) -> (String, &'static str) {
    let threads = subject.backend.device().threads.unwrap_or(0);
    (format!("{}/{}/t{threads}", subject.name, case.problem().dtype()), case.problem().op())
}

fn print_tables(rows: &[Row], peers: &[String]) {
    for table in row_tables(rows, peers) {
        println!("\n{}", table.text());
    }
}
