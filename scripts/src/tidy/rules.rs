//! Rules about a file as a whole, a line of text, or a statement.

use super::Finding;
use super::source::Source;

/// Lines of a file at most, tests included.
const MAX_LINES: usize = 400;

/// Files that may be longer, and why. None so far.
const LONG: [(&str, &str); 0] = [];

/// Names that say nothing about what is in a file.
const VAGUE: [&str; 4] = ["mod.rs", "utils.rs", "common.rs", "base.rs"];

/// Folders that exist on one machine alone. In parts, so that this file does not break its own rule.
const MACHINE_FOLDERS: [&str; 3] = ["home", "root", "work"];

/// Names of backends, which the harness learns from the registry.
const BACKENDS: [&str; 3] = ["cpu", "gpu", "naive"];

/// Where the harness may write a backend's name, and why.
const NAMES_ALLOWED: [(&str, &str); 2] = [
    ("harness/src/catalogue/prices.rs", "a table of the catalogue: the price of a machine's CPUs"),
    ("harness/src/suite.rs", "a suite is called after the kind of device whose kernels it judges"),
];

/// Any text.
pub(super) fn of_text(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, what: String, remedy: &str| {
        findings.push(Finding { path: path.into(), line, what, remedy: remedy.into() });
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if VAGUE.contains(&name) {
        find(0, format!("a file named `{name}`"), "name it after the one thing it holds (`foo.rs` beside `foo/`)");
    }
    let n_lines = text.lines().count();
    if path.ends_with(".rs") && n_lines > MAX_LINES && !LONG.iter().any(|(long, _)| *long == path) {
        find(MAX_LINES + 1, format!("{n_lines} lines"), "split it by noun: a file has at most 400");
    }
    for (index, line) in text.lines().enumerate() {
        for folder in MACHINE_FOLDERS {
            if names_folder(line, folder) {
                find(index + 1, format!("a path under `/{folder}`"), "write it relative to the repository");
            }
        }
        if line.ends_with([' ', '\t']) {
            find(index + 1, "blanks at the end of the line".into(), "remove them");
        }
    }
    findings
}

/// Whether a line has an absolute path under a folder of the root; the same words inside a longer path or URL are none.
fn names_folder(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    let starts = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || ".-_~}*/".contains(c));
    line.match_indices(&path).any(|(at, _)| starts(at))
}

/// Rust.
pub(super) fn of_rust(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |index: usize, what: String, remedy: &str| {
        findings.push(Finding { path: source.path.clone(), line: index + 1, what, remedy: remedy.into() });
    };
    let is_library = source.path.starts_with("kernels/src/") || source.path.starts_with("harness/src/");
    let may_name = NAMES_ALLOWED.iter().any(|(path, _)| *path == source.path);
    for (index, line) in source.lines.iter().enumerate() {
        if orders_partially(source, index) {
            find(index, "`partial_cmp` unwrapped".into(), "NaN breaks it: use `total_cmp`");
        }
        if source.is_test(index) {
            continue;
        }
        if is_library && line.code.contains(".unwrap()") {
            find(index, "`unwrap()` in library code".into(), "return an error, or `expect` a proven invariant");
        }
        let named = line.strings.iter().filter(|string| BACKENDS.contains(&string.as_str()));
        for name in named.filter(|_| source.path.starts_with("harness/src/") && !may_name) {
            find(index, format!("the harness names the backend `{name}`"), "walk the registry instead");
        }
    }
    findings
}

/// Whether a statement orders by `partial_cmp` and unwraps on the spot; the call may go on in the lines below.
fn orders_partially(source: &Source, index: usize) -> bool {
    let Some((_, call)) = source.lines[index].code.split_once("partial_cmp(") else { return false };
    let below = source.lines[index + 1..].iter().take(3).map(|line| line.code.trim());
    let statement = std::iter::once(call).chain(below).collect::<String>();
    statement.split(';').next().is_some_and(|call| call.contains(").unwrap"))
}
