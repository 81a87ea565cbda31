//! NVIDIA: what the compiler of NVK prints with `NAK_DEBUG=print`.
//!
//! NIR with the subgroup's size and workgroup memory, then the program after each pass under `NAK IR after PASS:`, of which
//! the last counts; then `Stage: compute` and a `Name: number` a line until `Encoded shader:`. A block is
//! `block LABEL.. [PREDECESSORS] -> {`, instructions, `} -> [SUCCESSORS]`.

use std::collections::BTreeMap;

use anyhow::Context;

use super::flow::Block;
use super::mix::Kind;
use super::shader::{Compiler, Shader};

/// The reader.
#[derive(Debug, Default)]
pub(super) struct Nak {
    /// Numbers of the NIR and of the figures, by name.
    figures: BTreeMap<String, usize>,
    blocks: Vec<Block>,
    /// Whether the lines are those of a program.
    in_program: bool,
    shaders: Vec<Shader>,
}

impl Compiler for Nak {
    fn read(&mut self, line: &str) -> anyhow::Result<()> {
        let line = line.trim();
        if line.starts_with("shader: ") {
            self.figures.clear();
        } else if line.starts_with("NAK IR") {
            self.blocks.clear();
            self.in_program = true;
        } else if line.starts_with("Stage: ") {
            self.in_program = false;
        } else if line.starts_with("Encoded shader:") {
            let shader = self.shader()?;
            self.shaders.push(shader);
        } else if self.in_program {
            self.instruction(line)?;
        } else if let Some((name, number)) = line.split_once(": ") {
            self.figures.extend(number.parse().ok().map(|number| (name.to_owned(), number)));
        }
        Ok(())
    }

    fn take(&mut self) -> Vec<Shader> {
        std::mem::take(&mut self.shaders)
    }
}

impl Nak {
    fn shader(&mut self) -> anyhow::Result<Shader> {
        let known = |name: &str| self.figures.get(name).copied();
        let figure = |name: &str| known(name).with_context(|| format!("NVK states no `{name}`"));
        Ok(Shader {
            lanes: figure("max_subgroup_size")?,
            registers: figure("Num GPRs")?,
            scalar_registers: None,
            spills_to_memory: figure("Spills to mem")?,
            spills_to_registers: figure("Spills to reg")?,
            // Left out where there is none.
            lds_bytes: known("shared_size").unwrap_or(0),
            subgroups: figure("Max warps/SM")?,
            blocks: std::mem::take(&mut self.blocks),
        })
    }

    fn instruction(&mut self, line: &str) -> anyhow::Result<()> {
        let text = line.split("//").next().unwrap_or(line).trim();
        if text.starts_with("block") && text.ends_with('{') {
            let label = text.split_whitespace().nth(1).with_context(|| format!("a block without a label: `{text}`"))?;
            self.blocks.push(Block { label: label.into(), ..Block::default() });
        } else if let (Some(block), false) = (self.blocks.last_mut(), text.is_empty()) {
            if let Some(successors) = text.strip_prefix("} -> [") {
                let labels = successors.trim_end_matches(']').split(',').map(str::trim);
                block.targets = labels.filter(|label| !label.is_empty()).map(str::to_owned).collect();
            } else {
                block.mix.count([kind(text)]);
            }
        }
        Ok(())
    }
}

/// Prefixes of operations, the first that fits deciding.
const KINDS: [(Kind, &[&str]); 6] = [
    (Kind::Matrix, &["hmma", "imma"]),
    (Kind::Fma, &["ffma", "dfma", "hfma"]),
    (Kind::Lds, &["ld.shared", "st.shared", "atom.shared", "ldsm", "shfl"]),
    (Kind::Memory, &["ld.", "st.", "ldc", "atom", "red.", "suld", "sust", "tex", "tld"]),
    (Kind::Wait, &["nop", "bar.", "membar", "depbar", "warpsync"]),
    (Kind::Scalar, &["bra", "exit", "bssy", "bsync", "bclear", "bmov", "jmp", "break"]),
];

/// What an instruction does: `@PREDICATE DESTINATIONS = OPERATION SOURCES`, the first two where there are any.
fn kind(text: &str) -> Kind {
    let text = match text.strip_prefix('@') {
        Some(rest) => rest.split_once(' ').map_or("", |(_, rest)| rest).trim(),
        None => text,
    };
    let (destination, operation) = text.split_once(" = ").map_or(("", text), |(to, rest)| (to.trim(), rest.trim()));
    let fits = |prefixes: &[&str]| prefixes.iter().any(|prefix| operation.starts_with(prefix));
    let by_name = KINDS.iter().find(|(_, prefixes)| fits(prefixes)).map(|(kind, _)| *kind);
    // Uniform registers and predicates hold a value a warp.
    let uniform = ["ur", "up"].iter().any(|prefix| destination.starts_with(prefix));
    by_name.unwrap_or(if uniform { Kind::Scalar } else { Kind::Vector })
}

#[cfg(test)]
mod tests {
    use super::super::flow::{Hot, hottest};
    use super::super::mix::{Kind, Mix};
    use super::super::shader::Compiler;
    use super::{Nak, kind};

    /// Mesa 26.1.6, chipset 174, 2026-11-26: a large product, cut by hand to some blocks and a few instructions of each.
    const EXCERPT: &str = include_str!("excerpts/nvk174.txt");

    fn read(text: &str) -> anyhow::Result<Nak> {
        let mut nak = Nak::default();
        text.lines().try_for_each(|line| nak.read(line))?;
        Ok(nak)
    }

    #[test]
    fn the_figures_and_the_hot_block_of_a_real_listing_are_read() {
        let shaders = read(EXCERPT).expect("a whole shader").take();
        let [shader] = &shaders[..] else { panic!("{} shaders", shaders.len()) };
        assert_eq!((shader.registers, shader.scalar_registers, shader.lanes), (128, None, 32));
        assert_eq!((shader.spills_to_memory, shader.spills_to_registers), (0, 0));
        assert_eq!((shader.lds_bytes, shader.subgroups), (10240, 16));
        let hot = hottest(&shader.blocks).expect("blocks");
        let mix = Mix { fma: 4, matrix: 0, lds: 2, memory: 0, vector: 1, scalar: 4, issues: 11 };
        assert_eq!(hot, Hot { mix, depth: 1 });
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let text = EXCERPT.replace("Num GPRs: 128\n", "");
        assert_eq!(read(&text).expect_err("no figure").to_string(), "NVK states no `Num GPRs`");
    }

    #[test]
    fn instructions_have_the_kind_that_they_keep_busy() {
        let lines = [
            ("r45       = ffma.ftz r72 r104 r45", Kind::Fma),
            ("r1        = imad r1 0x30 rZ", Kind::Vector),
            ("r0..4     = hmma.m16n8k16.f32 r4..8 r8..10 r0..4", Kind::Matrix),
            ("r72..76   = ld.shared.strong.cta.b128 [r69], pT", Kind::Lds),
            ("st.global.a64.strong.gpu.b32 [r4..6] r66", Kind::Memory),
            ("ur1       = ldc.b32 c[0x0][+0x0]", Kind::Memory),
            ("ur2       = shf.l.w.i32 ur1 rZ 0x5", Kind::Scalar),
            ("@!p0              bra pT L272", Kind::Scalar),
            ("@p0  r1   = mov r2", Kind::Vector),
            ("r1 p0     = iadd3 r1 c[0x1][0x20] rZ", Kind::Vector),
            ("bar.sync", Kind::Wait),
        ];
        for (line, expected) in lines {
            assert_eq!(kind(line), expected, "{line}");
        }
    }
}
