//! Each unsafe block and implementation is argued for, right above it.

use super::Finding;
use super::confined::has_word;
use super::source::Source;

/// Unsafe code without its argument. Clippy checks blocks too, but not in macros, nor in code left out of the build.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let opens = |code: &str| {
        let rest = |(at, word): (usize, &str)| code[at + word.len()..].trim_start();
        let begins = |rest: &str| rest.starts_with('{') || rest.starts_with("impl");
        has_word(code, "unsafe") && code.match_indices("unsafe").map(rest).any(begins)
    };
    let bare = source.lines.iter().enumerate().filter(|(index, line)| opens(&line.code) && !is_argued(source, *index));
    let finding = |(index, _)| Finding {
        path: source.path.clone(),
        line: index + 1,
        what: "unsafe code without an argument".into(),
        remedy: "say in `// SAFETY:` right above what guarantees each condition".into(),
    };
    bare.map(finding).collect()
}

/// Whether the comment beside or right above a statement argues for it. Attributes, and the lines on which the
/// statement begins, may stand between.
fn is_argued(source: &Source, index: usize) -> bool {
    if source.lines[index].comment.contains("SAFETY:") {
        return true;
    }
    for line in source.lines[..index].iter().rev() {
        let code = line.code.trim();
        if line.comment.contains("SAFETY:") {
            return true;
        }
        let is_comment = code.is_empty() && !line.comment.is_empty();
        let ends_before = code.is_empty() || code.ends_with(['{', '}', ';', ',']);
        if !is_comment && !code.starts_with("#[") && ends_before {
            return false;
        }
    }
    false
}
