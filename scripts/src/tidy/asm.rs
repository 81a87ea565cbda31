//! The register tile as the compiler made it: every multiply-add of a step, and no vector kept on the stack.
//!
//! A tile reaches the machine's limit only if its inner loop is just that; a compiler or an innocent edit can
//! undo it, and results stay right. So the property is checked in the assembly, on x86-64.

use anyhow::{Context, bail};

use super::Finding;
use crate::command::{cargo, target_dir};

/// What one instantiation must look like.
struct Expected {
    /// Part of its mangled name (v0): the entry of the instruction set.
    entry: &'static str,
    /// As before: the rows of the tile.
    rows: &'static str,
    /// As before: what a unit of the factors holds.
    unit: &'static str,
    /// How multiply-adds begin.
    fma: &'static str,
    /// Registers that hold the tile.
    vectors: &'static str,
    /// Multiply-adds of one step: rows × 2 vectors.
    n_fmas: usize,
}

const EXPECTED: [Expected; 3] = [
    Expected {
        entry: "15run_avx512_bf16I",
        rows: "Kje_",
        unit: "4Pair",
        fma: "vdpbf16ps",
        vectors: "%zmm",
        n_fmas: 28,
    },
    Expected { entry: "10run_avx512I", rows: "Kje_", unit: "6Single", fma: "vfmadd", vectors: "%zmm", n_fmas: 28 },
    Expected { entry: "8run_avx2I", rows: "Kj6_", unit: "6Single", fma: "vfmadd", vectors: "%ymm", n_fmas: 12 },
];

/// Source of the register tile, which findings are about.
const SOURCE: &str = "kernels/src/backend/cpu/microkernel.rs";

/// Compiles the kernels as a release build does and checks a tile of each instruction set.
///
/// # Errors
/// They do not compile, or the assembly cannot be found.
pub(super) fn check() -> anyhow::Result<Vec<Finding>> {
    if !cfg!(target_arch = "x86_64") {
        println!("tidy: assembly not checked: the expected instructions are x86-64's");
        return Ok(Vec::new());
    }
    let text = emit()?;
    Ok(EXPECTED.iter().flat_map(|expected| breaches(&text, expected)).collect())
}

/// Assembly of the kernels, in one unit, with names that tell the parameters of generic functions.
fn emit() -> anyhow::Result<String> {
    let target = target_dir().join("asm");
    let mut command = cargo();
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "0").args(["rustc", "-p", "farthing-kernels", "--lib", "--release"]);
    command.args(["--no-default-features", "--target-dir"]).arg(&target);
    command.args(["--", "--emit", "asm", "-C", "codegen-units=1", "-C", "symbol-mangling-version=v0"]);
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the kernels do not compile ({status})");
    }
    // The newest: older builds leave theirs behind, under other hashes.
    let folder = target.join("release/deps");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let is_ours = |name: &str| name.starts_with("farthing_kernels-") && name.ends_with(".s");
    let ours = entries.flatten().filter(|entry| is_ours(&entry.file_name().to_string_lossy()));
    let newest = ours.max_by_key(|entry| entry.metadata().and_then(|data| data.modified()).ok());
    let path = newest.context("cargo left no assembly; remove the folder `asm` of the target folder")?.path();
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// How the tiles of one instruction set differ from what is expected.
fn breaches(text: &str, expected: &Expected) -> Vec<Finding> {
    let is_ours = |name: &str| {
        let parts = [expected.entry, "11microkernel5Micro", expected.unit, expected.rows];
        parts.iter().all(|part| name.contains(part))
    };
    let found: Vec<_> = functions(text).filter(|(name, _)| is_ours(name)).collect();
    let finding = |what: String| Finding {
        path: SOURCE.into(),
        line: 0,
        what: format!("{}: {what}", expected.entry.trim_matches(|c: char| c.is_numeric() || c == 'I')),
        remedy: "see `cargo xtask tidy --asm` for what is expected, and what changed in the loop or the compiler"
            .into(),
    };
    if found.is_empty() {
        return vec![finding("no such tile in the assembly".into())];
    }
    let wrong = found.iter().filter_map(|(name, body)| breach(body, expected).map(|what| format!("{what} ({name})")));
    wrong.map(finding).collect()
}

/// What is wrong with a tile, if anything.
fn breach(body: &[&str], expected: &Expected) -> Option<String> {
    let is_fma = |line: &&&str| line.starts_with(expected.fma) && line.contains(expected.vectors);
    let loops = inner_loops(body);
    let Some(hot) = loops.iter().max_by_key(|lines| lines.iter().filter(is_fma).count()) else {
        return Some("no loop".into());
    };
    let n_fmas = hot.iter().filter(is_fma).count();
    if n_fmas != expected.n_fmas {
        return Some(format!("{n_fmas} multiply-adds in the inner loop, not {}", expected.n_fmas));
    }
    // A broadcast reads one number: where it goes through rbp, that register holds an operand's address.
    let is_spill = |line: &&&str| {
        let on_stack = line.contains("(%rsp") || line.contains("(%rbp");
        line.contains(expected.vectors) && on_stack && !line.contains("broadcast")
    };
    let spill = body.iter().find(is_spill);
    spill.map(|line| format!("a vector on the stack: `{line}`"))
}

/// Functions by mangled name, with their instructions and labels.
fn functions(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    text.split("\n_R").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once(":\n")?;
        let body = rest.split(".cfi_endproc").next()?;
        let is_code = |line: &&str| !line.is_empty() && (!line.starts_with('.') || line.starts_with(".LBB"));
        Some((name, body.lines().map(str::trim).filter(is_code).collect()))
    })
}

/// Loops with no other inside: from a label to a jump back to it.
fn inner_loops<'b, 't>(body: &'b [&'t str]) -> Vec<&'b [&'t str]> {
    let label = |at: usize| body[at].strip_suffix(':');
    let jump = |at: usize| body[at].strip_prefix('j')?.split_whitespace().nth(1);
    let mut loops = Vec::<(usize, usize)>::new();
    for end in 0..body.len() {
        if let Some(start) = (0..end).find(|start| label(*start).is_some_and(|name| jump(end) == Some(name))) {
            loops.push((start, end));
        }
    }
    let holds = |a: &(usize, usize), b: &(usize, usize)| a != b && a.0 <= b.0 && b.1 <= a.1;
    let inner = loops.iter().filter(|outer| !loops.iter().any(|other| holds(outer, other)));
    inner.map(|(start, end)| &body[*start..=*end]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Expected, breaches};

    const TWO: Expected =
        Expected { entry: "10run_avx512I", rows: "Kj1_", unit: "6Single", fma: "vfmadd", vectors: "%zmm", n_fmas: 2 };

    fn check(name: &str, in_loop: &str, expected: Option<&str>) {
        let text = format!(
            "\t.text\n_R{name}:\n\t.cfi_startproc\n\tpushq\t%rbx\n.LBB1_1:\n\tmovq\t%rax, %rbx\n.LBB1_3:\n\
             \tvfmadd231ps\t%zmm1, %zmm2, %zmm0\n{in_loop}\tjne\t.LBB1_3\n\tjb\t.LBB1_1\n\tretq\n\t.cfi_endproc\n"
        );
        let findings = breaches(&text, &TWO);
        assert_eq!(findings.len(), usize::from(expected.is_some()), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.what.contains(expected.unwrap_or_default())), "{findings:?}");
    }

    #[test]
    fn a_tile_has_its_multiply_adds_and_no_spill() {
        let name = "N3isa10run_avx512INt11microkernel5MicroNt6SingleKj1_Kj0_E";
        let fma = "\tvfmadd231ps\t(%rax){1to16}, %zmm2, %zmm3\n";
        check(name, fma, None);
        check(name, "", Some("1 multiply-adds"));
        check(name, &format!("{fma}\tvmovups\t%zmm3, 64(%rsp)\n"), Some("on the stack"));
        check(name, &format!("{fma}\tvbroadcastss\t(%rbp,%r15), %zmm30\n"), None);
        check("other", fma, Some("no such tile"));
    }
}
