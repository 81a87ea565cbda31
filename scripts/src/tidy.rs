//! The house rules as a test: what a reader of the sources may rely on, checked on their text.

mod asm;
mod confined;
mod links;
mod rules;
mod safety;
mod source;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Context;
use source::Source;

/// A breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1; 0 is the file as a whole.
    line: usize,
    what: String,
    remedy: String,
}

/// Checks every file of the repository and prints what it finds; whether that is nothing.
///
/// # Errors
/// A file cannot be read, or the kernels do not compile.
pub(crate) fn run(with_asm: bool) -> anyhow::Result<bool> {
    let mut paths = Vec::new();
    list(Path::new("."), &mut paths).context("cannot list the files of the repository")?;
    paths.sort();
    let mut findings = Vec::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path} as text"))?;
        findings.extend(check(path, &text, &|path| Path::new(path).exists()));
    }
    if with_asm {
        findings.extend(asm::check()?);
    }
    for Finding { path, line, what, remedy } in &findings {
        println!("{path}:{line}: {what}; {remedy}");
    }
    let rules = if with_asm { "sources and assembly" } else { "sources" };
    println!("tidy: {} files, {rules}: {} findings", paths.len(), findings.len());
    Ok(findings.is_empty())
}

/// Breaches in one file; `exists` tells of a path from the root whether something is there.
fn check(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = rules::of_text(path, text);
    if path.ends_with(".md") {
        findings.extend(links::check(path, text, exists));
    }
    if path.ends_with(".rs") {
        let source = Source::new(path, text);
        findings.extend(rules::of_rust(&source));
        findings.extend(confined::check(&source));
        findings.extend(safety::check(&source));
    }
    findings
}

/// Files with text that people write. Build output, hidden folders and raw results are not among them.
fn list(folder: &Path, paths: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        if entry.file_type()?.is_dir() {
            let hidden = name.starts_with('.') && ![".ci", ".cargo", ".github"].contains(&name.as_str());
            if !hidden && name != "target" && !path.ends_with("results/runs") {
                list(&path, paths)?;
            }
        } else if is_text(&name) {
            let path = path.strip_prefix(".").unwrap_or(&path);
            paths.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let endings = ["rs", "toml", "md", "sh", "py", "wgsl", "yml", "yaml", "html", "css", "js", "sbatch"];
    name == "run" || name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}
