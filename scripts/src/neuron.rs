//! `cargo xtask neuron`: from a clone on a fresh Neuron instance to rows, in one command.
//!
//! It installs nothing. AWS's machine images for Neuron keep the compilers in virtual environments that are active only
//! in a shell that asked for one: those are looked for, so that no shell has to.

use std::path::{Path, PathBuf};

use crate::command::cargo;
use crate::step::{Step, table};

/// Where AWS's images keep virtual environments, and how their names begin.
const IMAGES: (&str, &str) = ("/opt", "aws_neuronx_venv");

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A suite by name or a TOML file
    #[arg(long, default_value = "quick")]
    suite: String,
    /// Most seconds spent on timing a case
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// Builds, examines the machine, runs the ten first cases and the suite; whether all was well.
pub(crate) fn run(options: &Options) -> bool {
    let compilers = Compilers::find(Path::new(IMAGES.0));
    let farthing = |words: &[&str]| {
        let mut command = cargo();
        command.args(["run", "--release", "--quiet", "--package", "farthing", "--"]).args(words);
        compilers.tell(&mut command);
        Step::command(&words.join(" "), &mut command)
    };
    let mut steps = vec![farthing(&["neuron", "doctor"])];
    if steps[0].is_ok() {
        steps.push(farthing(&["neuron", "smoke"]));
        let seconds = options.seconds.to_string();
        let names = ["neuron", "neuron-xla"].join(",");
        let words = ["run", "--suite", &options.suite, "--backend", &names, "--seconds", &seconds, "--save"];
        steps.push(farthing(&words));
    } else {
        steps.push(Step::left_out("rows", "the machine is not ready: see what the doctor says above"));
    }
    print!("\n{}", table(&steps));
    println!("send us the text of the smoke test and the file under results/runs");
    steps.iter().all(Step::is_ok)
}

/// Compilers outside PATH.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compilers {
    neuronx_cc: Option<PathBuf>,
    python: Option<PathBuf>,
}

impl Compilers {
    /// Looks through the virtual environments of a folder, the last by name first: the newest.
    fn find(folder: &Path) -> Compilers {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_ours = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(IMAGES.1));
        let mut environments: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_ours).collect();
        environments.sort();
        let newest = |has: &dyn Fn(&Path) -> bool, program: &str| {
            let found = environments.iter().rev().find(|environment| has(environment));
            found.map(|environment| environment.join("bin").join(program))
        };
        let has_cc = |environment: &Path| environment.join("bin/neuronx-cc").is_file();
        Compilers { neuronx_cc: newest(&has_cc, "neuronx-cc"), python: newest(&has_nki, "python3") }
    }

    /// Names them to a command, where the caller has not.
    fn tell(&self, command: &mut std::process::Command) {
        for (variable, path) in [("FARTHING_NEURONX_CC", &self.neuronx_cc), ("FARTHING_NEURON_PYTHON", &self.python)] {
            if let (Some(path), None) = (path, std::env::var_os(variable)) {
                command.env(variable, path);
            }
        }
    }
}

/// Whether a virtual environment has the package `nki`.
fn has_nki(environment: &Path) -> bool {
    let versions = std::fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("site-packages/nki")).any(|package| package.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_environment_that_has_a_compiler_is_taken() {
        let folder = std::env::temp_dir().join(format!("farthing-venvs-{}", std::process::id()));
        for (environment, file) in [
            ("aws_neuronx_venv_pytorch_2_8", "bin/neuronx-cc"),
            ("aws_neuronx_venv_pytorch_2_9", "bin/neuronx-cc"),
            ("aws_neuronx_venv_jax_0_7", "lib/python3.12/site-packages/nki/__init__.py"),
            ("other", "bin/neuronx-cc"),
        ] {
            let path = folder.join(environment).join(file);
            std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        let found = Compilers::find(&folder);
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(found.neuronx_cc, Some(folder.join("aws_neuronx_venv_pytorch_2_9/bin/neuronx-cc")));
        assert_eq!(found.python, Some(folder.join("aws_neuronx_venv_jax_0_7/bin/python3")));
        assert_eq!(Compilers::find(&folder), Compilers::default());
    }
}
