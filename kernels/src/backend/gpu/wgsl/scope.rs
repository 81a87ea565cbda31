//! Text as it is written: blocks, values that are named once, and the barriers between accesses to workgroup memory.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::emit::Emit;

/// A block of the shader that is being written. A value that depends on outer variables alone is computed once, in the
/// outermost block that knows them: drivers of software devices do not move code out of loops.
#[derive(Default)]
pub(super) struct Scope {
    // Line that opens the block; written when it closes, after what the block hoisted out of itself.
    pub(super) head: String,
    pub(super) text: String,
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
pub(super) struct Pending {
    reads: bool,
    writes: bool,
}

impl Emit<'_> {
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

    /// Notes writes to what nobody else has read or written since the last barrier.
    pub(super) fn own_writes(&mut self) {
        self.pending.writes = true;
    }

    /// Notes that whatever was read and written is ordered: a barrier was the last thing on every way to here.
    pub(super) fn all_ordered(&mut self) {
        self.pending = Pending::default();
    }

    pub(super) fn barrier(&mut self) {
        self.line("workgroupBarrier();");
        self.pending = Pending::default();
    }

    fn unknown_order(&mut self) {
        if self.plan.mapping.threads() > 1 {
            self.pending = Pending { reads: true, writes: true };
        }
    }
}
