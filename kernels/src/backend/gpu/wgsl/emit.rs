//! The shader's frame: scopes, indices, loops, and the walk over a stage.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::held::{self, Held};
use super::helpers::Helper;
use super::method::Mma;
use super::plan::{Plan, Source};
use super::scope::{Pending, Scope, Value};
use super::{Caps, Manner, StageCode, helpers};
use crate::DType;
use crate::backend::Unsupported;
use crate::program::{Bound, Index, Op, Program, Span, Stage, TileId, TileType, Var};

/// Statements up to which a loop is written out: what drivers compile in a fraction of a second.
const MAX_WRITTEN_OUT: usize = 2048;

/// Writes the shader of one stage.
pub(super) struct Emit<'p> {
    pub(super) program: &'p Program,
    pub(super) stage: &'p Stage,
    pub(super) caps: &'p Caps,
    pub(super) plan: Plan,
    pub(super) scopes: Vec<Scope>,
    pub(super) n_names: usize,
    // Scope of each variable of the program.
    var_levels: Vec<usize>,
    // Variables of loops that are being written out, turn by turn.
    fixed: HashMap<Var, i64>,
    // Loops of the program around each tile's load.
    pub(super) load_depths: Vec<usize>,
    pub(super) loop_depth: usize,
    pub(super) pending: Pending,
    pub(super) helpers: BTreeSet<Helper>,
    // Vectors of workgroup memory that products take; scalars that reductions take.
    pub(super) shared_vectors: usize,
    pub(super) shared_scalars: usize,
    // Vectors of four halves that matrix units read.
    pub(super) shared_halves: usize,
    // Vectors of four words of bytes that products of integers take; sums of theirs that streamed ones take.
    pub(super) shared_words: usize,
    pub(super) shared_sums: usize,
    pub(super) held: HashMap<TileId, Held>,
    // Left factors that stay in fragments: stems of their names.
    pub(super) lefts: HashMap<TileId, String>,
    // Whether threads tell each other that some row fades.
    pub(super) votes: bool,
}

impl<'p> Emit<'p> {
    pub(super) fn new(program: &'p Program, stage: &'p Stage, caps: &'p Caps, plan: Plan) -> Emit<'p> {
        Emit {
            program,
            stage,
            caps,
            scopes: vec![Scope::default()],
            n_names: 0,
            var_levels: vec![0; stage.n_vars],
            fixed: HashMap::new(),
            load_depths: vec![0; stage.tiles.len()],
            loop_depth: 0,
            pending: Pending::default(),
            helpers: BTreeSet::new(),
            shared_vectors: 0,
            shared_scalars: plan.shared_scalars(stage, caps),
            shared_halves: 0,
            shared_words: 0,
            shared_sums: 0,
            held: HashMap::new(),
            lefts: HashMap::new(),
            votes: false,
            plan,
        }
    }

    /// The whole shader.
    pub(super) fn stage(mut self) -> Result<StageCode, Unsupported> {
        let groups = self.grid()?;
        self.registers();
        let (stage, mapping) = (self.stage, self.plan.mapping);
        self.ops(&stage.body)?;
        let body = self.scopes.pop().expect("the outermost scope").text;
        let source = format!("{}{}{body}}}\n", self.globals(), self.signature());
        let manner = match self.caps.manner {
            Manner::Lanes(_) => "lanes",
            Manner::Direct => "direct",
            Manner::Staged => "staged",
        };
        let mut strategy = format!("{manner}_{}x{}", mapping.tx, mapping.ty);
        let used = |name: &str| self.plan.methods.iter().any(|(_, method)| method.name() == Some(name));
        let by_matrix_units = used("fragments");
        for name in ["streamed", "fragments"].into_iter().filter(|name| used(name)) {
            strategy = format!("{strategy}_{name}");
        }
        let bindings = self.plan.views.iter().map(|(id, (_, written))| (*id, *written)).collect();
        Ok(StageCode { source, groups, bindings, strategy, by_matrix_units })
    }

    fn globals(&self) -> String {
        let mut text = String::new();
        if self.shared_halves > 0 {
            text.push_str("enable f16;\nenable wgpu_cooperative_matrix;\n");
            // Branches around matrices hang on the grid point alone. The verifier takes every variable and every result of
            // a call for non-uniform, and asks this filter whether to refuse matrices there.
            text.push_str("diagnostic(off, derivative_uniformity);\n");
        }
        for (i, (id, (view, written))) in self.plan.views.iter().enumerate() {
            let tensor = self.program.tensor(*id);
            let element = view.element(tensor.dtype);
            let access = if *written { "read_write" } else { "read" };
            let _ = writeln!(text, "// {}: {}", word(&tensor.name), tensor.dtype);
            let _ = writeln!(text, "@group(0) @binding({i}) var<storage, {access}> m{}: array<{element}>;", id.0);
        }
        if self.shared_vectors > 0 {
            let _ = writeln!(text, "var<workgroup> shared_tile: array<vec4<f32>, {}>;", self.shared_vectors);
        }
        // Whole 16 bytes each: drivers lay variables end to end, and an H200 loads wrong fragments, without a word, from
        // addresses that are no multiple of 16 (seen behind a single u32, 2026-11-27).
        if self.shared_halves > 0 {
            let n = self.shared_halves.next_multiple_of(2);
            let _ = writeln!(text, "var<workgroup> shared_halves: array<vec4<f16>, {n}>;");
        }
        if self.shared_scalars > 0 {
            let n = self.shared_scalars.next_multiple_of(4);
            let _ = writeln!(text, "var<workgroup> shared_rows: array<f32, {n}>;");
        }
        if self.votes {
            text.push_str("var<workgroup> shared_vote: vec4<u32>;\n");
        }
        if self.shared_words > 0 {
            let _ = writeln!(text, "var<workgroup> shared_words: array<vec4<u32>, {}>;", self.shared_words);
        }
        if self.shared_sums > 0 {
            let n = self.shared_sums.next_multiple_of(4);
            let _ = writeln!(text, "var<workgroup> shared_sums: array<i32, {n}>;");
        }
        let needed = self.helpers.iter().flat_map(|helper| helper.needs());
        for helper in self.helpers.iter().chain(needed).collect::<BTreeSet<_>>() {
            text.push_str(helpers::text(*helper));
        }
        text
    }

    fn signature(&self) -> String {
        let mut text = format!("\n@compute @workgroup_size({})\nfn main(\n", self.plan.mapping.threads());
        text.push_str("  @builtin(workgroup_id) group: vec3<u32>,\n");
        text.push_str(match self.caps.manner {
            Manner::Lanes(_) => "  @builtin(subgroup_invocation_id) lane: u32,\n",
            _ => "  @builtin(local_invocation_index) lane: u32,\n",
        });
        text.push_str(") {\n");
        text
    }

    /// Grid point and thread; the last grid axis walks along x, so that neighbours in time share its panel.
    fn grid(&mut self) -> Result<[u32; 3], Unsupported> {
        let n = self.stage.n_points();
        let most = self.caps.max_groups as usize;
        let x = n.min(most);
        let y = n.div_ceil(x).min(most);
        let z = n.div_ceil(x * y);
        if z > most {
            return Err(super::too_large("grid points", n, most as u128 * most as u128 * most as u128));
        }
        let point = if y * z == 1 {
            "i32(group.x)".into()
        } else {
            format!("i32(group.x + {x}u * (group.y + {y}u * group.z))")
        };
        // Constants, so that a verifier can tell that what follows from them is the same in the whole workgroup.
        self.line(format!("let point = {point};"));
        if x * y * z > n {
            self.line(format!("if (point >= {n}) {{ return; }}"));
        }
        let mut rest = "point".to_owned();
        for (i, axis) in self.stage.grid.iter().enumerate().rev() {
            self.line(format!("let v{i} = {rest} % {}; // {}", axis.extent, word(&axis.name)));
            if i > 0 {
                self.line(format!("let rest_{i} = {rest} / {};", axis.extent));
                rest = format!("rest_{i}");
            }
        }
        self.stretches();
        let mapping = self.plan.mapping;
        self.line(format!("let tx = i32(lane) % {};", mapping.tx));
        if mapping.ty > 1 {
            self.line(format!("let ty = i32(lane) / {};", mapping.tx));
        }
        Ok([x as u32, y as u32, z as u32])
    }

    /// Where stretches begin and end, whatever their table holds within the axis; a point without rows to store is done.
    fn stretches(&mut self) {
        for stretch in &self.stage.stretches {
            let at = self.index(&stretch.at);
            for (var, step) in [(stretch.first, 0), (stretch.end, 1)] {
                let entry = self.sum(&at, &Value::literal(step));
                let (table, len) = (stretch.table.0, stretch.len);
                self.line(format!("let v{} = clamp(m{table}[{}], 0, {len});", var.0, entry.text));
            }
        }
        if let Some(rows) = self.stage.stored_rows() {
            let valid = self.valid(rows);
            self.line(format!("if ({} == 0) {{ return; }}", valid.text));
        }
    }

    /// Declares the registers of all tiles.
    fn registers(&mut self) {
        for (i, ty) in self.stage.tiles.iter().enumerate().filter(|(i, _)| self.plan.in_registers[*i]) {
            let share = self.plan.mapping.share(ty);
            let kind = match (share.quads, ty.dtype) {
                (Some(_), DType::I32) => "vec4<i32>",
                (None, DType::I32) => "i32",
                (Some(_), _) => "vec4<f32>",
                (None, _) => "f32",
            };
            for row in 0..share.rows {
                for quad in 0..share.groups() {
                    let name = register(TileId(i as u32), row, quad);
                    self.scopes[0].text.push_str(&format!("  var {name}: {kind};\n"));
                }
            }
        }
    }

    fn ops(&mut self, ops: &[Op]) -> Result<(), Unsupported> {
        ops.iter().try_for_each(|op| self.op(op))
    }

    fn op(&mut self, op: &Op) -> Result<(), Unsupported> {
        if !matches!(op, Op::Loop { .. }) {
            self.line(format!("// {}", op.headline()));
        }
        match op {
            Op::Load { dst, tensor, lead } => {
                self.load_depths[dst.0 as usize] = self.loop_depth;
                if self.plan.in_registers[dst.0 as usize] {
                    self.load(*dst, &Source { tensor: *tensor, lead: lead.clone(), scale: None });
                }
                self.left_fragments(*dst)?;
            }
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => self.fill(*dst, *value),
            Op::Mma { acc, a, b, form } => self.mma(Mma { acc: *acc, a: *a, b: *b, form: *form })?,
            Op::Unary { dst, f, x } => self.unary(*dst, *f, *x),
            Op::Binary { dst, f, x, y } => match held::fade(self.stage, op) {
                Some((acc, column)) if self.held.contains_key(&acc) => self.fade_fragments(acc, column),
                _ => self.binary(*dst, *f, *x, *y),
            },
            Op::Reduce { dst, f, x } => self.reduce(*dst, *f, *x),
            Op::Band { dst, x, row_div, low, high, outside } => self.band(*dst, *x, *row_div, (*low, *high), *outside),
            Op::Position { dst, axis } => self.position(*dst, *axis),
            Op::Dequantise { dst, x, scale } => self.dequantise(*dst, *x, *scale)?,
            Op::Convert { dst, x } => {
                self.load_depths[dst.0 as usize] = self.load_depths[x.0 as usize];
                if self.plan.in_registers[dst.0 as usize] {
                    self.convert(*dst, *x);
                }
            }
            Op::Loop { var, low, high, body } => self.program_loop(*var, low, high, body)?,
        }
        Ok(())
    }

    fn program_loop(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) -> Result<(), Unsupported> {
        let low = self.end_of(low, "max");
        let high = self.end_of(high, "min");
        if let Some(turns) = self.written_out(&low, &high, body) {
            for turn in turns {
                self.fixed.insert(var, turn);
                self.ops(body)?;
            }
            self.fixed.remove(&var);
            return Ok(());
        }
        let held = self.holdable(body);
        for (acc, method, fades) in &held {
            self.hold(*acc, *method, *fades)?;
        }
        // Mesa 26's lavapipe reads storage in a loop of no turns, where another one is inside: a null buffer. Strategies
        // for hardware go without the branch.
        let literal = |end: &str| end.parse::<i64>().is_ok();
        let may_be_empty = self.caps.manner != Manner::Staged && !(literal(&low) && literal(&high));
        if may_be_empty {
            self.open(format!("if ({low} < {high})"));
        }
        self.open(format!("for (var v{0} = {low}; v{0} < {high}; v{0}++)", var.0));
        self.var_levels[var.0 as usize] = self.level();
        self.loop_depth += 1;
        self.ops(body)?;
        self.loop_depth -= 1;
        self.close();
        if may_be_empty {
            self.close();
        }
        held.iter().try_for_each(|(acc, ..)| self.settle(*acc))
    }

    /// The turns of a short loop of loads and arithmetic, where they are known: written out, its loads are in flight
    /// together, as where a few threads join what many parts of the keys gave.
    fn written_out(&self, low: &str, high: &str, body: &[Op]) -> Option<std::ops::Range<i64>> {
        let turns: std::ops::Range<i64> = low.parse().ok()?..high.parse().ok()?;
        let plain = !body.iter().any(|op| matches!(op, Op::Mma { .. } | Op::Loop { .. } | Op::Store { .. }));
        let size = self.plan.statements(self.stage, body).saturating_mul((turns.end - turns.start).max(0) as usize);
        (self.caps.manner == Manner::Staged && plain && size <= MAX_WRITTEN_OUT).then_some(turns)
    }

    fn end_of(&mut self, bounds: &[Bound], join: &str) -> String {
        let ends: Vec<String> = bounds.iter().map(|bound| self.bound(bound)).collect();
        let joined = ends.into_iter().reduce(|a, b| format!("{join}({a}, {b})"));
        joined.expect("the verifier requires a bound at each end")
    }

    /// A bound's division rounds down, WGSL's towards zero.
    fn bound(&mut self, bound: &Bound) -> String {
        let index = self.index(&bound.index);
        match (bound.divisor, index.known()) {
            (d, Some(x)) => x.div_euclid(d).to_string(),
            (1, None) => index.text,
            (d, None) if bound.index.range(&self.plan.ranges).is_some_and(|(low, _)| low >= 0) => {
                format!("({} / {d})", index.text)
            }
            (d, None) => {
                self.helpers.insert(Helper::FloorDiv);
                format!("floor_div({}, {d})", index.text)
            }
        }
    }

    /// An affine index.
    pub(super) fn index(&mut self, index: &Index) -> Value {
        let mut terms: Vec<String> = vec![];
        let (mut level, mut base) = (0, index.base());
        for (var, coefficient) in index.terms() {
            if let Some(turn) = self.fixed.get(&var) {
                base += turn * coefficient;
                continue;
            }
            level = level.max(self.var_levels[var.0 as usize]);
            terms.push(if coefficient == 1 { format!("v{}", var.0) } else { format!("v{} * {coefficient}", var.0) });
        }
        if terms.is_empty() {
            return Value::literal(base);
        }
        if base != 0 {
            terms.push(base.to_string());
        }
        self.value(terms.join(" + "), level)
    }

    /// Positions of a span that exist.
    pub(super) fn valid(&mut self, span: Span) -> Value {
        if self.plan.holds(span, span.size) {
            return Value::literal(span.size as i64);
        }
        let start = self.index(&span.start);
        // A stretch ends within its axis.
        let end = span.end.map_or_else(|| span.len.to_string(), |end| format!("v{}", end.0));
        self.value(format!("clamp({end} - {}, 0, {})", start.text, span.size), start.level)
    }

    /// Whether a tile holds sums of integers.
    pub(super) fn is_sum(&self, id: TileId) -> bool {
        self.ty(id).dtype == DType::I32
    }

    /// Type of a tile.
    pub(super) fn ty(&self, id: TileId) -> TileType {
        *self.stage.tile(id)
    }
}

/// A caller's name as it may stand in a comment: nothing that ends the line.
fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Name of a register.
pub(super) fn register(tile: TileId, row: usize, quad: usize) -> String {
    format!("t{}_{row}_{quad}", tile.0)
}
