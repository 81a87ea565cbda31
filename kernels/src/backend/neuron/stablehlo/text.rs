//! Writing a module: values, types, and one method an operation.

use std::fmt;

use crate::DType;

/// Element type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float(DType),
    I32,
    I1,
}

pub(super) const F32: Element = Element::Float(DType::F32);

/// Shape and element type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) dims: Vec<usize>,
    pub(super) element: Element,
}

/// A value: what an operation gave, or an argument of a region.
#[derive(Clone, Debug)]
pub(super) struct Value {
    name: String,
    pub(super) ty: Type,
}

impl Type {
    pub(super) fn new(dims: impl Into<Vec<usize>>, element: Element) -> Type {
        Type { dims: dims.into(), element }
    }

    fn of(&self, element: Element) -> Type {
        Type { dims: self.dims.clone(), element }
    }
}

impl Value {
    /// Whether both are one and the same.
    pub(super) fn is(&self, other: &Value) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensor<")?;
        self.dims.iter().try_for_each(|dim| write!(f, "{dim}x"))?;
        match self.element {
            Element::Float(DType::F8E4M3) => f.write_str("f8E4M3>"),
            Element::Float(DType::F8E5M2) => f.write_str("f8E5M2>"),
            Element::Float(dtype) => write!(f, "{dtype}>"),
            Element::I32 => f.write_str("i32>"),
            Element::I1 => f.write_str("i1>"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A float as MLIR reads it: with a point, or the bits where there is no decimal.
fn literal(x: f32) -> String {
    if !x.is_finite() {
        return format!("0x{:08X}", x.to_bits());
    }
    let text = format!("{x:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn types(values: &[Value]) -> String {
    values.iter().map(|value| value.ty.to_string()).collect::<Vec<_>>().join(", ")
}

/// The dimensions of a product: batches and contraction by position in each factor.
pub(super) struct Dims {
    pub(super) batch: usize,
    pub(super) contract: [usize; 2],
}

/// A loop whose body is being written.
pub(super) struct Loop {
    result: String,
    /// The trip at hand, from the first on.
    pub(super) counter: Value,
    /// The carried values at its beginning.
    pub(super) carried: Vec<Value>,
}

/// A module on the way. Values have unique names, so a region never shadows one of another.
pub(super) struct Writer {
    lines: Vec<String>,
    depth: usize,
    n_values: usize,
}

impl Writer {
    /// Opens module and function; gives the arguments.
    pub(super) fn open(name: &str, arguments: &[Type], result: &Type) -> (Writer, Vec<Value>) {
        let mut writer = Writer { lines: Vec::new(), depth: 0, n_values: 0 };
        let arguments: Vec<Value> =
            arguments.iter().enumerate().map(|(i, ty)| Value { name: format!("%arg{i}"), ty: ty.clone() }).collect();
        let typed: Vec<String> = arguments.iter().map(|value| format!("{value}: {}", value.ty)).collect();
        let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        writer.line(&format!("module @{word} {{"));
        writer.depth += 1;
        writer.line(&format!("func.func public @main({}) -> {result} {{", typed.join(", ")));
        writer.depth += 1;
        (writer, arguments)
    }

    /// Returns a value from the function and closes both; the text.
    pub(super) fn close(mut self, result: &Value) -> String {
        self.line(&format!("return {result} : {}", result.ty));
        for depth in [1, 0] {
            self.depth = depth;
            self.line("}");
        }
        self.lines.join("\n") + "\n"
    }

    fn line(&mut self, text: &str) {
        self.lines.push(format!("{:width$}{text}", "", width = 2 * self.depth));
    }

    fn fresh(&mut self) -> String {
        self.n_values += 1;
        format!("%{}", self.n_values - 1)
    }

    /// `%n = stablehlo.{text}`, of this type.
    fn define(&mut self, text: &str, ty: Type) -> Value {
        let name = self.fresh();
        self.line(&format!("{name} = stablehlo.{text}"));
        Value { name, ty }
    }

    /// The same number everywhere.
    pub(super) fn number(&mut self, x: f32, dims: &[usize]) -> Value {
        let ty = Type::new(dims, F32);
        self.define(&format!("constant dense<{}> : {ty}", literal(x)), ty)
    }

    /// The same integer everywhere.
    pub(super) fn integer(&mut self, x: i64, dims: &[usize]) -> Value {
        let ty = Type::new(dims, Element::I32);
        self.define(&format!("constant dense<{x}> : {ty}"), ty)
    }

    /// Zeros of any type.
    pub(super) fn zeros(&mut self, ty: &Type) -> Value {
        let zero = if matches!(ty.element, Element::Float(_)) { "0.0" } else { "0" };
        self.define(&format!("constant dense<{zero}> : {ty}"), ty.clone())
    }

    /// An elementwise operation of one argument, by its name in the specification.
    pub(super) fn unary(&mut self, name: &str, x: &Value) -> Value {
        self.define(&format!("{name} {x} : {}", x.ty), x.ty.clone())
    }

    /// An elementwise operation of two arguments of one type.
    pub(super) fn binary(&mut self, name: &str, x: &Value, y: &Value) -> Value {
        self.define(&format!("{name} {x}, {y} : {}", x.ty), x.ty.clone())
    }

    /// `x` in another element type; `x` itself where it has it.
    pub(super) fn convert(&mut self, x: &Value, element: Element) -> Value {
        if x.ty.element == element {
            return x.clone();
        }
        let ty = x.ty.of(element);
        self.define(&format!("convert {x} : ({}) -> {ty}", x.ty), ty)
    }

    /// Dimension `i` of `x` becomes dimension `dims[i]`; a dimension of one is repeated.
    pub(super) fn broadcast(&mut self, x: &Value, dims: &[usize], to: &[usize]) -> Value {
        let ty = Type::new(to, x.ty.element);
        self.define(&format!("broadcast_in_dim {x}, dims = [{}] : ({}) -> {ty}", list(dims), x.ty), ty)
    }

    /// The same elements in another shape; `x` itself where it has it.
    pub(super) fn reshape(&mut self, x: &Value, to: &[usize]) -> Value {
        if x.ty.dims == to {
            return x.clone();
        }
        let ty = Type::new(to, x.ty.element);
        self.define(&format!("reshape {x} : ({}) -> {ty}", x.ty), ty)
    }

    /// Dimension `i` of the result is dimension `order[i]` of `x`; `x` itself where that changes nothing.
    pub(super) fn transpose(&mut self, x: &Value, order: &[usize]) -> Value {
        if order.iter().copied().eq(0..order.len()) {
            return x.clone();
        }
        let dims: Vec<usize> = order.iter().map(|&from| x.ty.dims[from]).collect();
        let ty = Type::new(dims, x.ty.element);
        self.define(&format!("transpose {x}, dims = [{}] : ({}) -> {ty}", list(order), x.ty), ty)
    }

    /// The first positions of each dimension.
    pub(super) fn shortened(&mut self, x: &Value, to: &[usize]) -> Value {
        if x.ty.dims == to {
            return x.clone();
        }
        let ty = Type::new(to, x.ty.element);
        let ranges: Vec<String> = to.iter().map(|end| format!("0:{end}")).collect();
        self.define(&format!("slice {x} [{}] : ({}) -> {ty}", ranges.join(", "), x.ty), ty)
    }

    /// Zeros after the last position of each dimension.
    pub(super) fn lengthened(&mut self, x: &Value, to: &[usize]) -> Value {
        if x.ty.dims == to {
            return x.clone();
        }
        let zero = self.zeros(&Type::new([], x.ty.element));
        let ty = Type::new(to, x.ty.element);
        let high: Vec<usize> = to.iter().zip(&x.ty.dims).map(|(to, from)| to - from).collect();
        let none = vec![0; to.len()];
        let edges = format!("low = [{}], high = [{}], interior = [{}]", list(&none), list(&high), list(&none));
        self.define(&format!("pad {x}, {zero}, {edges} : ({}, {}) -> {ty}", x.ty, zero.ty), ty)
    }

    /// The block of `sizes` that begins at `at`.
    pub(super) fn block(&mut self, x: &Value, at: &[Value], sizes: &[usize]) -> Value {
        let ty = Type::new(sizes, x.ty.element);
        let given = format!("{}, {}", x.ty, types(at));
        self.define(&format!("dynamic_slice {x}, {}, sizes = [{}] : ({given}) -> {ty}", list(at), list(sizes)), ty)
    }

    /// `x` with the block that begins at `at` replaced.
    pub(super) fn replaced(&mut self, x: &Value, block: &Value, at: &[Value]) -> Value {
        let given = format!("{}, {}, {}", x.ty, block.ty, types(at));
        self.define(&format!("dynamic_update_slice {x}, {block}, {} : ({given}) -> {}", list(at), x.ty), x.ty.clone())
    }

    /// Position along a dimension, everywhere.
    pub(super) fn positions(&mut self, dim: usize, dims: &[usize]) -> Value {
        let ty = Type::new(dims, Element::I32);
        self.define(&format!("iota dim = {dim} : {ty}"), ty)
    }

    /// Integers compared; `direction` as in the specification: `LT`, `LE`, `GE`, ...
    pub(super) fn compare(&mut self, direction: &str, x: &Value, y: &Value) -> Value {
        let ty = x.ty.of(Element::I1);
        self.define(&format!("compare {direction}, {x}, {y}, SIGNED : ({}, {}) -> {ty}", x.ty, y.ty), ty)
    }

    /// `x` where the condition holds, else `y`.
    pub(super) fn select(&mut self, condition: &Value, x: &Value, y: &Value) -> Value {
        self.define(&format!("select {condition}, {x}, {y} : {}, {}", condition.ty, x.ty), x.ty.clone())
    }

    /// Batched matrix product of factors of one type, summed in f32: batches come first in both.
    pub(super) fn product(&mut self, a: &Value, b: &Value, dims: &Dims) -> Value {
        let free = |x: &Value, contract: usize| {
            let kept = |(i, dim): (usize, &usize)| (i >= dims.batch && i != contract).then_some(*dim);
            x.ty.dims.iter().enumerate().filter_map(kept).collect::<Vec<_>>()
        };
        let shape = [&a.ty.dims[..dims.batch], &free(a, dims.contract[0]), &free(b, dims.contract[1])].concat();
        let ty = Type::new(shape, F32);
        let batches: Vec<usize> = (0..dims.batch).collect();
        let batching = match dims.batch {
            0 => String::new(),
            _ => format!("batching_dims = [{0}] x [{0}], ", list(&batches)),
        };
        let [of_a, of_b] = dims.contract;
        // Without it a compiler may take an f32 factor for a shorter type.
        let precision = if a.ty.element == F32 { ", precision = [HIGHEST, HIGHEST]" } else { "" };
        let given = format!("({}, {}) -> {ty}", a.ty, b.ty);
        self.define(
            &format!("dot_general {a}, {b}, {batching}contracting_dims = [{of_a}] x [{of_b}]{precision} : {given}"),
            ty,
        )
    }

    /// Reduces the last dimension with an operation of two arguments, by its name in the specification.
    pub(super) fn reduce(&mut self, name: &str, x: &Value, start: f32) -> Value {
        let start = self.number(start, &[]);
        let (last, kept) = x.ty.dims.split_last().expect("what is reduced has a dimension");
        let ty = Type::new(kept, x.ty.element);
        debug_assert!(*last > 0, "an axis has at least one position");
        let across = format!("across dimensions = [{}]", kept.len());
        let given = format!("({}, {}) -> {ty}", x.ty, start.ty);
        self.define(&format!("reduce({x} init: {start}) applies stablehlo.{name} {across} : {given}"), ty)
    }

    /// Opens a loop of `n` trips that carries values beside its counter; what follows is its body.
    pub(super) fn open_loop(&mut self, first: i64, n: i64, carried: &[Value]) -> Loop {
        let start = self.integer(first, &[]);
        let given: Vec<Value> = std::iter::once(start).chain(carried.iter().cloned()).collect();
        let result = self.fresh();
        let inner: Vec<Value> = given.iter().map(|v| Value { name: self.fresh(), ty: v.ty.clone() }).collect();
        let bound: Vec<String> = inner.iter().zip(&given).map(|(inner, outer)| format!("{inner} = {outer}")).collect();
        self.line(&format!("{result}:{} = stablehlo.while({}) : {}", given.len(), bound.join(", "), types(&given)));
        self.line("cond {");
        self.depth += 1;
        let end = self.integer(first + n, &[]);
        let goes_on = self.compare("LT", &inner[0], &end);
        self.line(&format!("stablehlo.return {goes_on} : {}", goes_on.ty));
        self.depth -= 1;
        self.line("} do {");
        self.depth += 1;
        let mut inner = inner.into_iter();
        let counter = inner.next().expect("the counter comes first");
        Loop { result, counter, carried: inner.collect() }
    }

    /// Closes a loop with the carried values of the next trip; those after the last one.
    pub(super) fn close_loop(&mut self, open: Loop, next: &[Value]) -> Vec<Value> {
        let one = self.integer(1, &[]);
        let counter = self.binary("add", &open.counter, &one);
        let given: Vec<Value> = std::iter::once(counter).chain(next.iter().cloned()).collect();
        self.line(&format!("stablehlo.return {} : {}", list(&given), types(&given)));
        self.depth -= 1;
        self.line("}");
        let results = open.carried.into_iter().enumerate();
        results.map(|(i, v)| Value { name: format!("{}#{}", open.result, i + 1), ty: v.ty }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_mlir_reads_them_and_read_back_as_themselves() {
        for x in [0.0, -1.0, 0.1, 1e-30, f32::MIN, f32::MIN_POSITIVE, 16_777_216.0] {
            let text = literal(x);
            assert!(text.contains('.') && text.parse() == Ok(x), "{text}");
        }
        assert_eq!(literal(f32::NEG_INFINITY), "0xFF800000");
    }
}
