//! The command as a person meets it on a machine whose Neuron runtime and compilers are doubles.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use farthing::record::{Kind, Row};
use farthing_kernels::backend::neuron::stablehlo::Module;
use farthing_kernels::backend::neuron::{Target, nki, tilings};
use farthing_kernels::backend::null::Null;
use farthing_kernels::backend::worker::ServeError;
use farthing_kernels::backend::{AnyBackend, DeviceInfo, Limits, LowerError, Prepared, Probe};
use farthing_kernels::conformance;
use farthing_kernels::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
use farthing_kernels::program::Program;
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, Tiling};
use farthing_kernels::{DType, matmul};
use sha2::{Digest, Sha256};

/// A folder of its own for each test: cache, programs, results.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("programs")).expect("made");
        Machine { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing-on-fakes"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env("FARTHING_LIBNRT", library())
            .env("FARTHING_NEURONX_CC", env!("CARGO_BIN_EXE_fake-neuronx-cc"))
            .env("FARTHING_NEFF_CACHE", self.path("cache"))
            .env("FAKE_PROGRAMS", self.path("programs"))
            .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("python"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        for variable in ["NEURON_LOGICAL_NC_CONFIG", "NEURON_RT_VISIBLE_CORES", "FARTHING_NEURON_CORE"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, words: &str) -> Output {
        self.command(words).output().expect("the command starts")
    }

    /// Puts a program where the doubles of the compilers find it by the text that they get.
    fn teach(&self, text: &str, program: &Program) {
        let key: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        let json = serde_json::to_vec(program).expect("programs are data");
        std::fs::write(self.path("programs").join(format!("{key}.json")), json).expect("written");
    }

    fn teach_stablehlo(&self, program: &Program) {
        self.teach(&Module::of(program).expect("it lowers").text, program);
    }
}

fn library() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    program.parent().expect("a program lies in a folder").join(libloading::library_filename("fake_nrt"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn product(m: usize, n: usize, k: usize) -> MatmulProblem {
    let sizes = MatmulSizes { batch: 1, m, n, k, input: DType::F32, output: DType::F32, layout: Layout::Kn };
    MatmulProblem::new(sizes).expect("sound sizes")
}

/// Any tiling: the text of a problem does not depend on it.
const TILING: MatmulTiling = MatmulTiling { bm: 32, bn: 32, bk: 32, k_splits: 1 };

fn row(output: &Output) -> Row {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_str(text(&output.stdout).trim()).expect("one row")
}

#[test]
fn rows_of_a_double_are_fake_everywhere_and_price_nothing() {
    let machine = Machine::new();
    machine.teach_stablehlo(&matmul(&product(33, 17, 65), &TILING));
    let words = "run --shape 33x17x65 --backend neuron-xla --seconds 0.2 --format json --save --results results";
    std::fs::create_dir(machine.path("results")).expect("made");
    let row = row(&machine.run(words));
    assert_eq!((row.kind, row.clock.as_str()), (Kind::Fake, "device"));
    assert!(row.device.starts_with("FAKE trn2") && row.lowered.contains("neff:"), "{row:?}");
    assert!(row.warnings.iter().any(|w| w.text.contains("not yet run on Trainium hardware")), "{:?}", row.warnings);
    let run = std::fs::read_dir(machine.path("results/runs")).expect("kept").flatten().next().expect("one run");
    let kept = std::fs::read_to_string(run.path()).expect("readable");
    let header = kept.lines().next().expect("a header");
    assert!(header.contains("libnrt 2.99.0.0") && header.contains("0badc0de-FAKE"), "{header}");

    let table = machine.run("run --shape 33x17x65 --backend neuron-xla --seconds 0.2");
    assert!(text(&table.stdout).contains("FAKE: a test double"), "{}", text(&table.stdout));
    let cost = machine.run("cost --results results");
    assert!(cost.status.success() && !text(&cost.stdout).contains("neuron"), "{}", text(&cost.stdout));
}

#[test]
fn a_chart_of_a_double_says_fake() {
    let machine = Machine::new();
    machine.teach_stablehlo(&matmul(&product(32, 32, 32), &TILING));
    std::fs::create_dir(machine.path("results")).expect("made");
    let words = "run --shape 32x32x32 --backend neuron-xla --seconds 0.2 --format json --save --results results";
    row(&machine.run(words));
    let chart = machine.run("chart --results results --out chart.svg");
    let drawn = std::fs::read_to_string(machine.path("chart.svg")).unwrap_or_default();
    assert!(chart.status.success() && drawn.contains("FAKE: A TEST DOUBLE"), "{}", text(&chart.stderr));
}

#[test]
fn the_doctor_says_what_is_there_and_how_to_mend_what_is_not() {
    let machine = Machine::new();
    let well = text(&machine.run("neuron doctor").stdout);
    for part in ["libnrt 2.99.0.0", "trn2", "4 visible", "2.99.0+FAKE", "166.8 a logical core", "not yet run"] {
        assert!(well.contains(part), "`{part}` is missing from: {well}");
    }
    let without = machine.command("neuron doctor --format json").env("FARTHING_LIBNRT", "nowhere.so").output();
    let without = without.expect("the command starts");
    assert_eq!(without.status.code(), Some(1));
    let said = text(&without.stdout);
    assert!(said.contains("aws-neuronx-runtime-lib") && said.contains("\"ready\":false"), "{said}");
    assert!(text(&without.stderr).contains("not ready for a NeuronCore"));
    let stuck = machine.command("neuron doctor").env("FAKE_NRT_INIT_STATUS", "1").output().expect("it starts");
    assert!(text(&stuck.stdout).contains("nrt_init returned NRT_FAILURE (1)") && stuck.status.code() == Some(1));
    let apart = machine.command("neuron doctor").env("NEURON_RT_VIRTUAL_CORE_SIZE", "1").output().expect("it starts");
    assert!(text(&apart.stdout).contains("NEURON_RT_VIRTUAL_CORE_SIZE=1 against 2"));
    let wrong = machine.command("neuron doctor").env("NEURON_LOGICAL_NC_CONFIG", "3").output().expect("it starts");
    assert!(text(&wrong.stdout).contains("trn2 takes 1 or 2"), "{}", text(&wrong.stdout));
}

#[test]
fn without_a_runtime_both_backends_are_absent_and_no_row_comes() {
    let machine = Machine::new();
    let mut command = machine.command("run --shape 8x8x8 --backend neuron-xla --out rows.jsonl");
    let output = command.env("FARTHING_LIBNRT", "nowhere.so").output().expect("the command starts");
    assert_ne!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("libnrt.so.1 was not found"), "{}", text(&output.stderr));
    assert!(!machine.path("rows.jsonl").exists());
}

#[test]
fn a_case_that_the_compiler_refuses_is_a_failed_row_without_a_time() {
    let machine = Machine::new();
    // The double knows no such program: it fails.
    let output = machine.run("run --shape 9x9x9 --backend neuron-xla --format json");
    let row: Row = serde_json::from_str(text(&output.stdout).trim()).expect("one row");
    assert_eq!((row.median_s, row.samples_s.len()), (None, 0));
    assert!(row.reason.is_some_and(|why| why.contains("FAKE neuronx-cc")));
}

#[test]
fn the_smoke_test_runs_ten_cases_and_prints_what_to_send() {
    let machine = Machine::new();
    // Its cases follow from tilings alone; any backend with the same ones names the same programs.
    for case in conformance::smoke(&Tilings(Null::new())) {
        machine.teach_stablehlo(&case.program());
    }
    let output = machine.run("neuron smoke --backend neuron-xla");
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    for part in ["10 of 10 passed", "libnrt git: 0badc0de-FAKE", "caution: ", "please send this text", "(Fake)"] {
        assert!(said.contains(part), "`{part}` is missing from: {said}");
    }
    // What was compiled is in the cache: another folder shows the failure.
    let mut failing = machine.command("neuron smoke --backend neuron-xla");
    failing.env("FAKE_PROGRAMS", "nowhere").env("FARTHING_NEFF_CACHE", machine.path("other"));
    let failing = failing.output().expect("it starts");
    assert_eq!(failing.status.code(), Some(1));
    assert!(text(&failing.stdout).contains("0 of 10 passed") && text(&failing.stdout).contains("FAILED"));
}

#[test]
fn a_neff_of_ones_own_is_checked_and_timed() {
    let machine = Machine::new();
    let program = matmul(&product(6, 5, 4), &TILING);
    let neff = serde_json::json!({ "lnc": 2, "names": "numbered", "program": program });
    std::fs::write(machine.path("own.neff"), format!("FAKE-NEFF\n{neff}")).expect("written");
    let own = row(&machine.run("neuron run --neff own.neff --shape 6x5x4 --seconds 0.2 --format json"));
    assert_eq!((own.backend.as_str(), own.kind), ("neff", Kind::Fake));
    let other = machine.run("neuron run --neff own.neff --shape 6x5x5 --seconds 0.2 --format json");
    assert!(text(&other.stdout).contains("was compiled for another shape"), "{}", text(&other.stdout));
    let none = machine.run("neuron run --neff no.neff --shape 6x5x4");
    assert!(none.status.code() == Some(2) && text(&none.stderr).contains("there is no such file"));
}

#[test]
fn our_own_kernel_goes_through_the_double_of_nki() {
    let python = std::env::var("FARTHING_NEURON_PYTHON").unwrap_or_else(|_| "python3".into());
    let numpy = Command::new(python).args(["-c", "import numpy"]).output();
    if !numpy.is_ok_and(|output| output.status.success()) {
        println!("did not run: there is no python3 with NumPy");
        return;
    }
    let machine = Machine::new();
    let problem = product(40, 24, 16);
    let Some(Tiling::Matmul(tiling)) = tilings(&Problem::Matmul(problem.clone()), Target::Trn2).into_iter().next()
    else {
        panic!("a product has a tiling")
    };
    let program = matmul(&problem, &tiling);
    machine.teach(&nki::lower(&program, Target::Trn2).expect("it lowers").source, &program);
    let row = row(&machine.run("run --shape 40x24x16 --backend neuron --seconds 0.2 --format json"));
    assert_eq!((row.backend.as_str(), row.kind), ("neuron", Kind::Fake));
    assert!(row.lowered.starts_with("matmul/f32/nki on one physical core neff:"), "{}", row.lowered);
}

/// Offers the tilings of the vendor's route, runs nothing.
struct Tilings(Null);

impl AnyBackend for Tilings {
    fn device(&self) -> &DeviceInfo {
        AnyBackend::device(&self.0)
    }

    fn limits(&self) -> &Limits {
        AnyBackend::limits(&self.0)
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        let (rows, cols) = (Target::PARTITIONS, Target::MOVING_COLS);
        vec![match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => {
                Tiling::Matmul(MatmulTiling { bm: rows, bn: cols, bk: rows, k_splits: 1 })
            }
            Problem::Attention(_) => {
                Tiling::Attention(AttentionTiling { bq: rows, bk: cols, kv_splits: 1, lazy_peak: false })
            }
        }]
    }

    fn prepare<'a>(&'a self, program: &Program, sets: &[Vec<&[u8]>]) -> Result<Box<dyn Prepared + 'a>, LowerError> {
        self.0.prepare(program, sets)
    }

    fn probes(&self) -> Vec<Probe<'_>> {
        Vec::new()
    }

    fn serve(&self, name: &str, requests: &mut dyn BufRead, answers: &mut dyn Write) -> Result<(), ServeError> {
        self.0.serve(name, requests, answers)
    }
}
