//! Recorded rows as a backend: the times of a run file once more, for authors and tests that have no such device.
//!
//! Results are the oracle's, computed when they are read; a launch takes no time and reports a recorded sample. What comes
//! of it is SIMULATED: device and clock say so, and no table, axis or cost puts it beside what was measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farthing_kernels::DType;
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported,
};
use farthing_kernels::inputs::Inputs;
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::reference::{self, Rows};
use farthing_kernels::tile::Tiling;

use crate::case::Case;
use crate::record::{Row, Status};
use crate::store::{Run, run_name};

/// One backend of a recorded run, at one thread count.
#[derive(Debug)]
pub struct Replay {
    device: DeviceInfo,
    limits: Limits,
    rows: Vec<Row>,
}

impl Replay {
    /// The backends of a run, each under `replay-` and its name; one for each device and thread count.
    pub fn of(run: &Run) -> Vec<(String, Replay)> {
        let mut replays: Vec<(String, Replay)> = Vec::new();
        for row in run.rows.iter().filter(|row| row.status == Status::Ok) {
            let (name, device) = (format!("replay-{}", row.backend), format!("replay of {}", row.device));
            let same = |(known, replay): &&mut (String, Replay)| {
                *known == name && replay.device.device == device && replay.device.threads == row.threads
            };
            match replays.iter_mut().find(same) {
                Some((_, replay)) => replay.rows.push(row.clone()),
                None => replays.push((name.clone(), Replay::new(name, device, row.clone(), &run_name(&run.path)))),
            }
        }
        replays
    }

    fn new(backend: String, device: String, row: Row, run: &str) -> Replay {
        let ulp = 2.0 * DType::F32.unit_roundoff();
        Replay {
            device: DeviceInfo {
                backend,
                device,
                fidelity: Fidelity::Simulated,
                threads: row.threads,
                details: BTreeMap::from([("run".to_owned(), run.to_owned())]),
            },
            limits: Limits { max_buffer_bytes: None, exp2_error: ulp, function_error: ulp },
            rows: vec![row],
        }
    }

    /// The row of a problem; the one whose operands lay as those of a case of today, where there are several.
    fn row_of(&self, problem: &Problem) -> Option<&Row> {
        let case = Case::new(problem.clone());
        let same = |row: &&Row| {
            (row.op.as_str(), &row.shape, row.dtype, row.out_dtype, row.batch)
                == (problem.op(), &problem.to_string(), problem.dtype(), problem.output().dtype, case.batch())
                && row.layout == case.layout()
                && row.mask == case.mask().map(|m| m.to_string())
        };
        let usual = |row: &&Row| row.temperature == case.temperature();
        let rows = self.rows.iter().filter(same);
        rows.clone().find(usual).or_else(|| rows.clone().next())
    }
}

/// Bytes, or the work that gives them.
#[derive(Debug, Default)]
pub struct Memory {
    bytes: Arc<Vec<u8>>,
    pending: Option<(Problem, Vec<Arc<Vec<u8>>>)>,
}

/// A problem and what its launches took.
#[derive(Debug)]
pub struct Recorded {
    problem: Problem,
    lowered: String,
    samples_s: Vec<f64>,
    next: AtomicUsize,
}

impl Backend for Replay {
    type Buffer = Memory;
    type Executable = Recorded;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![Tiling::whole(problem)]
    }

    fn alloc(&self, bytes: usize) -> Result<Memory, DeviceError> {
        Ok(Memory { bytes: Arc::new(vec![0; bytes]), pending: None })
    }

    fn upload(&self, src: &[u8], dst: &mut Memory) -> Result<(), DeviceError> {
        *dst = Memory { bytes: Arc::new(src.to_vec()), pending: None };
        Ok(())
    }

    fn download(&self, src: &Memory, dst: &mut [u8]) -> Result<(), DeviceError> {
        let Some((problem, operands)) = &src.pending else {
            dst.copy_from_slice(&src.bytes);
            return Ok(());
        };
        let operands = operands.iter().map(|bytes| bytes.to_vec()).collect();
        let inputs = Inputs::from_bytes(problem, operands).map_err(|error| DeviceError::Driver(error.to_string()))?;
        let output = reference::rows(problem, &inputs, &Rows::All).values;
        dst.copy_from_slice(&problem.output().dtype.encode(&output));
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Recorded, LowerError> {
        let limit = format!("the cases of run {}", self.device.details["run"]);
        let unsupported = |asked| Unsupported { what: "recorded case".into(), asked, limit };
        let Some(problem) = program.problem() else {
            return Err(unsupported(format!("`{}`, which carries no problem", program.name())).into());
        };
        let Some(row) = self.row_of(problem) else {
            let asked = format!("{} {problem} {}", problem.op(), problem.dtype());
            return Err(unsupported(asked).into());
        };
        let (lowered, samples_s) = (format!("replay of {}", row.lowered), row.samples_s.clone());
        Ok(Recorded { problem: problem.clone(), lowered, samples_s, next: AtomicUsize::new(0) })
    }

    fn lowered(&self, exe: &Recorded) -> Lowered {
        // No limit was measured on a device that is not there.
        Lowered { name: exe.lowered.clone(), compute_limit: None }
    }

    fn run(&self, exe: &Recorded, n: u64, inputs: &[&Memory], output: &mut Memory) -> Result<Elapsed, DeviceError> {
        let operands = inputs.iter().map(|memory| Arc::clone(&memory.bytes)).collect();
        *output = Memory { bytes: Arc::default(), pending: Some((exe.problem.clone(), operands)) };
        let sample = exe.samples_s[exe.next.fetch_add(1, Ordering::Relaxed) % exe.samples_s.len()];
        Ok(Elapsed { seconds: sample * n as f64, clock: Clock::Simulated })
    }
}

#[cfg(test)]
mod tests;
