//! `cargo xtask gpu-stats`: what compilers of real GPUs make of the shaders that we emit, without the hardware.
//!
//! `lower_all` of the kernels' examples runs as a child a chip, on a driver above a fake kernel interface, and the driver prints
//! what it compiles.

mod chip;
mod dump;
mod flow;
mod mix;
mod nak;
mod radv;
mod shader;
mod table;

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail, ensure};

use crate::command::{cargo, target_dir};
use crate::setup::{self, Install, Suite, Tree};
use chip::Chip;
use dump::Dump;

/// Chips that are asked unless told: RDNA3, and GA104, an Ampere.
const CHIPS: [&str; 2] = ["navi31", "174"];
/// Where tables are kept, a file for each version of Mesa.
const KEPT: &str = "results/gpu-stats";

/// What is compiled, and for what.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Cases by parts of their names, such as gemv or "prefill f16" [default: all]
    case: Vec<String>,
    /// Chip, any number of times: an AMD one by Mesa's name (navi10, navi21, navi31, navi33, gfx1201, vega10, vega20, renoir)
    /// or an NVIDIA one by its chipset in hexadecimal (132 Pascal, 162 Turing, 174 Ampere; this Mesa fakes no Ada) [default:
    /// navi31 and 174]
    #[arg(long)]
    chip: Vec<Chip>,
    /// All tilings that the device offers, not only the first
    #[arg(long)]
    tilings: bool,
    /// Strategies that the device would not choose, too
    #[arg(long)]
    strategies: bool,
    /// Also keep the tables in results/gpu-stats/, under the version of Mesa
    #[arg(long, conflicts_with_all = ["case", "tilings", "strategies"])]
    keep: bool,
}

/// Prints the tables, and keeps them where asked.
///
/// # Errors
/// Mesa is not there, the example does not build, there is no such chip, or what its compiler prints cannot be read.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let tree = setup::mesa(Suite::Trixie, Install::Never).map_err(|why| anyhow!("no drivers to ask: {why}"))?;
    let mut words: Vec<&str> = options.case.iter().map(String::as_str).collect();
    words.extend(options.tilings.then_some("--tilings"));
    words.extend(options.strategies.then_some("--strategies"));
    let chips = if options.chip.is_empty() { defaults() } else { options.chip.clone() };
    let program = build()?;
    let mut dumps = Vec::new();
    for chip in chips {
        let dump = ask(&chip, &tree, &program, &words)?;
        println!("{}", section(&chip, &dump));
        dumps.push((chip, dump));
    }
    if options.keep {
        println!("kept in {}", keep(&dumps)?.display());
    }
    Ok(true)
}

/// Whether each of the usual chips compiles every shader, and what its compiler prints can be read.
///
/// # Errors
/// It is not so; why.
pub(crate) fn check(tree: &Tree) -> anyhow::Result<()> {
    let program = build()?;
    for chip in defaults() {
        let dump = ask(&chip, tree, &program, &[])?;
        let stages = dump.lowerings.iter().map(|lowering| match &lowering.outcome {
            Ok(lowered) => Ok(lowered.stages.len()),
            Err(why) => Err(anyhow!("{}: {} is refused: {why}", chip.name(), lowering.case)),
        });
        let shaders: usize = stages.sum::<anyhow::Result<_>>()?;
        println!("{}: {shaders} shaders of {} programs", dump.device, dump.lowerings.len());
    }
    Ok(())
}

fn defaults() -> Vec<Chip> {
    CHIPS.iter().map(|name| name.parse().expect("a chip's name")).collect()
}

/// The example that lowers everything.
fn build() -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    // The whole workspace, though one package has it: another choice of packages would be another build.
    build.args(["build", "--quiet", "--workspace", "--example", "lower_all"]);
    ensure!(build.status().context("cannot start cargo")?.success(), "the example lower_all does not build");
    let program = target_dir().join("debug/examples/lower_all");
    fs::canonicalize(&program).with_context(|| format!("no {}", program.display()))
}

/// Lowers on a chip and reads what its driver printed, which stays in a file.
fn ask(chip: &Chip, tree: &Tree, program: &Path, words: &[&str]) -> anyhow::Result<Dump> {
    let folder = target_dir().join("gpu-stats");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Another run of this command may write its own meanwhile.
    let [path, own] = ["txt".into(), format!("{}.part", std::process::id())]
        .map(|ending: String| folder.join(chip.name()).with_extension(ending));
    let name = || path.display().to_string();
    let file = File::create(&own).with_context(|| own.display().to_string())?;
    let command = &mut chip.command(tree, program);
    let status = command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).status();
    let file = BufReader::new(File::open(&own).with_context(|| own.display().to_string())?);
    fs::rename(&own, &path).with_context(name)?;
    let status = status.with_context(|| format!("{}: cannot start", chip.name()))?;
    if !status.success() {
        bail!("{}: {status}; {}; all its words are in {}", chip.name(), last_words(file)?, name());
    }
    dump::read(file, &mut *chip.compiler()).with_context(|| format!("{}: what its compiler printed", name()))
}

/// The last two lines that say anything.
fn last_words(mut from: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).context("cannot read what it said")?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    Ok(lines[lines.len().saturating_sub(2)..].join("; "))
}

fn section(chip: &Chip, dump: &Dump) -> String {
    format!("## {}: {}\n\n{}", chip.name(), dump.device, table::table(chip, dump))
}

/// Writes the tables to the file of their Mesa.
fn keep(dumps: &[(Chip, Dump)]) -> anyhow::Result<PathBuf> {
    let (_, first) = dumps.first().context("no chip was asked")?;
    let version = version(&first.driver).with_context(|| format!("`{}` names no version of Mesa", first.driver))?;
    let mut text = format!(
        "# Shaders by the compilers of Mesa {version}\n\nMade by `cargo xtask gpu-stats --keep` on {}, from the sources of {}.\n\n{}",
        said(Command::new("date").args(["-u", "+%F"]))?,
        // The commit that is checked out, and whether files differ from it.
        said(Command::new("git").args(["describe", "--always", "--dirty= with changes", "--abbrev=12"]))?,
        table::LEGEND
    );
    for (chip, dump) in dumps {
        text += &format!("\n{}", section(chip, dump));
    }
    let path = Path::new(KEPT).join(format!("{version}.md"));
    fs::create_dir_all(KEPT).with_context(|| format!("cannot make {KEPT}"))?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// `26.1.6` of `Mesa 26.1.6-1~bpo13+1`.
fn version(driver: &str) -> Option<&str> {
    let version = driver.strip_prefix("Mesa ")?;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    Some(&version[..end]).filter(|version| !version.is_empty())
}

/// What a program says on one line.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Options, version};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn refused(words: &[&str]) -> String {
        let line = Line::try_parse_from([&["gpu-stats"], words].concat());
        line.map(|_| ()).expect_err("no such words").to_string()
    }

    #[test]
    fn words_that_make_no_sense_are_refused_with_the_remedy() {
        assert!(refused(&["--chip", "174x"]).contains("nor an NVIDIA chipset in hexadecimal such as 174"));
        // A part of the cases under the name of all of them would mislead.
        for part in [&["gemv"][..], &["--tilings"], &["--strategies"]] {
            assert!(refused(&[part, &["--keep"]].concat()).contains("cannot be used with"), "{part:?}");
        }
        let line =
            Line::try_parse_from(["gpu-stats", "gemv", "--chip", "navi10", "--chip", "174"]).expect("good words");
        assert_eq!((line.options.case.len(), line.options.chip.len()), (1, 2));
    }

    #[test]
    fn the_version_of_mesa_is_read_without_the_packages() {
        assert_eq!(version("Mesa 26.1.6-1~bpo13+1"), Some("26.1.6"));
        assert_eq!(version("Mesa 26.2.0"), Some("26.2.0"));
        assert_eq!(version("535.54"), None);
        assert_eq!(version("Mesa git"), None);
    }
}
