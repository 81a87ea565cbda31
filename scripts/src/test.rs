//! `cargo xtask test`: set-up, every test, the conformance suite on each instruction set, tidiness, a summary.

mod example;
mod isa;
mod mesa;
mod pjrt;
mod programs;
mod slurm;

use std::process::Command;

use crate::command::{cargo, target_dir};
use crate::setup::{self, Install, Vulkan};
use crate::step::{self, Outcome, Step};
use crate::tidy;

/// What is left out or done instead.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install nothing, whatever is not there
    #[arg(long)]
    no_install: bool,
    /// Leave out the runs of the conformance suite on each instruction set, and the example backend; with --pjrt or --mesa,
    /// run fewer cases
    #[arg(long)]
    quick: bool,
    /// Instead of all that: the CPU backend's tests under AddressSanitizer, on each instruction set
    #[arg(long, conflicts_with_all = ["no_install", "quick"])]
    asan: bool,
    /// Instead of all that: the StableHLO that we emit, run by XLA's CPU client (installs it from PyPI, 220 MB)
    #[arg(long, conflicts_with_all = ["no_install", "asan"])]
    pjrt: bool,
    /// Instead of all that: a run in shards through a Slurm of its own on this machine (installs slurmctld and slurmd; needs
    /// root)
    #[arg(long, conflicts_with_all = ["no_install", "quick", "asan", "pjrt"])]
    slurm: bool,
    /// Instead of all that: the GPU backend's tests on a newer software device, with cooperative matrices, and every shader
    /// through the compilers of GPUs that are not there (fetches Mesa from a Debian release's backports, 64 MB)
    #[arg(long, value_name = "SUITE", conflicts_with_all = ["asan", "pjrt", "slurm"])]
    mesa: Option<setup::Suite>,
}

/// Runs the tests and prints the summary; whether all was well.
pub(crate) fn run(options: &Options) -> bool {
    if options.pjrt {
        let steps = [pjrt::step(options.quick)];
        // What cannot be installed here is said and is no failure.
        return step::close(&steps) || steps[0].did_not_run();
    }
    if options.slurm {
        let steps = slurm::steps();
        print!("\n{}", step::table(&steps));
        // What cannot be installed here is said and is no failure.
        return steps.iter().all(|step| step.is_ok() || step.did_not_run());
    }
    if let Some(suite) = options.mesa {
        let steps = mesa::steps(suite, install(options), options.quick);
        // What cannot be fetched here is said and is no failure.
        return step::close(&steps) || steps[0].did_not_run();
    }
    let steps = if options.asan { under_asan() } else { all(options) };
    step::close(&steps)
}

fn install(options: &Options) -> Install {
    if options.no_install { Install::Never } else { Install::IfAllowed }
}

fn all(options: &Options) -> Vec<Step> {
    let install = install(options);
    let mut steps = vec![Step::take("set-up", || match setup::vulkan(install) {
        Vulkan::There => Outcome::Ok,
        Vulkan::Absent(why) => Outcome::NotRun(why),
    })];
    steps.push(Step::take("set-up of NumPy", || setup::numpy(install).map_or_else(Outcome::NotRun, |_| Outcome::Ok)));
    steps.push(programs::step());
    let best = isa::ALL.iter().find(|isa| isa.is_here()).map(|isa| isa.name);
    for isa in isa::ALL {
        let name = format!("conformance cpu:{}", isa.name);
        steps.push(match (isa.is_here(), options.quick) {
            (false, _) => Step::left_out(&name, "this CPU lacks it"),
            // Unless the environment lowers it, which then is what was asked to be tested.
            (true, _) if Some(isa.name) == best && std::env::var_os("FARTHING_ISA").is_none() => {
                Step::left_out(&name, "ran among the tests, as the best of this CPU")
            }
            (true, true) => Step::left_out(&name, "--quick"),
            // The whole workspace, though one package has it: another choice of packages would be another build.
            (true, false) => {
                let command = &mut cargo();
                command.args(["test", "--workspace", "--test", "conformance", "--", "cpu"]);
                Step::tests(&name, on(command, isa.name))
            }
        });
    }
    if options.quick {
        steps.push(Step::left_out("example backend", "--quick"));
    } else {
        steps.extend(example::steps());
    }
    steps.push(Step::take("tidy", || match tidy::run(false) {
        Ok(true) => Outcome::Ok,
        Ok(false) => Outcome::Failed("findings above".into()),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }));
    steps
}

/// The tests with an instruction set forced, whose absence is a failure.
fn on<'c>(command: &'c mut Command, isa: &str) -> &'c mut Command {
    command.env("FARTHING_ISA", isa).env("FARTHING_REQUIRE", format!("cpu:{isa}"))
}

fn under_asan() -> Vec<Step> {
    let step = |isa: &isa::Isa| {
        let name = format!("address sanitizer cpu:{}", isa.name);
        if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
            return Step::left_out(&name, "only on x86-64 Linux");
        }
        if !isa.is_here() {
            return Step::left_out(&name, "this CPU lacks it");
        }
        let command = &mut cargo();
        // The stable compiler has the sanitizer and calls the flag unstable; naming the target keeps it out of build
        // scripts and procedural macros.
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
        command.args(["test", "--target", "x86_64-unknown-linux-gnu", "--target-dir"]).arg(target_dir().join("asan"));
        command.args(["-p", "farthing-kernels", "--no-default-features", "--test", "conformance", "--", "cpu"]);
        Step::tests(&name, on(command, isa.name))
    };
    isa::ALL.iter().map(step).collect()
}
