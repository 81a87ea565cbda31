//! Steps as NKI source.
//!
//! What exceeds one instruction becomes a loop over chunks: `rc` over 128 rows, `cc` over columns, `kc` over 128 of the
//! contraction; `rn`, `cn` and `kn` are what exists of a chunk.

use super::affine::Size;
use super::layout::Value;
use super::plan::StagePlan;
use super::step::Step;
use crate::backend::neuron::Target;

mod compute;
mod memory;
mod tensor;

pub(super) use memory::ROW_RUNS;

/// Longest line of a call before it is broken.
const WIDTH: usize = 110;

/// Lines with their indentation.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    depth: usize,
    /// Whether a helper is called that must be defined.
    pub(super) needs_row_runs: bool,
}

/// A chunk of an axis: its number, what exists of it, and where it starts.
#[derive(Clone, Debug)]
struct Chunk {
    index: String,
    n: String,
    first: String,
}

impl Chunk {
    /// The chunk as `first:last` of its own.
    fn own(&self) -> String {
        format!("0:{}", self.n)
    }

    /// The chunk as `first:last` of the axis.
    fn along(&self) -> String {
        if self.first == "0" { self.own() } else { format!("{} : {} + {}", self.first, self.first, self.n) }
    }
}

impl Writer {
    pub(super) fn new(depth: usize) -> Writer {
        Writer { text: String::new(), depth, needs_row_runs: false }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text += &"    ".repeat(self.depth);
        self.text += line;
        self.text.push('\n');
    }

    /// `name(key=value, ..)` on one line, or one argument a line.
    fn call(&mut self, name: &str, arguments: &[(&str, String)]) {
        let arguments: Vec<String> = arguments.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line = format!("{name}({})", arguments.join(", "));
        if 4 * self.depth + line.chars().count() <= WIDTH {
            return self.line(&line);
        }
        self.line(&format!("{name}("));
        self.indented(|w| arguments.iter().for_each(|argument| w.line(&format!("{argument},"))));
        self.line(")");
    }

    fn indented(&mut self, write: impl FnOnce(&mut Writer)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// Runs `write` for each chunk of `of` positions: a loop where there may be several.
    fn chunks(&mut self, letter: char, size: &Size, of: usize, write: impl FnOnce(&mut Writer, &Chunk)) {
        if size.max <= of {
            return write(self, &Chunk { index: "0".into(), n: size.text.clone(), first: "0".into() });
        }
        let (index, n) = (format!("{letter}c"), format!("{letter}n"));
        self.line(&format!("for {index} in range({}):", size.chunks_text(of)));
        self.indented(|w| {
            let whole = size.is_fixed() && size.max.is_multiple_of(of);
            let n = if whole {
                of.to_string()
            } else {
                w.line(&format!("{n} = min({of}, {} - {index} * {of})", size.text));
                n
            };
            write(w, &Chunk { first: format!("{index} * {of}"), index, n });
        });
    }

    fn rows(&mut self, size: &Size, write: impl FnOnce(&mut Writer, &Chunk)) {
        self.chunks('r', size, Target::PARTITIONS, write);
    }

    pub(super) fn steps(&mut self, steps: &[Step], plan: &StagePlan) {
        for step in steps {
            self.step(step, plan);
        }
    }

    fn step(&mut self, step: &Step, plan: &StagePlan) {
        let values = &plan.values;
        match step {
            Step::Note(note) => self.line(&format!("# {note}")),
            Step::Let { name, value } => self.line(&format!("{name} = {value}")),
            Step::Allocate(value) => {
                self.line(&format!("{} = {}", values[*value].name, values[*value].allocation()));
            }
            Step::If { condition, body } => {
                self.line(&format!("if {condition}:"));
                self.indented(|w| w.steps(body, plan));
            }
            Step::Loop { var, first, last, sizes, body } => {
                let ends = if first == "0" { last.clone() } else { format!("{first}, {last}") };
                self.line(&format!("for {var} in range({ends}):"));
                self.indented(|w| {
                    sizes.iter().for_each(|(name, value)| w.line(&format!("{name} = {value}")));
                    w.steps(body, plan);
                });
            }
            Step::Load { to, access } => self.load(&values[*to], access, plan),
            Step::Store { access, from } => self.store(access, &values[*from], plan),
            Step::Iota { to, axis, first, varies } => self.iota(&values[*to], *axis, &plan.scope.text(first), *varies),
            Step::Select { to, band } => self.select(&values[*to], band, plan),
            Step::Turn { to, through, from } => self.turn(&values[*to], &values[*through], &values[*from]),
            Step::Matmul { to, stationary, moving, start } => {
                self.matmul(&values[*to], &values[*stationary], &values[*moving], start);
            }
            Step::BlockMatmul { to, block, stationary, moving, adds } => {
                let factors = (&values[*stationary], &values[*moving]);
                self.block_matmul(&values[*to], &values[*block], factors, *adds);
            }
            other => self.compute(other, values),
        }
    }
}

/// A number as Python reads it back to the same f32.
fn number(x: f32) -> String {
    if x.is_finite() { format!("{x:?}") } else { format!("float(\"{x}\")") }
}

/// All columns of a value.
fn all_cols(value: &Value) -> String {
    format!("0:{}", value.cols.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_as_they_were() {
        for x in [0.1f32, -3.4028235e38, 1e-45, 16_777_216.0] {
            assert_eq!(number(x).parse::<f64>().map(|y| y as f32), Ok(x));
        }
        assert_eq!(number(f32::NEG_INFINITY), "float(\"-inf\")");
    }

    #[test]
    fn an_axis_of_one_instruction_is_no_loop() {
        let mut writer = Writer::new(0);
        writer.rows(&Size::fixed(128), |w, rows| w.line(&rows.along()));
        writer.rows(&Size::fixed(300), |w, rows| w.line(&rows.along()));
        let lines = "0:128\nfor rc in range(3):\n    rn = min(128, 300 - rc * 128)\n    rc * 128 : rc * 128 + rn\n";
        assert_eq!(writer.finish(), lines);
    }
}
