//! The conformance suite tests itself: backends that are wrong in the ways real ones are, each of which it must catch
//! and describe.

use std::sync::Mutex;

use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered,
};
use farthing_kernels::conformance::{self, Options, Outcome};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::{Draft, Op, Program};
use farthing_kernels::tile::Tiling;

/// What is wrong with a [`Liar`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// Nothing: the wrapper itself changes no result.
    None,
    /// Every output is zero.
    Zeros,
    /// The last element is a NaN.
    Nan,
    /// Nothing is written.
    Skips,
    /// The first result, whatever the inputs.
    Replays,
    /// The last column is not written.
    LastColumn,
    /// The last column holds its left neighbour.
    ShiftedColumn,
    /// Masks are not applied.
    NoMask,
    /// Loops stop one step early.
    LastStep,
    /// A launch overwrites its first input.
    Overwrites,
    /// The largest element is off by a little.
    OffByALittle,
    /// Panics.
    Panics,
    /// The device fails.
    Fails,
}

struct Liar {
    lie: Lie,
    interp: Interp,
    device: DeviceInfo,
    // The first result of the program lowered last.
    first: Mutex<Option<Vec<u8>>>,
}

fn liar(lie: Lie) -> Liar {
    let interp = Interp::new();
    let device = DeviceInfo { backend: "liar".into(), fidelity: Fidelity::Fake, ..Backend::device(&interp).clone() };
    Liar { lie, interp, device, first: Mutex::default() }
}

/// The program with its loops and bands changed.
fn rewritten(program: &Program, change: fn(&mut Op)) -> Program {
    fn all(ops: &mut [Op], change: fn(&mut Op)) {
        for op in ops {
            change(op);
            if let Op::Loop { body, .. } = op {
                all(body, change);
            }
        }
    }
    let mut draft = Draft::from(program.clone());
    draft.stages.iter_mut().for_each(|stage| all(&mut stage.body, change));
    Program::try_from(draft).expect("still a valid program")
}

impl Liar {
    /// What comes after a right launch.
    fn spoil(&self, exe: &Program, output: &mut [u8], before: &[u8]) {
        let tensor = exe.tensor(exe.output());
        let size = tensor.dtype.size_bytes();
        let last = output.len() - size;
        let row = tensor.cols * size;
        match self.lie {
            Lie::Zeros => output.fill(0),
            Lie::Nan => output[last..].fill(0xff),
            Lie::LastColumn => {
                for (row, before) in output.chunks_exact_mut(row).zip(before.chunks_exact(row)) {
                    row[(tensor.cols - 1) * size..].copy_from_slice(&before[(tensor.cols - 1) * size..]);
                }
            }
            Lie::ShiftedColumn if tensor.cols > 1 => {
                output
                    .chunks_exact_mut(row)
                    .for_each(|row| row.copy_within((tensor.cols - 2) * size..row.len() - size, row.len() - size));
            }
            Lie::OffByALittle => {
                let mut values = tensor.dtype.decode(output);
                let largest = (0..values.len()).max_by(|i, j| values[*i].abs().total_cmp(&values[*j].abs()));
                let at = largest.expect("an output has elements");
                // 64 roundings of the inputs' type, which weights are rounded to; of f32 enough for every sum here.
                let rounding = exe.tensors().iter().map(|t| t.dtype.unit_roundoff()).fold(1.0e-5, f64::max);
                values[at] *= 1.0 + 64.0 * rounding;
                output.copy_from_slice(&tensor.dtype.encode(&values));
            }
            _ => {}
        }
    }
}

impl Backend for Liar {
    type Buffer = Mutex<Vec<u8>>;
    type Executable = Program;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        Backend::limits(&self.interp)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        Backend::tilings(&self.interp, problem)
    }

    fn alloc(&self, bytes: usize) -> Result<Mutex<Vec<u8>>, DeviceError> {
        Ok(Mutex::new(vec![0; bytes]))
    }

    fn upload(&self, src: &[u8], dst: &mut Mutex<Vec<u8>>) -> Result<(), DeviceError> {
        dst.get_mut().expect("no thread panicked").copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Mutex<Vec<u8>>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(&src.lock().expect("no thread panicked"));
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Program, LowerError> {
        *self.first.lock().expect("no thread panicked") = None;
        Ok(match self.lie {
            Lie::NoMask => rewritten(program, |op| {
                if let Op::Band { low, high, .. } = op {
                    (*low, *high) = (None, None);
                }
            }),
            Lie::LastStep => rewritten(program, |op| {
                if let Op::Loop { high, .. } = op {
                    high.iter_mut().for_each(|bound| bound.index = bound.index + -bound.divisor);
                }
            }),
            _ => program.clone(),
        })
    }

    fn lowered(&self, exe: &Program) -> Lowered {
        Lowered { name: format!("{}/liar", exe.name()), compute_limit: None }
    }

    fn run(
        &self,
        exe: &Program,
        n: u64,
        inputs: &[&Self::Buffer],
        output: &mut Self::Buffer,
    ) -> Result<Elapsed, DeviceError> {
        let given: Vec<Vec<u8>> =
            inputs.iter().map(|buffer| buffer.lock().expect("no thread panicked").clone()).collect();
        let output = output.get_mut().expect("no thread panicked");
        let before = output.clone();
        let first = self.first.lock().expect("no thread panicked").clone();
        match (self.lie, first) {
            (Lie::Panics, _) => panic!("index out of bounds"),
            (Lie::Fails, _) => return Err(DeviceError::Lost("the driver reset it".into())),
            (Lie::Skips, _) => {}
            (Lie::Replays, Some(kept)) => output.copy_from_slice(&kept),
            _ => {
                Backend::run(&self.interp, exe, n, &given.iter().collect::<Vec<_>>(), output)?;
                *self.first.lock().expect("no thread panicked") = Some(output.clone());
                self.spoil(exe, output, &before);
            }
        }
        if self.lie == Lie::Overwrites && n > 0 {
            inputs[0].lock().expect("no thread panicked").rotate_left(4);
        }
        Ok(Elapsed { seconds: 0.0, clock: Clock::Simulated })
    }
}

/// Threads that wait at a time.
const WAITING: usize = 16;

fn report(lie: Lie, filter: &[&str]) -> conformance::Report {
    let filter = filter.iter().map(|word| (*word).to_owned()).collect();
    let options = Options { quick: true, filter, skip: vec![], seed: 7 };
    let cases = conformance::cases(&liar(lie), &options);
    // What is wrong is read again after a while, and that is nearly all that these tests do: they wait side by side.
    let run = |cases: &[conformance::Case]| conformance::run_cases(&liar(lie), cases, options.seed);
    std::thread::scope(|scope| {
        let chunks = cases.chunks(cases.len().div_ceil(WAITING).max(1));
        let threads: Vec<_> = chunks.map(|cases| scope.spawn(move || run(cases))).collect();
        let mut report = run(&[]);
        for thread in threads {
            report.outcomes.extend(thread.join().expect("panics of a case are caught").outcomes);
        }
        report
    })
}

/// Every case that the words select is caught, with a report that says so.
fn all_caught(lie: Lie, filter: &[&str], says: &str) {
    let report = report(lie, filter);
    let shown = report.to_string();
    assert!(report.n_failed() > 0, "{lie:?}: no case ran");
    let passed: Vec<&String> =
        report.outcomes.iter().filter(|(_, o)| matches!(o, Outcome::Ok { .. })).map(|(name, _)| name).collect();
    assert!(passed.is_empty(), "{lie:?} passes as {passed:?}");
    assert!(shown.contains(says), "{lie:?}: `{says}` is not in\n{shown}");
}

const PRODUCTS: [&str; 2] = ["matmul/1x11x29x19", "matmul/3x11x29x19"];
const BOTH: [&str; 3] = ["matmul/1x11x29x19", "attention/1x4x2x7x11", "unheard"];

#[test]
fn the_wrapper_itself_changes_nothing() {
    let report = report(Lie::None, &BOTH);
    assert_eq!((report.n_failed(), report.n_unsupported()), (0, 0), "{report}");
    assert!(report.n_passed() > 40);
}

#[test]
fn results_that_are_no_results_are_caught() {
    all_caught(Lie::Zeros, &BOTH, "first set: every element is 0; c[batch 0, ");
    all_caught(Lie::Nan, &BOTH, "1 NaN in the whole output");
    all_caught(Lie::Skips, &BOTH, "got NaN");
    all_caught(Lie::LastColumn, &BOTH, "NaN in the whole output");
}

#[test]
fn results_of_other_inputs_are_caught() {
    all_caught(Lie::Replays, &BOTH, "second set: ");
    all_caught(Lie::Overwrites, &PRODUCTS, "after three launches in a row: ");
}

#[test]
fn neighbours_steps_and_little_errors_are_caught() {
    all_caught(Lie::ShiftedColumn, &["matmul/1x11x29x19", "attention/1x4x2x7x11", "silu", "soft_capped"], "col 28]");
    all_caught(Lie::LastStep, &BOTH, "out[batch 0, head ");
    all_caught(Lie::OffByALittle, &BOTH, "1 of 319 checked elements wrong");
}

#[test]
fn a_mask_that_is_not_applied_is_caught() {
    all_caught(Lie::NoMask, &["9x9x8/causal", "10x10x8/window", "soft_capped_attention/13x21"], "✗");
}

#[test]
fn panics_and_failures_lose_their_case_only() {
    std::panic::set_hook(Box::new(|_| {})); // The backend's panics are expected and caught; others still fail tests.
    all_caught(Lie::Panics, &PRODUCTS, "FAILED matmul/1x11x29x19/kn/f32-f32/tile_5x7x3: panicked: index out of bounds");
    let _ = std::panic::take_hook();
    all_caught(Lie::Fails, &PRODUCTS, "device lost: the driver reset it");
}
