//! `neuronx-cc`: StableHLO text to a NEFF.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CompilerMissing, Neff, NeffCache, VERSION_DEADLINE, child, deadline, find, refused};
use crate::backend::DeviceError;
use crate::backend::neuron::machine::Machine;
use crate::backend::neuron::{Generation, Target};

const NAME: &str = "neuronx-cc";
/// Variable that names the command.
const VARIABLE: &str = "FARTHING_NEURONX_CC";

/// The vendor's graph compiler, which runs on any x86-64 Linux host, chip or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronxCc {
    command: PathBuf,
    version: String,
}

impl NeuronxCc {
    /// Finds it and asks its version.
    ///
    /// # Errors
    /// It is not there, or does not say its version.
    pub fn find() -> Result<NeuronxCc, CompilerMissing> {
        let command = find(VARIABLE, NAME).map_err(|looked| CompilerMissing::NotFound {
            name: NAME,
            looked,
            remedy: "activate a Neuron virtual environment, or `pip install neuronx-cc` from \
                     pip.repos.neuron.amazonaws.com (what PyPI has under that name is a placeholder)",
        })?;
        let asked = child::run(Command::new(&command).arg("--version"), VERSION_DEADLINE);
        let said = asked.map_err(|error| error.to_string()).and_then(|finished| {
            let line = finished.log.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit()));
            line.map(str::to_owned).ok_or_else(|| format!("`{}`", finished.log))
        });
        let place = command.display().to_string();
        let version = said.map_err(|why| CompilerMissing::NoVersion { name: NAME, place, why })?;
        Ok(NeuronxCc { command, version })
    }

    /// Where it is.
    pub fn command(&self) -> &Path {
        &self.command
    }

    /// The line in which it says its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Arguments that decide the result. `--auto-cast none`: by default f32 products are computed in bf16, which no f32
    /// kernel may. The size of a logical core is a choice from the third generation on.
    fn settings(machine: &Machine) -> Vec<String> {
        let target = match machine.target {
            // The network's width is nothing to a kernel, and older compilers lack the name.
            Target::Trn1n => Target::Trn1,
            target => target,
        };
        let mut words = vec!["--framework".into(), "XLA".into(), "--target".into(), target.to_string()];
        words.extend(["--auto-cast", "none"].map(String::from));
        if machine.target.generation() > Generation::V2 {
            words.extend(["--logical-nc-config".into(), machine.lnc.to_string()]);
        }
        words
    }

    /// Compiles a StableHLO module, or takes what an earlier compilation of the same gave.
    ///
    /// # Errors
    /// The compiler fails, is late, or leaves no file; its log is in the error.
    pub fn compile(&self, text: &str, machine: &Machine, cache: &NeffCache) -> Result<Neff, DeviceError> {
        let settings = NeuronxCc::settings(machine);
        let words: Vec<&str> =
            [NAME, &self.version, text].into_iter().chain(settings.iter().map(String::as_str)).collect();
        cache.get(&NeffCache::key(&words), || self.compiled(text, &settings))
    }

    fn compiled(&self, text: &str, settings: &[String]) -> Result<Vec<u8>, DeviceError> {
        let io = |error: std::io::Error| DeviceError::Driver(format!("the folder of a compilation: {error}"));
        // The compiler leaves logs and intermediate files where it is started.
        let folder = tempfile::tempdir().map_err(io)?;
        std::fs::write(folder.path().join("module.mlir"), text).map_err(io)?;
        let mut command = Command::new(&self.command);
        command.current_dir(folder.path()).args(["compile", "module.mlir"]).args(settings);
        let finished = child::run(command.args(["--output", "module.neff"]), deadline()?);
        let finished = finished.map_err(|error| refused(&error, text))?;
        std::fs::read(folder.path().join("module.neff")).map_err(|error| DeviceError::Compiler {
            log: format!("{NAME} ended well and left no module.neff ({error}): {}", finished.log),
            source_text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_the_chip_and_forbid_shorter_types() {
        let settings = |target, lnc| NeuronxCc::settings(&Machine { target, instance: None, lnc, core: 0 }).join(" ");
        assert_eq!(settings(Target::Trn1n, 1), "--framework XLA --target trn1 --auto-cast none");
        assert_eq!(settings(Target::Trn2, 1), "--framework XLA --target trn2 --auto-cast none --logical-nc-config 1");
    }
}
