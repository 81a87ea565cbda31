//! The tensor engine: transposes and products.

use super::{Chunk, Writer};
use crate::backend::neuron::Target;
use crate::backend::neuron::nki::layout::Value;
use crate::backend::neuron::nki::step::Start;

impl Writer {
    /// `to = fromᵀ`: blocks of 128 × 128 to PSUM, as many side by side as a bank holds, and out again.
    pub(super) fn turn(&mut self, to: &Value, through: &Value, from: &Value) {
        self.chunks('c', &from.cols, Target::PARTITIONS, |w, cols| {
            let one_bank = from.rows.max <= through.cols.max;
            w.rows(&from.rows, |w, rows| {
                let place = if one_bank { rows.along() } else { rows.own() };
                let block = through.part("0", &cols.own(), &place);
                let data = from.part(&rows.index, &rows.own(), &cols.along());
                let engine = "nisa.engine.tensor".to_owned();
                w.call("nisa.nc_transpose", &[("dst", block.clone()), ("data", data), ("engine", engine)]);
                if !one_bank {
                    let dst = to.part(&cols.index, &cols.own(), &rows.along());
                    w.call("nisa.tensor_copy", &[("dst", dst), ("src", block)]);
                }
            });
            if one_bank {
                let all = format!("0:{}", from.rows.text);
                let (dst, src) = (to.part(&cols.index, &cols.own(), &all), through.part("0", &cols.own(), &all));
                w.call("nisa.tensor_copy", &[("dst", dst), ("src", src)]);
            }
        });
    }

    pub(super) fn matmul(&mut self, to: &Value, stationary: &Value, moving: &Value, start: &Start) {
        self.rows(&to.rows, |w, rows| {
            w.chunks('c', &to.cols, Target::MOVING_COLS, |w, cols| {
                let dst = to.part(&rows.index, &rows.own(), &cols.along());
                w.contraction(&dst, (stationary, rows), (moving, cols), start);
            });
        });
    }

    pub(super) fn block_matmul(&mut self, to: &Value, block: &Value, factors: (&Value, &Value), adds: bool) {
        self.rows(&to.rows, |w, rows| {
            w.chunks('c', &to.cols, Target::MOVING_COLS, |w, cols| {
                let place = block.part("0", &rows.own(), &cols.own());
                w.contraction(&place, (factors.0, rows), (factors.1, cols), &Start::Here);
                let dst = to.part(&rows.index, &rows.own(), &cols.along());
                if adds {
                    let op = "nl.add".to_owned();
                    let arguments = [("dst", dst.clone()), ("data1", dst), ("data2", place), ("op", op)];
                    w.call("nisa.tensor_tensor", &arguments);
                } else {
                    w.call("nisa.tensor_copy", &[("dst", dst), ("src", place)]);
                }
            });
        });
    }

    /// One block of a product, over the chunks of the contraction: of 8-bit factors two at a time where all are whole.
    fn contraction(&mut self, dst: &str, left: (&Value, &Chunk), right: (&Value, &Chunk), start: &Start) {
        let ((stationary, rows), (moving, cols)) = (left, right);
        let pairs = [stationary, moving].iter().all(|factor| factor.is_pairs());
        let step = if pairs { 2 * Target::PARTITIONS } else { Target::PARTITIONS };
        self.chunks('k', &stationary.rows, step, |w, depth| {
            let (chunk, own) = match (pairs, depth.index.as_str()) {
                (false, _) => (depth.index.clone(), depth.own()),
                (true, "0") => ("0:2".to_owned(), format!("0:{}", Target::PARTITIONS)),
                (true, pair) => (format!("2 * {pair} : 2 * {pair} + 2"), format!("0:{}", Target::PARTITIONS)),
            };
            let mut arguments = vec![
                ("dst", dst.to_owned()),
                ("stationary", stationary.part(&chunk, &own, &rows.along())),
                ("moving", moving.part(&chunk, &own, &cols.along())),
            ];
            arguments.extend(accumulate(start, depth.first != "0").map(|flag| ("accumulate", flag)));
            if pairs {
                arguments.push(("perf_mode", "nisa.matmul_perf_mode.double_row".into()));
            }
            w.call("nisa.nc_matmul", &arguments);
        });
    }
}

/// Whether an instruction adds to what its place holds; none leaves it to the compiler.
fn accumulate(start: &Start, chunked: bool) -> Option<String> {
    let chunk = chunked.then(|| "kc > 0".to_owned());
    match start {
        Start::Auto => None,
        Start::Here => Some(chunk.unwrap_or_else(|| "False".into())),
        Start::Loop(var, first) => {
            let trip = format!("{var} > {first}");
            Some(chunk.map_or(trip.clone(), |chunk| format!("{trip} or {chunk}")))
        }
    }
}
