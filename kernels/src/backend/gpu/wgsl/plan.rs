//! What is known of a stage before any text is written.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Touched;
use super::mapping::{Mapping, Team};
use super::method::{self, Factors, Method, Mma, Wish};
use super::view::{View, views};
use super::{Caps, Manner, too_large};
use crate::DType;
use crate::backend::Unsupported;
use crate::program::{Arg, Bound, Index, Op, Program, Span, Stage, TensorId, TileId};

/// A load that is its tile's only definition, or such a load widened to f32: a product may read the tensor instead of the
/// tile.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) tensor: TensorId,
    pub(super) lead: Vec<Index>,
    /// Of 4-bit weights, what their scales are loaded from.
    pub(super) scale: Option<Box<Source>>,
}

/// The decisions about a stage.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) mapping: Mapping,
    /// Tensors in the order of their bindings.
    pub(super) views: BTreeMap<TensorId, (View, bool)>,
    /// By tile: what it loads, where that is all that ever defines it.
    pub(super) sources: Vec<Option<Source>>,
    /// By tile: whether it takes registers.
    pub(super) in_registers: Vec<bool>,
    /// By variable: least and greatest value, both included.
    pub(super) ranges: Vec<(i64, i64)>,
    /// How each product is computed.
    pub(super) methods: Vec<(Mma, Method)>,
    // By tile: operations that read it.
    n_reads: Vec<usize>,
}

/// Registers of one tile in a thread, of four f32 each. On hardware a thread has at most 255 scalar registers; what
/// software devices lack in registers they keep in the first-level cache, and only their compiler's time is at stake.
fn max_registers(manner: Manner) -> usize {
    if manner == Manner::Staged { 64 } else { 512 }
}

/// Statements of an unrolled body: beyond it drivers compile for many seconds.
const MAX_STATEMENTS: usize = 16_384;

impl Plan {
    /// Decides, or says what is too large.
    pub(super) fn new(program: &Program, stage: &Stage, caps: &Caps) -> Result<Plan, Unsupported> {
        let mut facts = Facts::new(stage);
        facts.ops(&stage.body);
        let wide = facts.accumulators.iter().map(|&id| stage.tile(id));
        let mut plan = Plan {
            mapping: Mapping::choose(stage, wide, Team::Any, caps),
            views: views(program, stage, &facts.accesses),
            in_registers: facts.in_registers(),
            sources: facts.sources(),
            ranges: facts.ranges,
            methods: vec![],
            n_reads: facts.n_reads,
        };
        plan.see_scales(&facts.widened);
        plan.choose_methods(program, stage, caps);
        plan.refuse_many_bindings(program, caps)?;
        plan.refuse_large_indices(stage)?;
        plan.refuse_large_tiles(stage, caps)?;
        Ok(plan)
    }

    /// Greatest start of a span.
    pub(super) fn last_start(&self, span: Span) -> i64 {
        span.start.range(&self.ranges).map_or(i64::MAX, |(_, high)| high)
    }

    /// Whether the `size` positions from the span's start always lie on its axis, and in its stretch of it.
    pub(super) fn holds(&self, span: Span, size: usize) -> bool {
        span.end.is_none() && self.last_start(span).saturating_add(size as i64) <= span.len as i64
    }

    /// Chooses how products are computed, and the threads that this takes.
    fn choose_methods(&mut self, program: &Program, stage: &Stage, caps: &Caps) {
        let wished: Vec<(Mma, Wish)> = Touched::by(stage, &stage.body)
            .products
            .into_iter()
            .map(|mma| {
                let quads = |tile: TileId| {
                    let source = self.sources[tile.0 as usize].as_ref()?;
                    Some(self.views[&source.tensor].0.in_quads())
                };
                let factors = Factors::of(stage, mma);
                let wish = method::wish(&factors, caps, quads, |span| self.in_fours(span));
                let none = wish == Wish::Streamed && self.widths(program, &factors).is_empty();
                (mma, if none { Wish::Owned } else { wish })
            })
            .collect();
        let any = |wish| wished.iter().any(|(_, w)| *w == wish);
        let team = match (any(Wish::Fragments), any(Wish::Streamed)) {
            (true, _) => Team::Subgroups,
            (false, true) => Team::Large,
            (false, false) => Team::Any,
        };
        let wide = wished.iter().map(|(mma, _)| stage.tile(mma.acc));
        self.mapping = Mapping::choose(stage, wide, team, caps);
        for (mma, wish) in wished {
            let factors = Factors::of(stage, mma);
            let widths = self.widths(program, &factors);
            let method = method::method(wish, &factors, self.mapping, caps, widths);
            match method {
                Method::Fragments(_) => self.see_halves(program, [mma.a, mma.b]),
                Method::Streamed(streamed) => self.see_wide(program, stage, &factors, streamed.wide),
                Method::Owned if factors.acc.dtype == DType::I32 => self.see_wide(program, stage, &factors, 4),
                Method::Owned => {}
            }
            self.methods.push((mma, method));
        }
    }

    /// Whether nothing but matrix units reads a tile.
    pub(super) fn handed_over(&self, tile: TileId) -> bool {
        let units = |(mma, method): &(Mma, Method)| mma.a == tile && matches!(method, Method::Fragments(_));
        self.n_reads[tile.0 as usize] > 0
            && self.methods.iter().filter(|m| units(m)).count() == self.n_reads[tile.0 as usize]
    }

    /// Factors of matrix units are seen as the halves they are.
    fn see_halves(&mut self, program: &Program, tiles: [TileId; 2]) {
        for source in tiles.iter().filter_map(|tile| self.sources[tile.0 as usize].as_ref()) {
            let (view, written) = self.views[&source.tensor];
            debug_assert!(!written && view.in_quads() && program.tensor(source.tensor).dtype == DType::F16);
            self.views.insert(source.tensor, (View::Halves, written));
        }
    }

    /// Whether what exists of every tile at this span is a multiple of four.
    pub(super) fn in_fours(&self, span: Span) -> bool {
        self.in_groups(4, span)
    }

    /// Whether what exists of every tile at this span is a multiple of `n`.
    pub(super) fn in_groups(&self, n: usize, span: Span) -> bool {
        let start = span.start.base() % n as i64 == 0 && span.start.terms().all(|(_, c)| c % n as i64 == 0);
        span.size.is_multiple_of(n)
            && (self.holds(span, span.size) || start && span.len.is_multiple_of(n) && span.end.is_none())
    }

    fn refuse_many_bindings(&self, program: &Program, caps: &Caps) -> Result<(), Unsupported> {
        let asked = self.views.len();
        if asked > caps.max_bindings as usize {
            return Err(too_large("tensors of a stage", asked, caps.max_bindings));
        }
        for &id in self.views.keys() {
            let tensor = program.tensor(id);
            let bytes = tensor.size_bytes() as u64;
            if bytes > caps.max_binding_bytes {
                let what = format!("bytes of tensor `{}`", tensor.name);
                return Err(too_large(&what, bytes, caps.max_binding_bytes));
            }
            if tensor.elems() > i32::MAX as usize {
                let what = format!("elements of tensor `{}`", tensor.name);
                return Err(too_large(&what, tensor.elems(), i32::MAX));
            }
        }
        Ok(())
    }

    /// Shaders compute with i32: every position, also of a thread past the end of its tile, must fit.
    fn refuse_large_indices(&self, stage: &Stage) -> Result<(), Unsupported> {
        let fits = |what: &str, ends: Option<(i64, i64)>| match ends {
            Some((low, high)) if low >= -i64::from(i32::MAX) && high <= i64::from(i32::MAX) => Ok(()),
            ends => Err(too_large(what, ends.map_or("overflow".into(), |e| format!("{}..={}", e.0, e.1)), i32::MAX)),
        };
        fits("grid points", Some((0, i64::try_from(stage.n_points()).unwrap_or(i64::MAX))))?;
        for ty in &stage.tiles {
            for (span, covered) in
                [(ty.rows, self.mapping.covered_rows(ty.rows)), (ty.cols, self.mapping.covered_cols(ty.cols))]
            {
                let ends = span.start.range(&self.ranges);
                fits("positions of a tile", ends.and_then(|(l, h)| Some((l, h.checked_add(covered as i64)?))))?;
                fits("an axis", Some((0, i64::try_from(span.len).unwrap_or(i64::MAX))))?;
            }
        }
        let mut checked = Ok(());
        each_bound(&stage.body, &mut |bound| {
            if checked.is_ok() {
                checked = fits("a loop bound", bound.index.range(&self.ranges))
                    .and_then(|()| fits("a loop bound's divisor", Some((bound.divisor, bound.divisor))));
            }
        });
        checked
    }

    fn refuse_large_tiles(&self, stage: &Stage, caps: &Caps) -> Result<(), Unsupported> {
        let limit = max_registers(caps.manner);
        for (ty, _) in stage.tiles.iter().zip(&self.in_registers).filter(|(_, held)| **held) {
            let asked = self.mapping.share(ty).registers();
            if asked > limit {
                let what = format!("vector registers of a thread for a tile of {} × {}", ty.rows.size, ty.cols.size);
                return Err(too_large(&what, asked, limit));
            }
        }
        let asked = self.statements(stage, &stage.body);
        if asked > MAX_STATEMENTS {
            return Err(too_large("unrolled statements of a shader", asked, MAX_STATEMENTS));
        }
        Ok(())
    }

    /// Statements that a body takes, about.
    pub(super) fn statements(&self, stage: &Stage, ops: &[Op]) -> usize {
        let share = |id: TileId| self.mapping.share(stage.tile(id)).registers();
        ops.iter()
            .map(|op| match op {
                Op::Loop { body, .. } => self.statements(stage, body),
                Op::Mma { acc, .. } => 6 * share(*acc),
                Op::Store { src, .. } => 4 * share(*src),
                Op::Reduce { x, .. } => 2 * share(*x),
                Op::Load { dst, .. } | Op::Dequantise { dst, .. } | Op::Convert { dst, .. }
                    if !self.in_registers[dst.0 as usize] =>
                {
                    0
                }
                Op::Load { dst, .. }
                | Op::Fill { dst, .. }
                | Op::Unary { dst, .. }
                | Op::Binary { dst, .. }
                | Op::Band { dst, .. }
                | Op::Position { dst, .. }
                | Op::Dequantise { dst, .. }
                | Op::Convert { dst, .. } => share(*dst),
            })
            .sum()
    }
}

fn each_bound(ops: &[Op], f: &mut impl FnMut(&Bound)) {
    for op in ops {
        if let Op::Loop { low, high, body, .. } = op {
            low.iter().chain(high).for_each(&mut *f);
            each_bound(body, f);
        }
    }
}

/// What a walk over a stage collects.
struct Facts<'s> {
    stage: &'s Stage,
    loads: Vec<Option<Source>>,
    // What may be read as its argument lies: the tile, the argument, and the scale where there is one.
    widened: Vec<(TileId, TileId, Option<TileId>)>,
    n_definitions: Vec<usize>,
    n_reads: Vec<usize>,
    used_in_registers: Vec<bool>,
    accumulators: BTreeSet<TileId>,
    accesses: Vec<(TensorId, TileId, bool)>,
    ranges: Vec<(i64, i64)>,
}

impl<'s> Facts<'s> {
    fn new(stage: &'s Stage) -> Facts<'s> {
        let n = stage.tiles.len();
        Facts {
            stage,
            loads: vec![None; n],
            widened: vec![],
            n_definitions: vec![0; n],
            n_reads: vec![0; n],
            used_in_registers: vec![false; n],
            accumulators: BTreeSet::new(),
            accesses: vec![],
            ranges: stage.ranges(),
        }
    }

    fn ops(&mut self, ops: &[Op]) {
        ops.iter().for_each(|op| self.op(op));
    }

    fn op(&mut self, op: &Op) {
        for tile in op.reads().into_iter().flatten() {
            self.n_reads[tile.0 as usize] += 1;
        }
        match op {
            Op::Load { dst, tensor, lead } => {
                self.define(*dst);
                self.loads[dst.0 as usize] = Some(Source { tensor: *tensor, lead: lead.clone(), scale: None });
                self.accesses.push((*tensor, *dst, false));
            }
            Op::Store { tensor, src, .. } => {
                self.hold(*src);
                self.accesses.push((*tensor, *src, true));
            }
            Op::Mma { acc, .. } => {
                self.accumulators.insert(*acc);
                self.hold(*acc);
            }
            Op::Unary { dst, x, .. } => {
                self.arg(*x);
                self.define(*dst);
            }
            Op::Binary { dst, x, y, .. } => {
                self.arg(*x);
                self.arg(*y);
                self.define(*dst);
            }
            Op::Dequantise { dst, x, scale } => {
                self.define(*dst);
                self.widened.push((*dst, *x, Some(*scale)));
            }
            Op::Convert { dst, x } if self.stage.tile(*dst).dtype == DType::F32 => {
                self.define(*dst);
                self.widened.push((*dst, *x, None));
            }
            Op::Reduce { dst, x, .. } | Op::Band { dst, x, .. } | Op::Convert { dst, x } => {
                self.hold(*x);
                self.define(*dst);
            }
            Op::Fill { dst, .. } | Op::Position { dst, .. } => self.define(*dst),
            Op::Loop { var, low, high, body } => {
                let end = |bounds: &[Bound], f: fn(&Bound, &[(i64, i64)]) -> i64| -> Vec<i64> {
                    bounds.iter().map(|b| f(b, &self.ranges)).collect()
                };
                let low = end(low, |b, r| b.range(r).map_or(i64::MIN, |e| e.0)).into_iter().max().unwrap_or(0);
                let high = end(high, |b, r| b.range(r).map_or(i64::MAX, |e| e.1)).into_iter().min().unwrap_or(0);
                self.ranges[var.0 as usize] = (low, high.saturating_sub(1).max(low));
                self.ops(body);
            }
        }
    }

    fn define(&mut self, tile: TileId) {
        self.n_definitions[tile.0 as usize] += 1;
    }

    fn hold(&mut self, tile: TileId) {
        self.used_in_registers[tile.0 as usize] = true;
    }

    fn arg(&mut self, arg: Arg) {
        if let Arg::Tile(tile) = arg {
            self.hold(tile);
        }
    }

    fn sources(&self) -> Vec<Option<Source>> {
        let once = |(load, &n): (&Option<Source>, &usize)| load.clone().filter(|_| n == 1);
        let mut sources: Vec<Option<Source>> = self.loads.iter().zip(&self.n_definitions).map(once).collect();
        for (dst, x, scale) in &self.widened {
            let whole = |source: &Source| source.scale.is_none();
            let of = |tile: &TileId| sources[tile.0 as usize].clone().filter(whole);
            let scale = scale.as_ref().map(|scale| of(scale).map(Box::new));
            let source = of(x).and_then(|source| match scale {
                Some(scale) => Some(Source { scale: Some(scale?), ..source }),
                None => Some(source),
            });
            sources[dst.0 as usize] = source.filter(|_| self.n_definitions[dst.0 as usize] == 1);
        }
        sources
    }

    /// A tile that is read from registers, or has nothing else to be read from.
    fn in_registers(&self) -> Vec<bool> {
        let (sources, mut used) = (self.sources(), self.used_in_registers.clone());
        let needed = |used: &[bool], tile: usize| used[tile] || sources[tile].is_none();
        for (dst, x, scale) in self.widened.iter().rev() {
            if scale.is_none() && needed(&used, dst.0 as usize) {
                used[x.0 as usize] = true;
            }
        }
        (0..self.stage.tiles.len()).map(|tile| self.n_definitions[tile] > 0 && needed(&used, tile)).collect()
    }
}
