//! Row reductions: a thread's own columns, then across the threads of a row.

use super::emit::{Emit, register};
use super::helpers::Helper;
use super::plan::Plan;
use super::scope::Value;
use super::{Caps, Manner};
use crate::program::{Op, ReduceFn, Stage, TileId};

impl Plan {
    /// Scalars of workgroup memory that the stage's reductions take: one a row and thread along it.
    pub(super) fn shared_scalars(&self, stage: &Stage, caps: &Caps) -> usize {
        if self.mapping.tx == 1 || self.exchanging(caps) {
            return 0;
        }
        largest(stage, &stage.body) * self.mapping.tx
    }

    /// Whether the threads of a row surely are of one subgroup.
    fn exchanging(&self, caps: &Caps) -> bool {
        let lanes = caps.shuffle.is_some_and(|lanes| self.mapping.tx <= lanes as usize);
        matches!(caps.manner, Manner::Lanes(_)) || caps.manner == Manner::Staged && lanes
    }
}

/// Rows of the largest tile that is reduced.
fn largest(stage: &Stage, ops: &[Op]) -> usize {
    let rows = ops.iter().map(|op| match op {
        Op::Reduce { x, .. } if stage.tile(*x).cols.size > 1 => stage.tile(*x).rows.size,
        Op::Loop { body, .. } => largest(stage, body),
        _ => 0,
    });
    rows.max().unwrap_or(0)
}

impl Emit<'_> {
    pub(super) fn reduce(&mut self, dst: TileId, f: ReduceFn, x: TileId) {
        let share = self.plan.mapping.share(&self.ty(x));
        let mut folded = vec![];
        for row in 0..share.rows {
            folded.push(self.own_columns(f, x, row, share.groups()));
        }
        match (self.is_wide(x), self.plan.mapping.tx, self.plan.exchanging(self.caps)) {
            (false, ..) | (_, 1, _) => self.assign(dst, &folded),
            (_, lanes, true) => self.across_subgroup(dst, f, folded, lanes),
            (..) => self.across_row_memory(dst, f, x, &folded),
        }
    }

    fn identity(&mut self, f: ReduceFn) -> &'static str {
        match f {
            ReduceFn::Sum => "0.0",
            ReduceFn::Max => {
                self.helpers.insert(Helper::NegInf);
                "neg_inf()"
            }
        }
    }

    /// Fold of this thread's columns of a row.
    fn own_columns(&mut self, f: ReduceFn, x: TileId, row: usize, groups: usize) -> String {
        if !self.is_wide(x) {
            let cols = self.ty(x).cols;
            let value = register(x, row, 0);
            if self.plan.holds(cols, 1) {
                return value;
            }
            let (valid, identity) = (self.valid(cols), self.identity(f));
            return format!("select({identity}, {value}, {} > 0)", valid.text);
        }
        let parts: Vec<String> = (0..groups)
            .map(|quad| {
                let value = register(x, row, quad);
                match self.existing(x, quad) {
                    None => value,
                    Some(existing) => format!("select(vec4<f32>({}), {value}, {existing})", self.identity(f)),
                }
            })
            .collect();
        let joined = parts.into_iter().reduce(|a, b| join(f, &a, &b)).expect("a tile has a group of columns");
        let all = self.named("f", &joined);
        join(f, &join(f, &format!("{all}.x"), &format!("{all}.y")), &join(f, &format!("{all}.z"), &format!("{all}.w")))
    }

    fn assign(&mut self, dst: TileId, folded: &[String]) {
        for (row, value) in folded.iter().enumerate() {
            self.set(dst, row, 0, value);
        }
    }

    /// Butterfly: after steps of half the lanes, a quarter, .. each lane holds the whole.
    fn across_subgroup(&mut self, dst: TileId, f: ReduceFn, folded: Vec<String>, lanes: usize) {
        for (row, value) in folded.into_iter().enumerate() {
            let mut value = self.named("f", &value);
            let mut step = lanes / 2;
            while step > 0 {
                let joined = join(f, &value, &format!("subgroupShuffleXor({value}, {step}u)"));
                value = self.named("f", &joined);
                step /= 2;
            }
            self.set(dst, row, 0, value);
        }
    }

    fn across_row_memory(&mut self, dst: TileId, f: ReduceFn, x: TileId, folded: &[String]) {
        let (rows, mapping) = (self.ty(x).rows, self.plan.mapping);
        let tx = mapping.tx;
        self.before_writes();
        let starts: Vec<Value> = (0..folded.len())
            .map(|slot| {
                let local = self.local_row(rows, slot);
                self.product(&local, tx)
            })
            .collect();
        for (slot, value) in folded.iter().enumerate() {
            let mut owned = vec![];
            if rows.size == 1 && mapping.ty > 1 {
                owned.push("ty == 0".to_string());
            } else if mapping.covered_rows(rows) > rows.size {
                owned.push(format!("{} < {}", self.local_row(rows, slot).text, rows.size));
            }
            self.guarded(&owned, &format!("shared_rows[{} + tx] = {value};", starts[slot].text));
        }
        self.before_reads();
        let last = (rows.size - 1) * tx;
        for (slot, start) in starts.iter().enumerate() {
            let beyond = mapping.covered_rows(rows) > rows.size;
            let start = if beyond { self.at_most(start, last) } else { start.clone() };
            let parts: Vec<String> = (0..tx).map(|t| format!("shared_rows[{} + {t}]", start.text)).collect();
            let whole = parts.into_iter().reduce(|a, b| join(f, &a, &b)).expect("a row has a thread");
            self.set(dst, slot, 0, whole);
        }
    }
}

fn join(f: ReduceFn, a: &str, b: &str) -> String {
    match f {
        ReduceFn::Max => format!("max({a}, {b})"),
        ReduceFn::Sum => format!("({a} + {b})"),
    }
}
