//! The checks, in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use farthing_kernels::backend::neuron::compile::{NeffCache, NeuronxCc};
use farthing_kernels::backend::neuron::machine::Machine;
use farthing_kernels::backend::neuron::nrt::{Missing, Runtime};
use farthing_kernels::backend::neuron::{Neuron, Route};
use farthing_kernels::backend::{AnyBackend, Clock, DeviceError, Fidelity, LowerError, Prepared};
use farthing_kernels::conformance::{self, Options};
use farthing_kernels::inputs::Inputs;
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
use farthing_kernels::program::Program;
use farthing_kernels::tile::Tiling;
use farthing_kernels::{DType, matmul};

use crate::double::{Bend, Double};

/// A check and its claim.
type Check = (&'static str, fn(&Double, &Neuron));

const CHECKS: [Check; 10] = [
    ("the double is named and recorded as what it is", the_double_is_named),
    ("a launch takes what the device's clock says", device_time),
    ("the slowest physical core is the launch", two_cores),
    ("a text is compiled once", compiled_once),
    ("a compiler that fails gives its log", compiler_fails),
    ("a compiler that hangs costs its deadline", compiler_hangs),
    ("a file that is no NEFF of this program is refused", other_files),
    ("a failing call ends the case with its name and status", failing_calls),
    ("the conformance suite passes", conformance_passes),
    ("a trace that lacks a launch gives wall time, named so, from then on", trace_fails),
];

pub(crate) fn run(folder: &Path) -> ExitCode {
    let double = Double::open(folder);
    let (mut passed, mut failed) = (0, 0);
    let mut count = |claim: &str, check: &mut dyn FnMut()| match catch_unwind(AssertUnwindSafe(check)) {
        Ok(()) => {
            passed += 1;
            println!("test {claim} ... ok");
        }
        Err(_) => {
            failed += 1;
            println!("test {claim} ... FAILED");
        }
    };
    let neuron = backend(Route::StableHlo(NeuronxCc::find().expect("the double of the compiler")));
    for (claim, check) in CHECKS {
        count(claim, &mut || check(&double, &neuron));
    }
    drop(neuron);
    count("no handle leaks, no call was out of order, and a closed runtime stays closed", &mut || closed(&double));
    println!("{passed} passed, {failed} failed, 0 skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn backend(route: Route) -> Neuron {
    let runtime = Runtime::shared().expect("the double starts");
    let machine = Machine::here(runtime.instance(), runtime.visible_cores()).expect("the double is a trn2");
    Neuron::new(runtime, machine, route, NeffCache::of_user())
}

fn problem(m: usize) -> Problem {
    let sizes = MatmulSizes { batch: 1, m, n: 5, k: 3, input: DType::F32, output: DType::F32, layout: Layout::Kn };
    Problem::Matmul(MatmulProblem::new(sizes).expect("sound sizes"))
}

/// A product of `m` rows that the double of the compiler knows.
fn known(double: &Double, neuron: &Neuron, m: usize) -> (Program, Inputs) {
    let problem = problem(m);
    let (Problem::Matmul(sizes), Some(Tiling::Matmul(tiling))) =
        (&problem, AnyBackend::tilings(neuron, &problem).pop())
    else {
        panic!("a product has a tiling of products");
    };
    let program = matmul(sizes, &tiling);
    double.teach(&program);
    (program, Inputs::exact(&problem, 1))
}

fn prepared<'n>(
    neuron: &'n Neuron,
    (program, inputs): &(Program, Inputs),
) -> Result<Box<dyn Prepared + 'n>, LowerError> {
    neuron.prepare(program, &[inputs.slices()])
}

fn the_double_is_named(_: &Double, neuron: &Neuron) {
    let device = AnyBackend::device(neuron);
    assert_eq!(device.fidelity, Fidelity::Fake);
    assert!(device.device.starts_with("FAKE trn2"), "{}", device.device);
    let detail = |name: &str| device.details.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!((detail("libnrt"), detail("lnc"), detail("core")), ("2.99.0.0", "2", "0 of 4 visible"));
    assert!(detail("compiler").contains("2.99.0+FAKE") && detail("caution").contains("not yet run on Trainium"));
}

fn device_time(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 4);
    let mut run = prepared(neuron, &case).expect("lowered");
    // More launches than one look at the trace takes.
    for n in [1, 3, 300] {
        let elapsed = run.run(n).expect("launched");
        assert_eq!(elapsed.clock, Clock::DeviceTimestamp);
        assert!((elapsed.seconds - n as f64 * 10e-6).abs() < 1e-9, "{elapsed:?}");
    }
    assert_eq!(double.calls("nrt_execute_repeat"), 0);
    let lowered = run.lowered().name;
    assert!(lowered.starts_with("matmul/f32/neuronx-cc neff:") && lowered.len() == 27 + 12, "{lowered}");
}

fn two_cores(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 4);
    let mut run = prepared(neuron, &case).expect("lowered");
    double.bend(Bend::TwoCores);
    let elapsed = run.run(2).expect("launched");
    double.bend(Bend::None);
    assert_eq!(elapsed.clock, Clock::DeviceTimestamp);
    assert!((elapsed.seconds - 24e-6).abs() < 1e-9, "{elapsed:?}");
}

fn compiled_once(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 6);
    let before = double.compilations();
    let first = prepared(neuron, &case).expect("lowered").output_of(0).expect("run");
    let second = prepared(neuron, &case).expect("lowered").output_of(0).expect("run");
    assert_eq!((double.compilations() - before, first == second), (1, true));
}

fn compiler_fails(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 7);
    for (mode, says) in [("fail", "[NCC_FAKE001] asked to fail"), ("nothing", "left no module.neff")] {
        double.compiler(mode);
        let Err(LowerError::Device(DeviceError::Compiler { log, source_text })) = prepared(neuron, &case) else {
            panic!("{mode}: a compiler's failure is the device's");
        };
        assert!(log.contains(says) && source_text.starts_with("module @matmul"), "{log}");
    }
    double.compiler("");
    assert!(prepared(neuron, &case).is_ok(), "a failure is not kept");
}

fn compiler_hangs(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 8);
    double.compiler("hang");
    let start = std::time::Instant::now();
    let error = prepared(neuron, &case).err().expect("late").to_string();
    double.compiler("");
    assert!(error.contains("ran past 5.0 s") && error.contains("hanging"), "{error}");
    assert!(start.elapsed().as_secs() < 60);
}

fn other_files(double: &Double, neuron: &Neuron) {
    let (four, five) = (known(double, neuron, 4), known(double, neuron, 5));
    let file = |name: &str, bytes: &[u8]| {
        let path = double.folder.join(name);
        std::fs::write(&path, bytes).expect("written");
        backend(Route::File(path))
    };
    let json = serde_json::to_value(&four.0).expect("programs are data");
    let neff =
        |lnc: u32| format!("FAKE-NEFF\n{}", serde_json::json!({ "lnc": lnc, "names": "named", "program": json }));
    let refused = |neuron: &Neuron, case| prepared(neuron, case).err().expect("refused").to_string();
    let own = file("own.neff", neff(2).as_bytes());
    assert!(prepared(&own, &four).expect("its own program").output_of(0).is_ok());
    assert!(refused(&own, &five).contains("was compiled for another shape"), "{}", refused(&own, &five));
    let small = file("small.neff", neff(1).as_bytes());
    assert!(refused(&small, &four).contains("nrt_load returned NRT_INVALID (2)"));
    let none = file("none.neff", b"\x7fELF");
    assert!(refused(&none, &four).contains("NRT_UNSUPPORTED_NEFF_VERSION (10)"));
    let gone = backend(Route::File(double.folder.join("gone.neff")));
    assert!(refused(&gone, &four).contains("cannot read the NEFF"));
}

fn failing_calls(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 4);
    for (call, status, says) in [
        ("nrt_load", 9, "nrt_load returned NRT_LOAD_NOT_ENOUGH_NC (9)"),
        ("nrt_get_model_tensor_info", 1, "nrt_get_model_tensor_info returned NRT_FAILURE (1)"),
        ("nrt_tensor_write", 6, "nrt_tensor_write returned NRT_HW_ERROR (6)"),
        ("nrt_tensor_allocate", 4, "out of memory"),
    ] {
        double.fail(call, status, 0);
        let error = prepared(neuron, &case).err().expect("it fails").to_string();
        double.fail(call, 0, 0);
        assert!(error.contains(says), "{error}");
    }
    let mut run = prepared(neuron, &case).expect("lowered");
    for (call, status, says) in [
        ("nrt_allocate_tensor_set", 4, "NRT_RESOURCE (4)"),
        ("nrt_add_tensor_to_tensor_set", 2, "NRT_INVALID (2)"),
        ("nrt_execute", 1004, "nrt_execute returned NRT_EXEC_COMPLETED_WITH_ERR (1004)"),
        ("nrt_tensor_read", 5, "NRT_TIMEOUT (5)"),
    ] {
        double.fail(call, status, 0);
        let error = run.output_of(0).expect_err("it fails").to_string();
        double.fail(call, 0, 0);
        assert!(error.contains(says), "{error}");
    }
    // The third launch fails: two that went well give no time.
    double.fail("nrt_execute", 1005, 2);
    assert!(run.run(5).is_err_and(|e| e.to_string().contains("NRT_EXEC_NC_BUSY")));
    double.fail("nrt_execute", 0, 0);
    assert_eq!(run.run(2).expect("well again").clock, Clock::DeviceTimestamp);
}

fn conformance_passes(double: &Double, neuron: &Neuron) {
    let options = Options { quick: true, seed: 1, ..Options::default() };
    let programs: Vec<_> = conformance::cases(neuron, &options).iter().map(|case| case.program()).collect();
    programs.iter().for_each(|program| double.teach(program));
    let report = conformance::run(neuron, &options);
    println!("{report}");
    // No target takes integers; everything else runs.
    let of_integers = |program: &&Program| program.tensors().iter().any(|tensor| tensor.dtype.is_integer());
    assert_eq!((report.n_failed(), report.n_unsupported()), (0, programs.iter().filter(of_integers).count()));
    assert!(report.n_passed() > 100);
}

fn trace_fails(double: &Double, neuron: &Neuron) {
    let case = known(double, neuron, 4);
    let mut run = prepared(neuron, &case).expect("lowered");
    double.bend(Bend::OneShort);
    assert_eq!(run.run(3).expect("launched").clock, Clock::HostWall);
    double.bend(Bend::None);
    let before = double.calls("nrt_execute_repeat");
    assert_eq!(run.run(3).expect("launched").clock, Clock::HostWall, "one case's samples share a clock");
    assert_eq!(double.calls("nrt_execute_repeat"), before + 1);
    assert_eq!(double.report()["tracing"], false);
}

fn closed(double: &Double) {
    let report = double.report();
    assert_eq!(report["phase"], "Closed");
    for what in ["models", "tensors", "sets", "infos", "buffers", "others"] {
        assert_eq!(report[what], 0, "{what} leak");
    }
    let unasked: Vec<&str> = report["violations"].as_array().into_iter().flatten().filter_map(|v| v.as_str()).collect();
    // Refusals that `other_files` asked for.
    assert_eq!(unasked, ["nrt_load returned 2", "nrt_load returned 10"]);
    assert_eq!(double.calls("nrt_init"), 1);
    assert_eq!(Runtime::shared().err(), Some(Missing::Closed));
}
