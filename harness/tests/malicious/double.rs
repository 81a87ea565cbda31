//! A worker that computes with the interpreter and misbehaves when it is asked to run.

use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::process::{Command, ExitCode, Stdio};

use farthing_kernels::backend::interp::Interp;
use farthing_kernels::backend::worker::GUARD_BYTES;
use farthing_kernels::backend::{Backend, DeviceError, Elapsed};
use farthing_kernels::program::Program;
use serde_json::{Value, json};

/// What it holds.
#[derive(Default)]
struct Double {
    manner: String,
    interp: Interp,
    buffers: HashMap<u64, Vec<u8>>,
    programs: Vec<Program>,
}

/// Answers until the input ends.
pub(crate) fn speak(manner: &str) -> ExitCode {
    let mut double = Double { manner: manner.into(), ..Double::default() };
    let (mut requests, mut answers) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = String::new();
    while requests.read_line(&mut line).is_ok_and(|n| n > 0) {
        let request: Value = serde_json::from_str(&line).expect("the harness writes JSON");
        line.clear();
        let mut data = vec![0; request["bytes"].as_u64().unwrap_or(0) as usize];
        requests.read_exact(&mut data).expect("the bytes that were announced");
        let (ok, body) = double.answer(&request, data, &mut answers);
        let answer = json!({ "id": request["id"], "ok": ok, "bytes": body.len() });
        let sent = writeln!(answers, "{answer}").and_then(|()| answers.write_all(&body));
        if sent.and_then(|()| answers.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

impl Double {
    fn answer(&mut self, request: &Value, data: Vec<u8>, answers: &mut dyn Write) -> (Value, Vec<u8>) {
        let number = |name: &str| request[name].as_u64().unwrap_or(0);
        let ok = match request["do"].as_str().unwrap_or_default() {
            "hello" => json!({
                "protocol": 1, "backend": "double", "device": "a double", "fidelity": "fake", "threads": 1,
                "limits": { "max_buffer_bytes": null, "exp2_error": 1e-6, "function_error": 1e-6 }
            }),
            "tilings" => json!({ "tilings": [{ "matmul": { "bm": 8, "bn": 8, "bk": 8 } }] }),
            "lower" => {
                let program = serde_json::from_value(request["program"].clone());
                self.programs.push(program.expect("a program of the harness is valid"));
                json!({ "executable": self.programs.len() - 1, "name": "double", "compute_limit": null })
            }
            "alloc" => {
                let id = self.buffers.len() as u64;
                self.buffers.insert(id, vec![0; number("size") as usize]);
                json!({ "buffer": id })
            }
            "upload" => {
                self.buffers.insert(number("buffer"), data);
                json!({})
            }
            "download" if self.manner == "short" => return (json!({}), vec![0; 4]),
            "download" => return (json!({}), self.buffers[&number("buffer")].clone()),
            "run" => {
                self.misbehave(request, answers);
                json!(self.run(request).expect("the interpreter runs every program"))
            }
            _ => json!({}),
        };
        (ok, Vec::new())
    }

    fn run(&mut self, request: &Value) -> Result<Elapsed, DeviceError> {
        let program = &self.programs[request["executable"].as_u64().unwrap_or(0) as usize];
        let exact = |id: &Value| {
            let buffer = &self.buffers[&id.as_u64().unwrap_or(0)];
            buffer[..buffer.len() - GUARD_BYTES].to_vec()
        };
        let inputs: Vec<Vec<u8>> = request["inputs"].as_array().into_iter().flatten().map(exact).collect();
        let mut output = exact(&request["output"]);
        let launches = request["launches"].as_u64().unwrap_or(1);
        let elapsed = self.interp.run(program, launches, &inputs.iter().collect::<Vec<_>>(), &mut output)?;
        let whole = self.buffers.entry(request["output"].as_u64().unwrap_or(0)).or_default();
        whole[..output.len()].copy_from_slice(&output);
        if self.manner == "beyond" {
            whole[output.len()] = 0;
        }
        Ok(elapsed)
    }

    fn misbehave(&self, request: &Value, answers: &mut dyn Write) {
        let program = &self.programs[request["executable"].as_u64().unwrap_or(0) as usize];
        let has_13_rows = program.tensor(program.output()).n_rows() == 13;
        match self.manner.as_str() {
            "hang" => {
                let mut child =
                    Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().expect("sleep is there");
                eprintln!("started process {}", child.id());
                child.wait().expect("it sleeps longer than anyone waits");
            }
            "crash" => crash(),
            "crash-at-13" if has_13_rows => crash(),
            "flood" => while writeln!(answers, "y").is_ok() {},
            "chatter" => {
                let answer = json!({ "id": 999, "ok": {} });
                while writeln!(answers, "{answer}").is_ok() {}
            }
            _ => {}
        }
    }
}

/// Ends as a failed assertion in C does.
fn crash() {
    let id = std::process::id().to_string();
    let killed = Command::new("kill").args(["-ABRT", &id]).status();
    killed.expect("kill is there");
    loop {
        std::thread::park();
    }
}
