//! The command that measures a row again.

use crate::case::{Case, Words, kv_of, page_of};
use crate::record::{Row, RunHeader};

/// The case that a row is of; none where its words name none, as in a run that was written elsewhere.
fn case_of(row: &Row) -> Option<Case> {
    let list = |word: &Option<String>| word.iter().cloned().collect::<Vec<String>>();
    let kept = Kept::of(row);
    let words = Words {
        op: vec![row.op.clone()],
        shape: vec![row.shape.clone()],
        dtype: vec![row.dtype.to_string()],
        out_dtype: vec![row.out_dtype.to_string()],
        b: list(&kept.b),
        mask: list(&row.mask),
        kv: list(&kept.kv),
        page: list(&kept.page),
        batch: if row.batch > 1 { vec![row.batch.to_string()] } else { Vec::new() },
    };
    words.cases().ok()?.into_iter().next()
}

/// How the right operand of a matmul is kept, or how keys and values are.
#[derive(Default)]
struct Kept {
    b: Option<String>,
    kv: Option<String>,
    page: Option<String>,
}

impl Kept {
    fn of(row: &Row) -> Kept {
        let Some(layout) = row.layout.as_deref() else { return Kept::default() };
        match (kv_of(layout), page_of(layout)) {
            (Some(kv), _) => Kept { kv: Some(kv.to_owned()), ..Kept::default() },
            (None, Some(page)) => Kept { page: Some(page.to_owned()), ..Kept::default() },
            (None, None) => Kept { b: Some(layout.to_owned()), ..Kept::default() },
        }
    }
}

/// The command, and what it does not give back of the row.
pub fn reproduce(row: &Row, header: &RunHeader) -> (String, Vec<String>) {
    (command(row, header), reservations(row, header))
}

fn command(row: &Row, header: &RunHeader) -> String {
    let mut words: Vec<String> = Vec::new();
    let ours = header.settings.iter().filter(|(name, _)| name.starts_with("FARTHING_"));
    words.extend(ours.map(|(name, value)| format!("{name}={value}")));
    words.extend(["farthing", "run"].map(str::to_owned));
    let mut option = |name: &str, value: &str| words.extend([format!("--{name}"), value.to_owned()]);
    option("op", &row.op);
    option("shape", &row.shape);
    option("dtype", &row.dtype.to_string());
    option("out-dtype", &row.out_dtype.to_string());
    let kept = Kept::of(row);
    kept.b.iter().for_each(|b| option("b", b));
    row.mask.iter().for_each(|mask| option("mask", mask));
    kept.kv.iter().for_each(|kv| option("kv", kv));
    kept.page.iter().for_each(|page| option("page", page));
    if row.batch > 1 {
        option("batch", &row.batch.to_string());
    }
    option("backend", &row.backend);
    row.threads.iter().for_each(|threads| option("threads", &threads.to_string()));
    header.settings.get("seconds").iter().for_each(|seconds| option("seconds", seconds));
    // A word with a NUL cannot be typed.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" ").replace('\0', " "))
}

fn reservations(row: &Row, header: &RunHeader) -> Vec<String> {
    let mut said = Vec::new();
    match (&header.environment.commit, header.environment.dirty) {
        (None, _) => said.push("its commit is not known".to_owned()),
        (Some(commit), Some(true)) => said.push(format!("it was built from uncommitted changes on top of {commit}")),
        (Some(commit), _) => said.push(format!("at commit {commit}")),
    }
    match case_of(row) {
        None => said.push("its words name no case of this farthing".to_owned()),
        Some(case) if case.temperature() != row.temperature => {
            let (is, was) = (case.temperature(), row.temperature);
            said.push(format!("operands will be {is:?}, and were {was:?}").to_lowercase());
        }
        Some(_) => {}
    }
    if let Some(driver) = header.settings.get("driver").filter(|driver| *driver != "farthing run") {
        said.push(format!("it was sampled by `{driver}`"));
    }
    let guest = header.settings.get(&format!("{} on {}", row.backend, row.device));
    let details = guest.iter().flat_map(|details| details.split(", "));
    let brought = details.filter_map(|detail| detail.strip_prefix("worker ").map(|command| ("--worker", command)));
    said.extend(brought.map(|(option, command)| format!("the backend was brought by {option} '{command}'")));
    said
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::{Results, read_run};

    /// Every committed row: the words of the command name the row's own problem.
    #[test]
    fn the_command_names_the_case_of_the_row() {
        let results = Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"));
        for path in results.run_files().expect("readable") {
            let run = read_run(&path).expect("a run");
            for row in &run.rows {
                let case = case_of(row).expect("a case");
                let problem = case.problem();
                assert_eq!((problem.op(), problem.to_string()), (row.op.as_str(), row.shape.clone()));
                assert_eq!((problem.dtype(), problem.output().dtype), (row.dtype, row.out_dtype));
                assert_eq!(case.batch(), row.batch);
                let (command, said) = reproduce(row, &run.header);
                assert!(command.contains(&format!("farthing run --op {} --shape {}", row.op, row.shape)), "{command}");
                let differs = said.iter().any(|s| s.starts_with("operands will be"));
                assert_eq!(differs, case.temperature() != row.temperature);
            }
        }
    }

    #[test]
    fn a_device_or_backend_with_blanks_is_one_word() {
        let results = Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"));
        let mut run = results.newest().expect("a run");
        run.rows[0].backend = "a; rm -rf b".into();
        let (command, _) = reproduce(&run.rows[0], &run.header);
        let words = shlex::split(&command).expect("words");
        assert!(words.contains(&"a; rm -rf b".to_owned()), "{command}");
    }
}
