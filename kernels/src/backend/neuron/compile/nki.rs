//! The NKI compiler, which is a Python package: kernel source to a NEFF.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{CompilerMissing, Neff, NeffCache, VERSION_DEADLINE, child, deadline, find, refused};
use crate::DType;
use crate::backend::DeviceError;
use crate::backend::neuron::machine::Machine;

const NAME: &str = "nki";
/// Variable that names the Python which has it.
const VARIABLE: &str = "FARTHING_NEURON_PYTHON";
/// What runs in that Python.
const DRIVER: &str = include_str!("nki.py");

/// An argument of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Sizes, outermost first.
    pub dims: Vec<usize>,
    /// Element type.
    pub dtype: DType,
}

/// A kernel as the compiler takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NkiSource<'s> {
    /// Text of a Python module.
    pub text: &'s str,
    /// Name of the kernel in it.
    pub entry: &'s str,
    /// Its arguments, in calling order.
    pub arguments: Vec<Argument>,
}

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
    pub fn compile(&self, source: &NkiSource<'_>, machine: &Machine, cache: &NeffCache) -> Result<Neff, DeviceError> {
        let arguments: Vec<_> =
            source.arguments.iter().map(|a| json!({ "dims": a.dims, "dtype": a.dtype.to_string() })).collect();
        let job = json!({
            "source": "kernel.py", "entry": source.entry, "arguments": arguments, "lnc": machine.lnc,
        });
        let (target, told) = (machine.target.to_string(), job.to_string());
        let words = [NAME, self.version.as_str(), source.text, DRIVER, target.as_str(), told.as_str()];
        cache.get(&NeffCache::key(&words), || self.compiled(source, &told, &target))
    }

    fn compiled(&self, source: &NkiSource<'_>, job: &str, target: &str) -> Result<Vec<u8>, DeviceError> {
        let io = |error: std::io::Error| DeviceError::Driver(format!("the folder of a compilation: {error}"));
        let folder = tempfile::tempdir().map_err(io)?;
        for (name, text) in [("kernel.py", source.text), ("nki.json", job), ("compile.py", DRIVER)] {
            std::fs::write(folder.path().join(name), text).map_err(io)?;
        }
        let artifacts = folder.path().join("artifacts");
        std::fs::create_dir(&artifacts).map_err(io)?;
        let mut command = Command::new(&self.python);
        command.current_dir(folder.path()).args(["compile.py", "nki.json"]);
        command.env("NKI_ARTIFACTS_DIR", &artifacts).env("NEURON_PLATFORM_TARGET_OVERRIDE", target);
        let finished = child::run(&mut command, deadline()).map_err(|error| refused(&error, source.text))?;
        std::fs::read(artifacts.join("kernel.neff")).map_err(|error| DeviceError::Compiler {
            log: format!("{NAME} left no kernel.neff ({error}): {}", finished.log),
            source_text: source.text.to_owned(),
        })
    }
}
