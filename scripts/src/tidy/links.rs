//! Links in Markdown lead to files of the repository.

use super::Finding;

/// Relative links to what is not there, or outside; `exists` tells of a path from the root.
pub(super) fn check(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let folder: Vec<&str> = path.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect();
    let mut findings = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        for target in targets(line).filter(|_| !in_code) {
            if !resolve(&folder, target).is_some_and(|path| exists(&path)) {
                let what = format!("a link to `{target}`, which is not in the repository");
                let remedy = "mend the link, or commit the file".into();
                findings.push(Finding { path: path.into(), line: index + 1, what, remedy });
            }
        }
    }
    findings
}

/// Targets of `[text](target)` and `src="target"`, less those with a scheme, and less fragments.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let images = line.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let paths = links.chain(images).map(|target| target.split('#').next().unwrap_or_default());
    paths.filter(|target| !target.is_empty() && !target.contains(':'))
}

/// The path from the root, if it does not leave it.
fn resolve(folder: &[&str], target: &str) -> Option<String> {
    let mut parts = folder.to_vec();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
