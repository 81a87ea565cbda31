//! A double of `neuronx-cc`: checks its arguments and gives fake NEFFs.
//!
//! The program that a module stands for is looked up in the folder `FAKE_PROGRAMS` by the SHA-256 of the module's text,
//! where a test put it. Each compilation adds a line to `FAKE_NEURONX_CC_LOG`. The file `FAKE_NEURONX_CC_MODE` holds a
//! word: `fail`, `hang` (with a child of its own), `nothing` (leaves no file), or none of these.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["--version"] {
        println!("NeuronX Compiler version 2.99.0+FAKE");
        return ExitCode::SUCCESS;
    }
    match compile(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("[ERROR] FAKE neuronx-cc: {why}");
            ExitCode::from(70)
        }
    }
}

fn compile(words: &[String]) -> Result<(), String> {
    let job = Job::of(words)?;
    let text = std::fs::read_to_string(&job.input).map_err(|e| format!("{}: {e}", job.input.display()))?;
    if !text.starts_with("module @") {
        return Err("the input is no StableHLO module".into());
    }
    let key: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    note(&key)?;
    let mode = std::env::var("FAKE_NEURONX_CC_MODE").ok().and_then(|path| std::fs::read_to_string(path).ok());
    match mode.as_deref().map(str::trim) {
        Some("fail") => return Err("[NCC_FAKE001] asked to fail".into()),
        Some("hang") => {
            eprintln!("hanging");
            std::thread::sleep(Duration::from_secs(600));
        }
        Some("nothing") => return Ok(()),
        _ => {}
    }
    let programs = PathBuf::from(std::env::var_os("FAKE_PROGRAMS").ok_or("FAKE_PROGRAMS is not set")?);
    let program = std::fs::read(programs.join(format!("{key}.json"))).map_err(|e| format!("program {key}: {e}"))?;
    let program: Value = serde_json::from_slice(&program).map_err(|e| format!("program {key}: {e}"))?;
    let neff = json!({ "lnc": job.lnc, "names": "numbered", "program": program });
    std::fs::write(&job.output, format!("FAKE-NEFF\n{neff}")).map_err(|e| format!("{}: {e}", job.output.display()))
}

struct Job {
    input: PathBuf,
    output: PathBuf,
    lnc: u32,
}

impl Job {
    fn of(words: &[String]) -> Result<Job, String> {
        let [command, input, options @ ..] = words else { return Err("compile FILE --option value ...".into()) };
        if command != "compile" || options.len() % 2 != 0 {
            return Err(format!("cannot understand {words:?}"));
        }
        let option = |name: &str| options.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str());
        let known = ["--framework", "--target", "--auto-cast", "--logical-nc-config", "--output"];
        if let Some(pair) = options.chunks(2).find(|pair| !known.contains(&pair[0].as_str())) {
            return Err(format!("unknown option {}", pair[0]));
        }
        if option("--framework") != Some("XLA") || option("--auto-cast") != Some("none") {
            return Err("f32 must stay f32: --framework XLA --auto-cast none".into());
        }
        let largest = match option("--target") {
            Some("trn1" | "inf2") => 1,
            Some("trn2" | "trn3") => 2,
            other => return Err(format!("unknown target {other:?}")),
        };
        let lnc =
            option("--logical-nc-config").map_or(Ok(1), str::parse).map_err(|e| format!("logical-nc-config: {e}"))?;
        if lnc == 0 || lnc > largest {
            return Err(format!("this target has no logical core of {lnc}"));
        }
        let output = PathBuf::from(option("--output").ok_or("--output is missing")?);
        Ok(Job { input: PathBuf::from(input), output, lnc })
    }
}

/// Adds a line to the log of compilations.
fn note(key: &str) -> Result<(), String> {
    use std::io::Write;

    let Some(path) = std::env::var_os("FAKE_NEURONX_CC_LOG") else { return Ok(()) };
    let log = std::fs::OpenOptions::new().append(true).create(true).open(Path::new(&path));
    log.and_then(|mut log| writeln!(log, "{key}")).map_err(|e| format!("the log: {e}"))
}
