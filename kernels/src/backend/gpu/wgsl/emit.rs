//! The shader's frame: scopes, indices, loops, and the walk over a stage.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::helpers::Helper;
use super::plan::{Plan, View};
use super::{Caps, Manner, StageCode, helpers};
use crate::DType;
use crate::backend::Unsupported;
use crate::program::{Bound, Index, Op, Program, Span, Stage, TileId, TileType, Var};

/// A block of the shader that is being written. A value that depends on outer variables alone is computed once, in the
/// outermost block that knows them: drivers of software devices do not move code out of loops.
#[derive(Default)]
struct Scope {
    // Line that opens the block; written when it closes, after what the block hoisted out of itself.
    head: String,
    text: String,
    names: HashMap<String, String>,
}

/// A number in the shader: a literal or a name, and the outermost scope that knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) level: usize,
}

impl Value {
    /// A literal.
    pub(super) fn literal(x: i64) -> Value {
        Value { text: x.to_string(), level: 0 }
    }

    /// The number, where it is a literal.
    pub(super) fn known(&self) -> Option<i64> {
        self.text.parse().ok()
    }
}

/// Accesses to workgroup memory that no barrier has ordered yet.
#[derive(Clone, Copy, Default)]
struct Pending {
    reads: bool,
    writes: bool,
}

/// Writes the shader of one stage.
pub(super) struct Emit<'p> {
    pub(super) program: &'p Program,
    pub(super) stage: &'p Stage,
    pub(super) caps: &'p Caps,
    pub(super) plan: Plan,
    scopes: Vec<Scope>,
    n_names: usize,
    // Scope of each variable of the program.
    var_levels: Vec<usize>,
    // Loops of the program around each tile's load.
    pub(super) load_depths: Vec<usize>,
    pub(super) loop_depth: usize,
    pending: Pending,
    pub(super) helpers: BTreeSet<Helper>,
    // Vectors of workgroup memory that products take; scalars that reductions take.
    pub(super) shared_vectors: usize,
    pub(super) shared_scalars: usize,
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
            load_depths: vec![0; stage.tiles.len()],
            loop_depth: 0,
            pending: Pending::default(),
            helpers: BTreeSet::new(),
            shared_vectors: 0,
            shared_scalars: plan.shared_scalars(stage, caps),
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
        let strategy = format!("{manner}_{}x{}", mapping.tx, mapping.ty);
        let bindings = self.plan.views.iter().map(|(id, (_, written))| (*id, *written)).collect();
        Ok(StageCode { source, groups, bindings, strategy })
    }

    fn globals(&self) -> String {
        let mut text = String::new();
        for (i, (id, (view, written))) in self.plan.views.iter().enumerate() {
            let tensor = self.program.tensor(*id);
            let element = match (view, tensor.dtype) {
                (View::Quads, DType::F32) => "vec4<f32>",
                (View::Quads, _) => "vec2<u32>",
                (View::Shared, _) => "atomic<u32>",
                (View::Elements, DType::F32) => "f32",
                (View::Elements, _) => "u32",
            };
            let access = if *written { "read_write" } else { "read" };
            let _ = writeln!(text, "// {}: {}", word(&tensor.name), tensor.dtype);
            let _ = writeln!(text, "@group(0) @binding({i}) var<storage, {access}> m{}: array<{element}>;", id.0);
        }
        if self.shared_vectors > 0 {
            let _ = writeln!(text, "var<workgroup> shared_tile: array<vec4<f32>, {}>;", self.shared_vectors);
        }
        if self.shared_scalars > 0 {
            let _ = writeln!(text, "var<workgroup> shared_rows: array<f32, {}>;", self.shared_scalars);
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
        self.line(format!("var point = {point};"));
        if x * y * z > n {
            self.line(format!("if (point >= {n}) {{ return; }}"));
        }
        for (i, axis) in self.stage.grid.iter().enumerate().rev() {
            self.line(format!("let v{i} = point % {}; // {}", axis.extent, word(&axis.name)));
            if i > 0 {
                self.line(format!("point = point / {};", axis.extent));
            }
        }
        let mapping = self.plan.mapping;
        self.line(format!("let tx = i32(lane) % {};", mapping.tx));
        if mapping.ty > 1 {
            self.line(format!("let ty = i32(lane) / {};", mapping.tx));
        }
        Ok([x as u32, y as u32, z as u32])
    }

    /// Declares the registers of all tiles.
    fn registers(&mut self) {
        for (i, ty) in self.stage.tiles.iter().enumerate().filter(|(i, _)| self.plan.in_registers[*i]) {
            let share = self.plan.mapping.share(ty);
            let kind = if share.quads.is_some() { "vec4<f32>" } else { "f32" };
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
                    self.load(*dst, *tensor, lead);
                }
            }
            Op::Store { tensor, lead, src } => self.store(*tensor, lead, *src),
            Op::Fill { dst, value } => self.fill(*dst, *value),
            Op::Mma { acc, a, b, form } => self.mma(*acc, *a, *b, *form)?,
            Op::Unary { dst, f, x } => self.unary(*dst, *f, *x),
            Op::Binary { dst, f, x, y } => self.binary(*dst, *f, *x, *y),
            Op::Reduce { dst, f, x } => self.reduce(*dst, *f, *x),
            Op::Band { dst, x, row_div, low, high, outside } => self.band(*dst, *x, *row_div, (*low, *high), *outside),
            Op::Position { dst, axis } => self.position(*dst, *axis),
            Op::Convert { dst, x } => self.convert(*dst, *x),
            Op::Loop { var, low, high, body } => self.program_loop(*var, low, high, body)?,
        }
        Ok(())
    }

    fn program_loop(&mut self, var: Var, low: &[Bound], high: &[Bound], body: &[Op]) -> Result<(), Unsupported> {
        let low = self.end_of(low, "max");
        let high = self.end_of(high, "min");
        self.open(format!("for (var v{0} = {low}; v{0} < {high}; v{0}++)", var.0));
        self.var_levels[var.0 as usize] = self.level();
        self.loop_depth += 1;
        self.ops(body)?;
        self.loop_depth -= 1;
        self.close();
        Ok(())
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
        let mut level = 0;
        for (var, coefficient) in index.terms() {
            level = level.max(self.var_levels[var.0 as usize]);
            terms.push(if coefficient == 1 { format!("v{}", var.0) } else { format!("v{} * {coefficient}", var.0) });
        }
        if terms.is_empty() {
            return Value::literal(index.base());
        }
        if index.base() != 0 {
            terms.push(index.base().to_string());
        }
        self.value(terms.join(" + "), level)
    }

    /// Positions of a span that exist.
    pub(super) fn valid(&mut self, span: Span) -> Value {
        if self.plan.holds(span, span.size) {
            return Value::literal(span.size as i64);
        }
        let start = self.index(&span.start);
        self.value(format!("clamp({} - {}, 0, {})", span.len, start.text, span.size), start.level)
    }

    /// Names an i32 expression in the scope `level`; the same expression gets the same name.
    pub(super) fn value(&mut self, expression: String, level: usize) -> Value {
        let known = self.scopes.iter().find_map(|scope| scope.names.get(&expression));
        if let Some(name) = known {
            return Value { text: name.clone(), level };
        }
        let name = self.fresh("x");
        let indent = "  ".repeat(level + 1);
        let scope = &mut self.scopes[level];
        let _ = writeln!(scope.text, "{indent}let {name} = {expression};");
        scope.names.insert(expression, name.clone());
        Value { text: name, level }
    }

    /// Sum of two values, named where it is not a literal.
    pub(super) fn sum(&mut self, a: &Value, b: &Value) -> Value {
        match (a.known(), b.known()) {
            (Some(a), Some(b)) => Value::literal(a + b),
            (Some(0), _) => b.clone(),
            (_, Some(0)) => a.clone(),
            _ => self.value(format!("{} + {}", a.text, b.text), a.level.max(b.level)),
        }
    }

    /// A name not used before; the underscore keeps it apart from WGSL words such as `f32`.
    pub(super) fn fresh(&mut self, stem: &str) -> String {
        self.n_names += 1;
        format!("{stem}_{}", self.n_names)
    }

    /// Scope that is being written.
    pub(super) fn level(&self) -> usize {
        self.scopes.len() - 1
    }

    /// Writes a line.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        let indent = "  ".repeat(self.scopes.len());
        let scope = self.scopes.last_mut().expect("the outermost scope stays open");
        let _ = writeln!(scope.text, "{indent}{}", line.as_ref());
    }

    /// Opens a block that may run many times, so what is pending at its end is pending at its start.
    pub(super) fn open(&mut self, head: impl AsRef<str>) {
        let head = format!("{}{} {{\n", "  ".repeat(self.scopes.len()), head.as_ref());
        self.scopes.push(Scope { head, ..Scope::default() });
        self.unknown_order();
    }

    /// Closes the innermost block.
    pub(super) fn close(&mut self) {
        let scope = self.scopes.pop().expect("a block opened before");
        let outer = self.scopes.last_mut().expect("the outermost scope stays open");
        outer.text.push_str(&scope.head);
        outer.text.push_str(&scope.text);
        self.line("}");
        self.unknown_order();
    }

    /// Orders the reads that follow after all writes before.
    pub(super) fn before_reads(&mut self) {
        if self.pending.writes {
            self.barrier();
        }
        self.pending.reads = true;
    }

    /// Orders the writes that follow after all reads before. Writes between two barriers go to different places.
    pub(super) fn before_writes(&mut self) {
        if self.pending.reads {
            self.barrier();
        }
        self.pending.writes = true;
    }

    /// After a block that only wrote: earlier reads were waited for before it.
    pub(super) fn only_writes_pending(&mut self) {
        self.pending = Pending { reads: false, writes: true };
    }

    fn barrier(&mut self) {
        self.line("workgroupBarrier();");
        self.pending = Pending::default();
    }

    fn unknown_order(&mut self) {
        if self.plan.mapping.threads() > 1 {
            self.pending = Pending { reads: true, writes: true };
        }
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
