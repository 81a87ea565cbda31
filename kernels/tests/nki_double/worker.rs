//! The test double as a process: requests are a line of JSON and then bytes, answers too.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use farthing_kernels::backend::neuron::nki::Kernel;
use serde_json::{Value, json};

use crate::python;

/// A running double; killed when dropped.
pub(crate) struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    n_kernels: u64,
}

impl Worker {
    /// Starts one, or says why there is none.
    pub(crate) fn start() -> Result<Worker, String> {
        let python = python::with_numpy()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nki_double/double.py");
        let mut command = Command::new(&python);
        // Products of 128 rows gain nothing from threads, which would only wait for each other.
        command.env("OPENBLAS_NUM_THREADS", "1").env("OMP_NUM_THREADS", "1");
        command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {python}: {error}"))?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let requests = requests.expect("stdin is a pipe");
        let answers = BufReader::new(answers.expect("stdout is a pipe"));
        Ok(Worker { child, requests, answers, n_kernels: 0 })
    }

    /// Takes a kernel: its number.
    pub(crate) fn load(&mut self, kernel: &Kernel) -> Result<u64, String> {
        self.n_kernels += 1;
        let id = self.n_kernels;
        self.ask(&json!({ "id": id, "name": kernel.name, "source": kernel.source }), &[]).map(|_| id)
    }

    /// Runs a kernel: its output.
    pub(crate) fn run(&mut self, id: u64, kernel: &Kernel, inputs: &[&Vec<u8>]) -> Result<Vec<u8>, String> {
        let given = kernel.inputs.iter().zip(inputs).map(|(argument, bytes)| {
            json!({ "shape": argument.shape, "dtype": argument.dtype.to_string(), "bytes": bytes.len() })
        });
        let request = json!({ "id": id, "inputs": given.collect::<Vec<Value>>() });
        self.ask(&request, inputs)
    }

    fn ask(&mut self, request: &Value, data: &[&Vec<u8>]) -> Result<Vec<u8>, String> {
        let gone = |error: std::io::Error| format!("the double is gone: {error}");
        writeln!(self.requests, "{request}").map_err(gone)?;
        for bytes in data {
            self.requests.write_all(bytes).map_err(gone)?;
        }
        self.requests.flush().map_err(gone)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(gone)?;
        let answer: Value = serde_json::from_str(&line).map_err(|error| format!("no answer: {error}: {line}"))?;
        if answer["ok"] != json!(true) {
            return Err(answer["error"].as_str().unwrap_or("no reason").to_owned());
        }
        let mut bytes = vec![0; answer["bytes"].as_u64().unwrap_or(0) as usize];
        self.answers.read_exact(&mut bytes).map_err(gone)?;
        Ok(bytes)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
