//! The NKI compiler, which is a Python package: kernel source to a NEFF.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{CompilerMissing, Neff, NeffCache, VERSION_DEADLINE, child, deadline, find, refused};
use crate::backend::DeviceError;
use crate::backend::neuron::machine::Machine;
use crate::backend::neuron::nki::{Argument, Kernel};

const NAME: &str = "nki";
/// Variable that names the Python which has it.
const VARIABLE: &str = "FARTHING_NEURON_PYTHON";
/// What runs in that Python.
const DRIVER: &str = include_str!("nki.py");

/// A Python with NKI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NkiCompiler {
    python: PathBuf,
    version: String,
}

impl NkiCompiler {
    /// Finds it and asks its version.
    ///
    /// # Errors
    /// There is no Python, or none with NKI.
    pub fn find() -> Result<NkiCompiler, CompilerMissing> {
        let missing = |looked: String| CompilerMissing::NotFound {
            name: NAME,
            looked,
            remedy: "activate a Neuron virtual environment, or `pip install nki` from pip.repos.neuron.amazonaws.com and \
                     name its Python in FARTHING_NEURON_PYTHON",
        };
        let python = find(VARIABLE, "python3").map_err(missing)?;
        let question = "import nki, numpy; print(nki.__version__)";
        let asked = child::run(Command::new(&python).args(["-c", question]), VERSION_DEADLINE);
        let finished = asked.map_err(|error| {
            // Of a traceback the last line says what is wrong.
            let said = error.to_string();
            missing(format!("{}: {}", python.display(), said.lines().last().unwrap_or_default()))
        })?;
        let version = finished.log.lines().last().unwrap_or_default().trim().to_owned();
        if version.is_empty() {
            let place = python.display().to_string();
            return Err(CompilerMissing::NoVersion { name: NAME, place, why: "it printed nothing".into() });
        }
        Ok(NkiCompiler { python, version })
    }

    /// The Python.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Version of the package.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Compiles a kernel, or takes what an earlier compilation of the same gave.
    ///
    /// # Errors
    /// The compiler fails, is late, or leaves no file; its log is in the error.
    pub fn compile(&self, kernel: &Kernel, machine: &Machine, cache: &NeffCache) -> Result<Neff, DeviceError> {
        let argument = |a: &Argument| json!({ "dims": a.shape, "dtype": a.dtype.to_string() });
        let arguments: Vec<_> = kernel.inputs.iter().map(argument).collect();
        let job = json!({ "source": "kernel.py", "entry": kernel.name, "arguments": arguments });
        let (target, lnc, job) = (machine.target.to_string(), machine.lnc.to_string(), job.to_string());
        let words = [NAME, &self.version, &kernel.source, DRIVER, &target, &lnc, &job];
        cache.get(&NeffCache::key(&words), || self.compiled(kernel, &job, machine))
    }

    fn compiled(&self, kernel: &Kernel, job: &str, machine: &Machine) -> Result<Vec<u8>, DeviceError> {
        let io = |error: std::io::Error| DeviceError::Driver(format!("the folder of a compilation: {error}"));
        let folder = tempfile::tempdir().map_err(io)?;
        for (name, text) in [("kernel.py", kernel.source.as_str()), ("nki.json", job), ("compile.py", DRIVER)] {
            std::fs::write(folder.path().join(name), text).map_err(io)?;
        }
        let artifacts = folder.path().join("artifacts");
        std::fs::create_dir(&artifacts).map_err(io)?;
        let mut command = Command::new(&self.python);
        command.current_dir(folder.path()).args(["compile.py", "nki.json"]);
        command.env("NKI_ARTIFACTS_DIR", &artifacts).env("NEURON_PLATFORM_TARGET_OVERRIDE", machine.target.to_string());
        // Compiler and runtime must agree on it.
        command.env("NEURON_LOGICAL_NC_CONFIG", machine.lnc.to_string());
        let finished = child::run(&mut command, deadline()?).map_err(|error| refused(&error, &kernel.source))?;
        std::fs::read(artifacts.join("kernel.neff")).map_err(|error| DeviceError::Compiler {
            log: format!("{NAME} left no kernel.neff ({error}): {}", finished.log),
            source_text: kernel.source.clone(),
        })
    }
}
