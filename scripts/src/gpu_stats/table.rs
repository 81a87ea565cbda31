//! The figures as Markdown, a row a shader.

use std::fmt::Write as _;

use super::chip::Chip;
use super::dump::{Dump, Lowered};
use super::flow::Hot;
use super::shader::Shader;

/// What the columns are, for the file that is kept.
pub(super) const LEGEND: &str = "\
Each row is a shader, of the tiling that the device offers first. Registers are those of a lane (VGPR, GPR) and of a subgroup
(SGPR); spills are values moved to memory, and after the plus sign to other registers; LDS is workgroup memory in bytes;
occupancy is the number of subgroups that fit, as the compiler states it: to a SIMD (AMD) or a multiprocessor (NVIDIA).

The rest is the basic block that runs most: the one with most multiply-adds, where a loop counts for eight turns. `loops` are
those around it. Operations: multiply-adds of lanes (FMA) and products of matrices (MMA: WMMA, HMMA), workgroup memory and
shuffles through it, other memory, other operations of lanes, and those of a subgroup with jumps. The share is FMA and MMA by
instructions that are no wait, barrier or hint; above 100 % an instruction holds two.

Nothing ran: these are the compilers' words, not times. NVK's compiler is not NVIDIA's.
";

/// One chip's table.
pub(super) fn table(chip: &Chip, dump: &Dump) -> String {
    let (registers, occupancy) = match chip {
        Chip::Amd(_) => ("VGPR + SGPR", "subgroups / SIMD"),
        Chip::Nvidia(_) => ("GPR", "warps / SM"),
    };
    let head = [
        "case", "tiling", "lowered", "lanes", registers, "spills", "LDS", occupancy, "loops", "FMA", "MMA", "LDS ops",
        "memory", "other", "scalar", "share",
    ];
    let mut text = format!("{}\n|{}\n", row(&head.map(str::to_owned)), "---|".repeat(head.len()));
    let mut refusals = String::new();
    for lowering in &dump.lowerings {
        match &lowering.outcome {
            Ok(Lowered { name, stages }) => {
                for (at, (shader, hot)) in stages.iter().enumerate() {
                    let stage = if stages.len() > 1 { format!(", stage {}", at + 1) } else { String::new() };
                    // Operation and type stand in the case.
                    let name = name.rsplit('/').next().unwrap_or(name);
                    let first = [format!("{}{stage}", lowering.case), lowering.tiling.clone(), name.to_owned()];
                    writeln!(text, "{}", row(&[&first[..], &figures(shader, hot)].concat()))
                        .expect("a String takes any text");
                }
            }
            Err(why) => {
                writeln!(refusals, "- refused: {}, tiling {}: {why}", lowering.case, lowering.tiling)
                    .expect("a String takes any text");
            }
        }
    }
    if !refusals.is_empty() {
        text.push('\n');
    }
    text + &refusals
}

fn figures(shader: &Shader, Hot { mix, depth }: &Hot) -> [String; 13] {
    let scalar = shader.scalar_registers.map_or_else(String::new, |scalar| format!(" + {scalar}"));
    let share = format!("{:.0} %", 100.0 * mix.share());
    let other = [shader.lds_bytes, shader.subgroups, *depth].map(|number| number.to_string());
    let counts = [mix.fma, mix.matrix, mix.lds, mix.memory, mix.vector, mix.scalar].map(|count| count.to_string());
    let [lds, subgroups, depth] = other;
    let [fma, matrix, lds_ops, memory, vector, scalar_ops] = counts;
    let spills = match (shader.spills_to_memory, shader.spills_to_registers) {
        (memory, 0) => memory.to_string(),
        (memory, registers) => format!("{memory} + {registers}"),
    };
    let registers = format!("{}{scalar}", shader.registers);
    let lanes = shader.lanes.to_string();
    [lanes, registers, spills, lds, subgroups, depth, fma, matrix, lds_ops, memory, vector, scalar_ops, share]
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::super::chip::Chip;
    use super::super::dump;
    use super::super::nak::Nak;
    use super::table;

    #[test]
    fn a_row_holds_what_the_compiler_said_and_a_refusal_stands_below() {
        let shader = include_str!("excerpts/nvk174.txt");
        let text = format!(
            "@@ device NVK | Mesa 26\n@@ lower a\n{shader}@@ lowered a | 1x2x3 | matmul/f32/wgsl_rows\n\
             @@ lower b\n@@ refused b | 4x5 | too large\n"
        );
        let dump = dump::read(text.as_bytes(), &mut Nak::default()).expect("a dump");
        let table = table(&Chip::Nvidia("174".into()), &dump);
        let row = "| a | 1x2x3 | wgsl_rows | 32 | 128 | 0 | 10240 | 16 | 1 | 4 | 0 | 2 | 0 | 1 | 4 | 36 % |\n";
        assert!(table.contains(row), "{table}");
        assert!(table.starts_with("| case | tiling | lowered | lanes | GPR |"), "{table}");
        assert!(table.ends_with("\n\n- refused: b, tiling 4x5: too large\n"), "{table}");
    }
}
