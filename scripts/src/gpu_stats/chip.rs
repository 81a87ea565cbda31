//! A GPU that is not there, by the name that Mesa's fake kernel interface takes.

use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use super::nak::Nak;
use super::radv::Radv;
use super::shader::Compiler;
use crate::setup::Tree;

/// What the driver is told of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chip {
    /// By Mesa's name, such as `navi31`.
    Amd(String),
    /// By the chipset in hexadecimal, such as `174` (GA104, an Ampere).
    Nvidia(String),
}

impl FromStr for Chip {
    type Err = String;

    fn from_str(word: &str) -> Result<Chip, String> {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        match (plain, is_number) {
            (true, false) => Ok(Chip::Amd(word.into())),
            (true, true) if word.chars().all(|c| c.is_ascii_hexdigit()) => Ok(Chip::Nvidia(word.into())),
            _ => Err("neither an AMD chip such as navi31 nor an NVIDIA chipset in hexadecimal such as 174".into()),
        }
    }
}

impl Chip {
    /// Name for files and headings.
    pub(super) fn name(&self) -> &str {
        match self {
            Chip::Amd(name) | Chip::Nvidia(name) => name,
        }
    }

    /// What reads its compiler's words.
    pub(super) fn compiler(&self) -> Box<dyn Compiler> {
        match self {
            Chip::Amd(_) => Box::new(Radv::default()),
            Chip::Nvidia(_) => Box::new(Nak::default()),
        }
    }

    /// A program that finds this GPU, whose driver says what it compiles.
    pub(super) fn command(&self, tree: &Tree, program: &Path) -> Command {
        let (kernel, driver, settings) = match self {
            Chip::Amd(name) => {
                ("amdgpu", "radeon", [("AMDGPU_GPU_ID", name.as_str()), ("RADV_DEBUG", "shaderstats,nocache,asm,nir")])
            }
            Chip::Nvidia(name) => ("nouveau", "nouveau", [("NOUVEAU_CHIPSET", name.as_str()), ("NAK_DEBUG", "print")]),
        };
        let mut command = tree.on_fake(kernel, program);
        // A shader that is cached is not compiled, and nothing is said of it.
        command.envs(tree.driver(driver)).envs(settings).env("MESA_SHADER_CACHE_DISABLE", "true");
        command
    }
}

#[cfg(test)]
mod tests {
    use super::Chip;

    fn check(word: &str, expected: Option<Chip>) {
        assert_eq!(word.parse::<Chip>().ok(), expected, "{word}");
    }

    #[test]
    fn names_are_amds_and_numbers_are_nvidias() {
        check("navi31", Some(Chip::Amd("navi31".into())));
        check("gfx1201", Some(Chip::Amd("gfx1201".into())));
        check("174", Some(Chip::Nvidia("174".into())));
        check("1b2", Some(Chip::Nvidia("1b2".into())));
    }

    #[test]
    fn what_no_driver_takes_is_refused() {
        for word in ["", "174x", "Navi31", "../x", "navi 31", "0x174"] {
            check(word, None);
        }
    }
}
