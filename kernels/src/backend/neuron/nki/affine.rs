//! Positions and sizes as the kernel's text writes them.
//!
//! NKI runs the Python of a kernel when it traces it, so loop variables are plain integers there, and what exists of an
//! edge tile is a `min`. Sizes that cannot vary are written as numbers.

use crate::program::{Bound, Index, Span, Var};

/// How many positions of an axis a tile has: as text, and at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) text: String,
    pub(super) max: usize,
    pub(super) may_be_zero: bool,
}

impl Size {
    pub(super) fn fixed(n: usize) -> Size {
        Size { text: n.to_string(), max: n, may_be_zero: false }
    }

    /// Whether it is always its greatest.
    pub(super) fn is_fixed(&self) -> bool {
        self.text == self.max.to_string()
    }

    /// Chunks of `of` positions that cover it, at most.
    pub(super) fn chunks(&self, of: usize) -> usize {
        self.max.div_ceil(of)
    }

    /// Chunks of `of` positions that cover what exists, as text.
    pub(super) fn chunks_text(&self, of: usize) -> String {
        if self.is_fixed() { self.chunks(of).to_string() } else { format!("({} + {}) // {of}", self.text, of - 1) }
    }
}

/// `base + Σ coefficient · variable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Affine {
    base: i64,
    terms: Vec<(Var, i64)>,
}

impl Affine {
    pub(super) fn constant(base: i64) -> Affine {
        Affine { base, terms: Vec::new() }
    }

    pub(super) fn scaled(&self, factor: i64) -> Affine {
        Affine { base: self.base * factor, terms: self.terms.iter().map(|&(v, c)| (v, c * factor)).collect() }
    }

    pub(super) fn plus(mut self, other: &Affine) -> Affine {
        self.base += other.base;
        for &(var, c) in &other.terms {
            match self.terms.iter_mut().find(|(v, _)| *v == var) {
                Some((_, sum)) => *sum += c,
                None => self.terms.push((var, c)),
            }
        }
        self.terms.retain(|(_, c)| *c != 0);
        self
    }

    /// A quotient without remainder.
    pub(super) fn divided(&self, divisor: i64) -> Affine {
        Affine { base: self.base / divisor, terms: self.terms.iter().map(|&(v, c)| (v, c / divisor)).collect() }
    }

    /// Whether every value is a multiple of `n`.
    pub(super) fn is_multiple_of(&self, n: i64) -> bool {
        self.base % n == 0 && self.terms.iter().all(|(_, c)| c % n == 0)
    }
}

/// The grid and loop variables of a stage: their names, their ranges, and the sizes that vary with them.
#[derive(Debug)]
pub(super) struct Scope {
    /// Of the variables opened so far.
    names: Vec<String>,
    /// Whether it is 0 and not written: the axis of a single point.
    single: Vec<bool>,
    open: Vec<Var>,
    /// Least and greatest value, both included.
    ranges: Vec<(i64, i64)>,
    sizes: Vec<(Span, String)>,
}

impl Scope {
    pub(super) fn new(n_vars: usize) -> Scope {
        Scope {
            names: vec![String::new(); n_vars],
            single: vec![false; n_vars],
            open: Vec::new(),
            ranges: vec![(0, 0); n_vars],
            sizes: Vec::new(),
        }
    }

    /// Opens the variable of an axis with a single point.
    pub(super) fn open_single(&mut self, var: Var) {
        self.single[var.0 as usize] = true;
        self.open(var, "0".into(), (0, 0));
    }

    /// Opens a variable.
    pub(super) fn open(&mut self, var: Var, name: String, range: (i64, i64)) {
        self.names[var.0 as usize] = name;
        self.ranges[var.0 as usize] = range;
        self.open.push(var);
    }

    /// Supposes a range for a variable that is not open yet.
    pub(super) fn suppose(&mut self, var: Var, range: (i64, i64)) {
        self.ranges[var.0 as usize] = range;
    }

    /// Whether a tile of the span may lie beyond its axis altogether.
    pub(super) fn may_be_empty(&self, span: &Span) -> bool {
        self.greatest(span) >= span.len as i64
    }

    pub(super) fn name(&self, var: Var) -> &str {
        &self.names[var.0 as usize]
    }

    /// Closes the variable opened last; the sizes that are known once it has a value, as definitions.
    pub(super) fn close(&mut self) -> Vec<(String, String)> {
        let var = self.open.last().copied();
        let known = |span: &Span| {
            let terms = self.affine(&span.start).terms;
            terms.iter().any(|(v, _)| Some(*v) == var) && terms.iter().all(|(v, _)| self.open.contains(v))
        };
        let defined = self.sizes.iter().filter(|(span, _)| known(span));
        let definitions = defined.map(|(span, name)| (name.clone(), self.valid(span))).collect();
        self.open.pop();
        definitions
    }

    fn valid(&self, span: &Span) -> String {
        let left = Affine::constant(span.len as i64).plus(&self.affine(&span.start).scaled(-1));
        let valid = format!("min({}, {})", span.size, self.text(&left));
        if self.may_be_empty(span) { format!("max(0, {valid})") } else { valid }
    }

    /// An index without the variables that are always 0.
    pub(super) fn affine(&self, index: &Index) -> Affine {
        let terms = index.terms().filter(|(v, _)| !self.single[v.0 as usize]).collect();
        Affine { base: index.base(), terms }
    }

    pub(super) fn text(&self, affine: &Affine) -> String {
        let mut text = String::new();
        let terms = affine.terms.iter().map(|&(v, c)| match c.abs() {
            1 => (c < 0, self.name(v).to_owned()),
            size => (c < 0, format!("{} * {size}", self.name(v))),
        });
        // A constant with a minus sign reads better at the end, one before a difference at the front.
        let mut all: Vec<(bool, String)> = terms.collect();
        if affine.base != 0 || all.is_empty() {
            let at = if all.first().is_some_and(|(negative, _)| *negative) { 0 } else { all.len() };
            all.insert(at, (affine.base < 0, affine.base.abs().to_string()));
        }
        for (i, (negative, term)) in all.into_iter().enumerate() {
            text += match (i, negative) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            text += &term;
        }
        text
    }

    pub(super) fn bound(&self, bound: &Bound) -> String {
        let affine = self.affine(&bound.index);
        if affine.terms.is_empty() {
            return affine.base.div_euclid(bound.divisor).to_string();
        }
        let index = self.text(&affine);
        if bound.divisor == 1 { index } else { format!("({index}) // {}", bound.divisor) }
    }

    /// Least and greatest value of a bound.
    pub(super) fn range(&self, bound: &Bound) -> (i64, i64) {
        bound.range(&self.ranges).expect("the verifier found that bounds do not overflow")
    }

    fn greatest(&self, span: &Span) -> i64 {
        span.start.range(&self.ranges).expect("the verifier found that indices do not overflow").1
    }

    /// The span with variables that are always 0 left out, so that equal places compare equal.
    pub(super) fn resolved(&self, span: &Span) -> Span {
        let start = self.affine(&span.start);
        let terms = start.terms.iter().map(|&(v, c)| Index::from(v) * c);
        Span { start: terms.fold(Index::constant(start.base), |sum, term| sum + term), ..*span }
    }

    /// What exists of a span whose variables are open.
    pub(super) fn size(&mut self, span: &Span, fresh: impl FnOnce(&str) -> String) -> Size {
        let start = self.affine(&span.start);
        let greatest = self.greatest(span);
        if start.terms.is_empty() {
            let valid = (span.len as i64 - start.base).clamp(0, span.size as i64) as usize;
            // A tile of which nothing ever exists still needs a place.
            return Size { text: valid.to_string(), max: valid.max(1), may_be_zero: valid == 0 };
        }
        if greatest + span.size as i64 <= span.len as i64 {
            return Size::fixed(span.size);
        }
        let known = self.sizes.iter().find(|(known, _)| known == span).map(|(_, name)| name.clone());
        let text = known.unwrap_or_else(|| {
            let var = start.terms.last().map_or("0", |(v, _)| self.name(*v));
            let name = fresh(&format!("n_{var}"));
            self.sizes.push((*span, name.clone()));
            name
        });
        Size { text, max: span.size, may_be_zero: self.may_be_empty(span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new(3);
        scope.open(Var(0), "i".into(), (0, 3));
        scope.open_single(Var(1));
        scope.open(Var(2), "l".into(), (0, 9));
        scope
    }

    #[test]
    fn indices_read_as_one_writes_them() {
        let (scope, [i, j, l]) = (scope(), [0, 1, 2].map(|v| Index::from(Var(v))));
        let text = |index: Index| scope.text(&scope.affine(&index));
        assert_eq!(text(i * 128 + l * -1 + 4), "i * 128 - l + 4");
        assert_eq!(text(j * 5), "0");
        assert_eq!(text(i * -4 + 7), "7 - i * 4");
        assert_eq!(scope.bound(&Bound { index: i * 4 + -3, divisor: 2 }), "(i * 4 - 3) // 2");
    }

    #[test]
    fn sizes_that_cannot_vary_are_numbers_and_others_are_defined_where_their_variable_is() {
        let mut scope = scope();
        let full = scope.size(&Span::tile(Var(0), 4, 16), str::to_owned);
        let edge = scope.size(&Span::tile(Var(0), 4, 14), str::to_owned);
        let beyond = scope.size(&Span::tile(Var(2), 4, 14), str::to_owned);
        assert_eq!((full.text.as_str(), full.is_fixed()), ("4", true));
        assert_eq!((edge.text.as_str(), edge.may_be_zero), ("n_i", false));
        assert!(beyond.may_be_zero);
        assert_eq!(scope.close(), [("n_l".to_owned(), "max(0, min(4, 14 - l * 4))".to_owned())]);
        assert_eq!(scope.close(), []);
        assert_eq!(scope.close(), [("n_i".to_owned(), "min(4, 14 - i * 4)".to_owned())]);
    }
}
