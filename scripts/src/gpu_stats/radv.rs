//! AMD: what RADV prints with `RADV_DEBUG=shaderstats,asm,nir`.
//!
//! NIR with the subgroup's size, then `disasm:` with `BB0:` and an instruction a line, then `*** SHADER STATS ***` with a
//! `Name: number` a line until a line of asterisks.

use std::collections::BTreeMap;

use anyhow::Context;

use super::flow::Block;
use super::mix::Kind;
use super::shader::{Compiler, Shader};

/// Where in a shader's text the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Outside,
    Listing,
    Figures,
}

/// The reader.
#[derive(Debug, Default)]
pub(super) struct Radv {
    part: Part,
    lanes: Option<usize>,
    blocks: Vec<Block>,
    /// Whether control leaves the last block by a jump alone.
    jumped: bool,
    /// The last instruction, for `(then repeated N times)`.
    last: String,
    figures: BTreeMap<String, usize>,
    shaders: Vec<Shader>,
}

impl Compiler for Radv {
    fn read(&mut self, line: &str) -> anyhow::Result<()> {
        match (self.part, line.trim()) {
            (_, "disasm:") => {
                self.blocks.clear();
                self.part = Part::Listing;
            }
            (_, "*** SHADER STATS ***") => {
                self.figures.clear();
                self.part = Part::Figures;
            }
            (Part::Figures, asterisks) if asterisks.starts_with("***") => {
                self.part = Part::Outside;
                let shader = self.shader()?;
                self.shaders.push(shader);
            }
            (Part::Figures, figure) => {
                if let Some((name, number)) = figure.split_once(": ") {
                    // A hash may be larger than any number that is asked for.
                    self.figures.extend(number.parse().ok().map(|number| (name.to_owned(), number)));
                }
            }
            (Part::Listing, "") => self.part = Part::Outside,
            (Part::Listing, line) => self.instruction(line),
            (Part::Outside, line) => {
                if let Some(lanes) = line.strip_prefix("max_subgroup_size: ") {
                    self.lanes = lanes.parse().ok();
                }
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Vec<Shader> {
        std::mem::take(&mut self.shaders)
    }
}

impl Radv {
    fn shader(&mut self) -> anyhow::Result<Shader> {
        let figure = |name: &str| self.figures.get(name).copied().with_context(|| format!("RADV states no `{name}`"));
        Ok(Shader {
            lanes: self.lanes.take().context("RADV states no `max_subgroup_size`")?,
            registers: figure("VGPRs")?,
            scalar_registers: Some(figure("SGPRs")?),
            spills_to_memory: figure("Spilled VGPRs")?,
            // A lane of a vector register each.
            spills_to_registers: figure("Spilled SGPRs")?,
            lds_bytes: figure("LDS size")?,
            subgroups: figure("Subgroups per SIMD")?,
            blocks: std::mem::take(&mut self.blocks),
        })
    }

    /// A line of the listing: a label, an instruction with its encoding behind a semicolon, or a number of repetitions.
    fn instruction(&mut self, line: &str) {
        if let Some(label) = line.strip_suffix(':').filter(|label| label.starts_with("BB")) {
            if let Some(before) = self.blocks.last_mut().filter(|_| !self.jumped) {
                before.targets.push(label.into());
            }
            self.blocks.push(Block { label: label.into(), ..Block::default() });
            self.jumped = false;
            return;
        }
        let Some(block) = self.blocks.last_mut() else { return };
        let repeated = line.strip_prefix("(then repeated ").and_then(|rest| rest.strip_suffix(" times)"));
        if let Some(times) = repeated {
            for _ in 0..times.parse().unwrap_or(0) {
                block.mix.count(operations(&self.last));
            }
            return;
        }
        let text = line.split(';').next().unwrap_or(line).trim();
        block.mix.count(operations(text));
        let (name, operands) = text.split_once(' ').unwrap_or((text, ""));
        if name.starts_with("s_cbranch") || name == "s_branch" {
            block.targets.push(operands.trim().into());
        }
        self.jumped |= name == "s_branch" || name == "s_endpgm";
        self.last = text.into();
    }
}

/// What an instruction does; `::` parts the two halves of one that issues two.
fn operations(text: &str) -> impl Iterator<Item = Kind> {
    text.split("::").map(|half| kind(half.split_whitespace().next().unwrap_or("")))
}

/// Prefixes of mnemonics, the first that fits deciding (LLVM's names, AMDGPU instruction syntax).
const KINDS: [(Kind, &[&str]); 6] = [
    (Kind::Matrix, &["v_wmma", "v_swmmac", "v_mfma", "v_smfmac"]),
    (
        Kind::Fma,
        &[
            "v_fma",
            "v_mac_",
            "v_mad_f",
            "v_mad_mix",
            "v_pk_fma",
            "v_dot",
            "v_dual_fma",
            "v_dual_dot",
            "v_madak",
            "v_madmk",
        ],
    ),
    (Kind::Lds, &["ds_"]),
    (
        Kind::Memory,
        &["buffer_", "global_", "flat_", "scratch_", "image_", "tbuffer_", "s_load", "s_buffer_load", "s_scratch"],
    ),
    (
        Kind::Wait,
        &[
            "s_wait",
            "s_nop",
            "s_delay_alu",
            "s_clause",
            "s_barrier",
            "s_set_inst_prefetch",
            "s_inst_prefetch",
            "s_sleep",
            "s_code_end",
        ],
    ),
    (Kind::Scalar, &["s_"]),
];

fn kind(mnemonic: &str) -> Kind {
    let fits = |prefixes: &[&str]| prefixes.iter().any(|prefix| mnemonic.starts_with(prefix));
    KINDS.iter().find(|(_, prefixes)| fits(prefixes)).map_or(Kind::Vector, |(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::super::flow::{Hot, hottest};
    use super::super::mix::{Kind, Mix};
    use super::super::shader::Compiler;
    use super::{Radv, kind, operations};

    /// Mesa 26.1.6, navi31, 2026-11-26: a large product, cut by hand to some blocks and a few instructions of each.
    const EXCERPT: &str = include_str!("excerpts/navi31.txt");

    fn read(text: &str) -> anyhow::Result<Radv> {
        let mut radv = Radv::default();
        text.lines().try_for_each(|line| radv.read(line))?;
        Ok(radv)
    }

    #[test]
    fn the_figures_and_the_hot_block_of_a_real_listing_are_read() {
        let shaders = read(EXCERPT).expect("a whole shader").take();
        let [shader] = &shaders[..] else { panic!("{} shaders", shaders.len()) };
        assert_eq!((shader.registers, shader.scalar_registers, shader.lanes), (120, Some(108), 64));
        assert_eq!((shader.spills_to_memory, shader.spills_to_registers), (0, 0));
        assert_eq!((shader.lds_bytes, shader.subgroups), (10240, 12));
        let hot = hottest(&shader.blocks).expect("blocks");
        let mix = Mix { fma: 4, matrix: 0, lds: 2, memory: 0, vector: 0, scalar: 4, issues: 10 };
        assert_eq!(hot, Hot { mix, depth: 1 });
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let text = EXCERPT.replace("VGPRs: 120\n", "");
        assert_eq!(read(&text).expect_err("no figure").to_string(), "RADV states no `VGPRs`");
    }

    #[test]
    fn instructions_have_the_kind_that_they_keep_busy() {
        let names = [
            ("v_fmac_f32_e32", Kind::Fma),
            ("v_fma_mix_f32", Kind::Fma),
            ("v_mad_u64_u32", Kind::Vector),
            ("v_wmma_f32_16x16x16_f16", Kind::Matrix),
            ("ds_load_b128", Kind::Lds),
            ("s_load_b128", Kind::Memory),
            ("scratch_load_b32", Kind::Memory),
            ("s_waitcnt_depctr", Kind::Wait),
            ("s_cbranch_scc0", Kind::Scalar),
            ("v_cvt_f32_f16_e32", Kind::Vector),
        ];
        for (name, expected) in names {
            assert_eq!(kind(name), expected, "{name}");
        }
        let dual = "v_dual_fmac_f32 v1, v2, v3 :: v_dual_mul_f32 v4, v5, v6";
        assert_eq!(operations(dual).collect::<Vec<_>>(), [Kind::Fma, Kind::Vector]);
    }
}
