//! A backend over the Python worker: emits StableHLO, lets XLA run it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use farthing_kernels::backend::neuron::stablehlo::{self, Form, Module};
use farthing_kernels::backend::{
    Backend, Clock, DeviceError, DeviceInfo, Elapsed, Fidelity, Limits, LowerError, Lowered, Unsupported,
};
use farthing_kernels::problem::Problem;
use farthing_kernels::program::Program;
use farthing_kernels::tile::{AttentionTiling, MatmulTiling, Tiling};
use serde_json::{Value, json};

/// The module of a program in the form under test: the plain one where there is one, or operations always.
pub(crate) fn module(program: &Program, form: Form) -> Result<Module, Unsupported> {
    match form {
        Form::Plain => Module::of(program),
        Form::Operations => Module::of_operations(program),
    }
}

/// XLA's CPU client in a child process.
pub(crate) struct Pjrt {
    form: Form,
    device: DeviceInfo,
    limits: Limits,
    process: Mutex<Process>,
}

struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

/// A compiled module.
pub(crate) struct Compiled {
    id: u64,
    module: Module,
    name: String,
    inputs: Value,
}

impl Pjrt {
    pub(crate) fn start(python: &str, form: Form) -> io::Result<Pjrt> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/pjrt_worker.py");
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let replies = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?);
        Ok(Pjrt {
            form,
            device: DeviceInfo {
                backend: "stablehlo".into(),
                device: "XLA's CPU client".into(),
                fidelity: Fidelity::Software,
                threads: None,
                details: BTreeMap::new(),
            },
            limits: Limits {
                max_buffer_bytes: None,
                exp2_error: stablehlo::EXP2_ERROR,
                function_error: stablehlo::FUNCTION_ERROR,
            },
            process: Mutex::new(Process { child, requests, replies }),
        })
    }

    fn ask(&self, header: &Value, body: &[u8]) -> Result<(Value, Vec<u8>), DeviceError> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let (reply, bytes) = process.exchange(header, body).map_err(|e| DeviceError::Lost(e.to_string()))?;
        match reply["why"].as_str() {
            None => Ok((reply, bytes)),
            Some(why) => {
                let source_text = if header["op"] == "compile" { String::from_utf8_lossy(body) } else { "".into() };
                Err(DeviceError::Compiler { log: why.into(), source_text: source_text.into_owned() })
            }
        }
    }
}

impl Process {
    fn exchange(&mut self, header: &Value, body: &[u8]) -> io::Result<(Value, Vec<u8>)> {
        let requests = self.requests.as_mut().ok_or_else(|| io::Error::other("the worker's input is closed"))?;
        writeln!(requests, "{header}")?;
        requests.write_all(body)?;
        requests.flush()?;
        let mut line = String::new();
        if self.replies.read_line(&mut line)? == 0 {
            return Err(io::Error::other(format!("the worker ended: {:?}", self.child.try_wait()?)));
        }
        let reply: Value = serde_json::from_str(&line)?;
        let mut bytes = vec![0; reply["bytes"].as_u64().unwrap_or(0) as usize];
        self.replies.read_exact(&mut bytes)?;
        Ok((reply, bytes))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input ends the worker.
        self.requests = None;
        if let Err(error) = self.child.wait() {
            eprintln!("the worker cannot be waited for: {error}");
        }
    }
}

impl Backend for Pjrt {
    type Buffer = Vec<u8>;
    type Executable = Compiled;

    fn device(&self) -> &DeviceInfo {
        &self.device
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn tilings(&self, problem: &Problem) -> Vec<Tiling> {
        vec![match problem {
            Problem::Matmul(_) | Problem::Grouped(_) => {
                Tiling::Matmul(MatmulTiling { bm: 16, bn: 32, bk: 8, k_splits: 1 })
            }
            Problem::Attention(_) => {
                Tiling::Attention(AttentionTiling { bq: 8, bk: 16, kv_splits: 1, lazy_peak: false })
            }
        }]
    }

    fn alloc(&self, bytes: usize) -> Result<Vec<u8>, DeviceError> {
        Ok(vec![0; bytes])
    }

    fn upload(&self, src: &[u8], dst: &mut Vec<u8>) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Vec<u8>, dst: &mut [u8]) -> Result<(), DeviceError> {
        dst.copy_from_slice(src);
        Ok(())
    }

    fn lower(&self, program: &Program) -> Result<Compiled, LowerError> {
        let module = module(program, self.form)?;
        let inputs = module.inputs.iter().map(|input| json!([input.dtype.to_string(), input.dims])).collect();
        let text = module.text.as_bytes();
        let (reply, _) = self.ask(&json!({ "op": "compile", "bytes": text.len() }), text)?;
        let id = reply["id"].as_u64().ok_or_else(|| DeviceError::Driver(format!("no id in {reply}")))?;
        Ok(Compiled { id, module, name: program.name().to_owned(), inputs })
    }

    fn lowered(&self, exe: &Compiled) -> Lowered {
        Lowered { name: format!("{}/{:?}", exe.name, exe.module.form), compute_limit: None }
    }

    fn run(&self, exe: &Compiled, n: u64, inputs: &[&Vec<u8>], output: &mut Vec<u8>) -> Result<Elapsed, DeviceError> {
        let start = Instant::now();
        let body: Vec<u8> = inputs.iter().flat_map(|input| input.iter().copied()).collect();
        let header = json!({ "op": "run", "id": exe.id, "inputs": exe.inputs, "bytes": body.len() });
        for _ in 0..n {
            let (_, bytes) = self.ask(&header, &body)?;
            if bytes.len() != output.len() {
                return Err(DeviceError::Driver(format!("{} bytes came, {} were due", bytes.len(), output.len())));
            }
            output.copy_from_slice(&bytes);
        }
        Ok(Elapsed { seconds: start.elapsed().as_secs_f64(), clock: Clock::HostWall })
    }

    fn generated_source<'e>(&self, exe: &'e Compiled) -> Option<&'e str> {
        Some(&exe.module.text)
    }
}
