//! What `lower_all` and the compiler under it printed: for each lowering its shaders.

use std::io::BufRead;

use anyhow::{Context, bail, ensure};

use super::flow::{self, Hot};
use super::shader::{Compiler, Shader};

/// A program lowered with a tiling.
#[derive(Clone, Debug)]
pub(super) struct Lowering {
    pub(super) case: String,
    pub(super) tiling: String,
    /// A shader a stage, each with the block that runs most, and the lowering's name; or why it was refused.
    pub(super) outcome: Result<Lowered, String>,
}

/// What became of a program.
#[derive(Clone, Debug)]
pub(super) struct Lowered {
    pub(super) name: String,
    pub(super) stages: Vec<(Shader, Hot)>,
}

/// All that was printed.
#[derive(Clone, Debug)]
pub(super) struct Dump {
    /// As the driver calls it.
    pub(super) device: String,
    /// With Mesa's version.
    pub(super) driver: String,
    pub(super) lowerings: Vec<Lowering>,
}

/// Reads a dump.
///
/// # Errors
/// It cannot be read, or is not what `lower_all` and this compiler print.
pub(super) fn read(mut from: impl BufRead, compiler: &mut dyn Compiler) -> anyhow::Result<Dump> {
    let (mut device, mut lowerings, mut line) = (None, Vec::new(), Vec::new());
    let mut begun = false;
    // Bytes and not `lines()`: a driver may print what is not UTF-8.
    while from.read_until(b'\n', &mut line).context("cannot read it")? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        match text.strip_prefix("@@ ").map(|marker| marker.split_once(' ').unwrap_or((marker, ""))) {
            None if begun => compiler.read(text)?,
            None => {} // The driver's and wgpu's own shaders.
            Some(("device", named)) => device = Some(named.to_owned()),
            Some(("lower", _)) => {
                begun = true;
                compiler.take();
            }
            Some(("again", _)) => {}
            Some((word @ ("lowered" | "refused"), what)) => lowerings.push(lowering(word, what, compiler.take())?),
            Some((word, _)) => bail!("lower_all says `{word}`, which this command does not know"),
        }
        line.clear();
    }
    let device = device.context("lower_all named no device")?;
    let (device, driver) = device.split_once(" | ").context("lower_all named no driver")?;
    ensure!(!lowerings.is_empty(), "lower_all lowered nothing");
    Ok(Dump { device: device.trim().into(), driver: driver.into(), lowerings })
}

fn lowering(word: &str, what: &str, shaders: Vec<Shader>) -> anyhow::Result<Lowering> {
    let &[case, tiling, last] = &what.splitn(3, " | ").collect::<Vec<_>>()[..] else {
        bail!("lower_all says `{word} {what}`, which is no case, tiling and name");
    };
    let outcome = if word == "refused" {
        Err(last.to_owned())
    } else {
        ensure!(!shaders.is_empty(), "{case}: the compiler printed no shader that this command can read");
        let hot = |shader: Shader| anyhow::Ok((flow::hottest(&shader.blocks)?, shader));
        let stages = shaders.into_iter().map(|shader| hot(shader).map(|(hot, shader)| (shader, hot)));
        let stages = stages.collect::<anyhow::Result<_>>().with_context(|| case.to_owned())?;
        Ok(Lowered { name: last.into(), stages })
    };
    Ok(Lowering { case: case.into(), tiling: tiling.into(), outcome })
}

#[cfg(test)]
mod tests {
    use super::super::radv::Radv;
    use super::read;

    const SHADER: &str = include_str!("excerpts/navi31.txt");
    const DEVICE: &str = "@@ device AMD (RADV NAVI31) | Mesa 26.1.6\n";

    fn dump(text: &str) -> anyhow::Result<super::Dump> {
        read(text.as_bytes(), &mut Radv::default())
    }

    #[test]
    fn shaders_belong_to_the_lowering_that_ends_after_them() {
        let text = format!(
            "{SHADER}{DEVICE}@@ lower a\n{SHADER}{SHADER}@@ lowered a | 1x2x3 | n/m\n@@ lower a\n{SHADER}@@ again a | 1 | n\n\
             @@ lower b\n@@ refused b | 4x5 | unsupported: x | y\n"
        );
        let dump = dump(&text).expect("a dump");
        assert_eq!((dump.device.as_str(), dump.driver.as_str()), ("AMD (RADV NAVI31)", "Mesa 26.1.6"));
        let [a, b] = &dump.lowerings[..] else { panic!("{dump:?}") };
        let lowered = a.outcome.as_ref().expect("lowered");
        assert_eq!((a.tiling.as_str(), lowered.name.as_str(), lowered.stages.len()), ("1x2x3", "n/m", 2));
        assert_eq!(b.outcome.as_ref().map(|_| ()), Err(&"unsupported: x | y".to_owned()));
    }

    #[test]
    fn a_dump_without_what_is_asked_for_is_an_error() {
        for (text, expected) in [
            ("", "lower_all named no device"),
            (DEVICE, "lower_all lowered nothing"),
            (&format!("{DEVICE}@@ lower a\n@@ lowered a | t | n\n"), "a: the compiler printed no shader"),
            ("@@ lowered a\n", "no case, tiling and name"),
            ("@@ other a\n", "`other`"),
        ] {
            let error = dump(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
