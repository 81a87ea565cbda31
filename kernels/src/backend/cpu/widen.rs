//! Conversions to f32 that are no work of their own: whatever reads a tensor widens its elements, into rows and panels as
//! into registers. Keys of 8-bit integers that become f32 before they are multiplied are then keys that a product streams
//! from memory.

use std::borrow::Cow;

use crate::DType;
use crate::program::{Op, Stage, TileId};

/// The stage in which a load that is there to be converted to f32, and for nothing else, gives the f32 tile itself. It is this lowering's
/// own: the verifier, for which a load gives its tensor's type, would not pass it.
pub(super) fn widened(stage: &Stage) -> Cow<'_, Stage> {
    let mut uses = Counts { defined: vec![0; stage.tiles.len()], read: vec![0; stage.tiles.len()] };
    uses.ops(&stage.body);
    let mut body = stage.body.clone();
    if joined(&mut body, stage, &uses) { Cow::Owned(Stage { body, ..stage.clone() }) } else { Cow::Borrowed(stage) }
}

/// How often each tile is defined, and read.
struct Counts {
    defined: Vec<usize>,
    read: Vec<usize>,
}

impl Counts {
    fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            if let Op::Loop { body, .. } = op {
                self.ops(body);
            }
            op.defines().into_iter().for_each(|tile| self.defined[tile.0 as usize] += 1);
            op.reads().into_iter().flatten().for_each(|tile| self.read[tile.0 as usize] += 1);
        }
    }

    fn is_defined_once(&self, tile: TileId) -> bool {
        self.defined[tile.0 as usize] == 1
    }
}

/// Joins loads and conversions of one list of operations; whether there were any.
fn joined(ops: &mut Vec<Op>, stage: &Stage, uses: &Counts) -> bool {
    let mut any = false;
    for op in ops.iter_mut() {
        if let Op::Loop { body, .. } = op {
            any |= joined(body, stage, uses);
        }
    }
    let mut at = 0;
    while at < ops.len() {
        let pair = match ops[at] {
            Op::Convert { dst, x } if widens(stage, uses, dst, x) => {
                ops[..at].iter().position(|op| matches!(op, Op::Load { dst, .. } if *dst == x)).map(|load| (load, dst))
            }
            _ => None,
        };
        let Some((load, tile)) = pair else {
            at += 1;
            continue;
        };
        if let Op::Load { dst, .. } = &mut ops[load] {
            *dst = tile;
        }
        ops.remove(at);
        any = true;
    }
    any
}

/// Whether `dst` is all that becomes of `x`, in f32.
fn widens(stage: &Stage, uses: &Counts, dst: TileId, x: TileId) -> bool {
    let is_narrow = stage.tile(x).dtype.size_bytes() < DType::F32.size_bytes();
    let is_once = uses.is_defined_once(dst) && uses.is_defined_once(x) && uses.read[x.0 as usize] == 1;
    is_narrow && is_once && stage.tile(dst).dtype == DType::F32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Program, Span};

    /// Rows of i8 as f32, and whether the bytes are used again.
    fn program(again: bool) -> Program {
        let built = Program::build("widen", |b| {
            let x = b.input_matrix("x", DType::I8, &[], 4, 8);
            let out = b.output_matrix("out", DType::F32, &[], 4, 8);
            b.each_point([("i", 1)], |b, _| {
                let bytes = b.load(x, &[], Span::whole(4), Span::whole(8));
                let wide = b.convert(bytes, DType::F32);
                if again {
                    b.add(wide, wide, bytes);
                }
                b.store(out, &[], wide);
            });
        });
        built.expect("a valid program")
    }

    #[test]
    fn a_load_gives_what_it_is_converted_to_unless_something_else_reads_it() {
        let (once, twice) = (program(false), program(true));
        let stage = widened(&once.stages()[0]);
        let [Op::Load { dst, .. }, Op::Store { src, .. }] = stage.body[..] else { panic!("{:?}", stage.body) };
        assert_eq!((dst, stage.tile(dst).dtype), (src, DType::F32));
        assert!(matches!(widened(&twice.stages()[0]), Cow::Borrowed(_)));
    }
}
