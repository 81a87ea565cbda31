//! `cargo xtask test --mesa`: the tests of the GPU backend on a newer software device, and the compilers of GPUs that are not
//! there on every shader.

use std::path::Path;

use crate::command::cargo;
use crate::gpu_stats;
use crate::setup::{self, Install, Suite, Tree};
use crate::step::{Outcome, Step};

/// Fetches the tree where it may and runs the tests there; says why where it cannot.
pub(super) fn steps(suite: Suite, install: Install, quick: bool) -> Vec<Step> {
    let name = "GPU on a newer Mesa";
    match setup::mesa(suite, install) {
        Err(why) => vec![Step::left_out(name, &why)],
        Ok(tree) => vec![
            tests(name, &tree, &["--test", "gpu"]),
            tests(
                "conformance gpu on it",
                &tree,
                &[&["--test", "conformance", "--", "gpu"], quick_word(quick)].concat(),
            ),
            Step::take("GPU statistics", || match gpu_stats::check(&tree) {
                Ok(()) => Outcome::Ok,
                Err(error) => Outcome::Failed(format!("{error:#}")),
            }),
        ],
    }
}

fn quick_word(quick: bool) -> &'static [&'static str] {
    if quick { &["--quick"] } else { &[] }
}

fn tests(name: &str, tree: &Tree, words: &[&str]) -> Step {
    let command = &mut cargo();
    command.args(["--config", &runner(&tree.runner().each_ref().map(|word| word.as_path()))]);
    // The whole workspace, though one package has it: another choice of packages would be another build.
    command.args(["test", "--workspace"]).args(words);
    Step::tests(name, command.envs(tree.driver("lvp")).env("FARTHING_REQUIRE", "gpu"))
}

/// Cargo's setting that starts test programs by other words; as a list, for folders with blanks in their names.
fn runner(words: &[&Path]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{:?}", word.display().to_string())).collect();
    format!("target.x86_64-unknown-linux-gnu.runner=[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::runner;

    #[test]
    fn a_folder_with_a_blank_stays_one_word() {
        let setting = runner(&["/a b/ld.so".as_ref(), "--library-path".as_ref()]);
        assert_eq!(setting, r#"target.x86_64-unknown-linux-gnu.runner=["/a b/ld.so", "--library-path"]"#);
    }
}
