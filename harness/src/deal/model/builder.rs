//! Collects inputs and findings while a scenario is turned into a model.

use crate::catalogue::{Catalogue, Source};
use crate::deal::input::{Input, Slot};
use crate::deal::scenario::Scenario;
use crate::deal::term::{Curve, Dimension, Tail, Term};
use crate::finding::Findings;
use crate::units::{Count, Estimate, Kinds, Quantity};
use std::collections::BTreeSet;

pub(super) struct Builder<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) catalogue: &'a Catalogue,
    inputs: Vec<Input>,
    findings: Findings,
    cited: BTreeSet<&'a str>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(scenario: &'a Scenario, catalogue: &'a Catalogue) -> Self {
        Builder { scenario, catalogue, inputs: Vec::new(), findings: Findings::default(), cited: BTreeSet::new() }
    }

    pub(super) fn finish(self) -> (Vec<Input>, Findings) {
        (self.inputs, self.findings)
    }

    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.findings.error(path, message);
    }

    pub(super) fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.findings.warn(path, message);
    }

    /// Makes a term an input.
    pub(super) fn term<Q: Dimension>(&mut self, path: impl Into<String>, term: &'a Term<Q>) -> Slot {
        let path = path.into();
        let cases = term.cases().unwrap_or_else(|problem| {
            self.error(&path, problem);
            [1.0; 3]
        });
        let kinds = self.kinds(&path, &term.source);
        let (support, tail, source) = (Q::SUPPORT, term.tail, term.source.clone());
        self.input(Input { path, unit: Q::own_unit(), cases, support, tail, kinds, source })
    }

    /// A term that may be left out.
    pub(super) fn optional<Q: Dimension>(&mut self, path: String, term: Option<&'a Term<Q>>) -> Option<Slot> {
        term.map(|term| self.term(path, term))
    }

    /// Makes the height of a curve an input: a multiple of 1, or of what `scale` says.
    pub(super) fn curve<Q: Dimension>(
        &mut self,
        path: &str,
        curve: &'a Curve,
        scale: Option<&'a Term<Count>>,
    ) -> (Vec<[f64; 2]>, Slot) {
        let points = curve.cases::<Q>().unwrap_or_else(|problem| {
            self.error(path, problem);
            vec![[0.0, 1.0]]
        });
        let kinds = self.kinds(path, &curve.source);
        let slot = match scale {
            Some(scale) => self.term(format!("{path}.scale"), scale),
            None => self.estimate(path, Estimate::point(Count(1.0), Kinds::NONE), &curve.source),
        };
        self.inputs[slot].kinds = self.inputs[slot].kinds.union(kinds);
        (points, slot)
    }

    /// Makes a figure that was worked out an input.
    pub(super) fn estimate<Q: Dimension>(
        &mut self,
        path: impl Into<String>,
        estimate: Estimate<Q>,
        source: &str,
    ) -> Slot {
        let cases = [estimate.low, estimate.mid, estimate.high].map(Quantity::value);
        let (path, kinds, source) = (path.into(), estimate.kinds, source.to_string());
        let (unit, support, tail) = (Q::own_unit(), Q::SUPPORT, Tail::Normal);
        self.input(Input { path, unit, cases, support, tail, kinds, source })
    }

    fn input(&mut self, input: Input) -> Slot {
        self.inputs.push(input);
        self.inputs.len() - 1
    }

    /// The central case of an input.
    pub(super) fn mid(&self, slot: Slot) -> f64 {
        self.inputs[slot].cases[1]
    }

    /// The high case of an input.
    pub(super) fn high(&self, slot: Slot) -> f64 {
        self.inputs[slot].cases[2]
    }

    /// Refuses an input whose low case is 0.
    pub(super) fn above_zero(&mut self, slot: Slot, why: &str) {
        if self.inputs[slot].cases[0] <= 0.0 {
            let path = self.inputs[slot].path.clone();
            self.error(path, format!("is 0; give more, or {why}"));
        }
    }

    /// Kinds of a source, and a finding where there is no such source.
    pub(super) fn kinds(&mut self, path: &str, source: &'a str) -> Kinds {
        self.cited.insert(source);
        match self.scenario.source.iter().find(|known| known.id == source) {
            Some(known) => known.kind.into(),
            None => {
                self.error(path, format!("cites source `{source}`, which the file does not list; add a [[source]]"));
                Kinds::NONE
            }
        }
    }

    /// Where an id is listed; a finding where it is not.
    pub(super) fn index<'n>(
        &mut self,
        path: &str,
        what: &str,
        id: &str,
        mut known: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<usize> {
        let found = known.clone().position(|name| name == id);
        if found.is_none() {
            let all: Vec<&str> = known.by_ref().collect();
            self.error(path, crate::nearest::unknown(what, id, &all));
        }
        found
    }

    pub(super) fn party(&mut self, path: &str, id: &str) -> usize {
        let scenario = self.scenario;
        self.index(path, "party", id, scenario.party.iter().map(|party| party.id.as_str())).unwrap_or_default()
    }

    pub(super) fn vendor(&mut self, path: &str, id: &str) -> usize {
        let scenario = self.scenario;
        self.index(path, "vendor", id, scenario.vendor.iter().map(|vendor| vendor.id.as_str())).unwrap_or_default()
    }

    pub(super) fn compute(&mut self, path: &str, id: &str) -> usize {
        let scenario = self.scenario;
        self.index(path, "commitment", id, scenario.compute.iter().map(|compute| compute.id.as_str()))
            .unwrap_or_default()
    }

    /// The input of that path; a finding where there is none.
    pub(super) fn slot_of(&mut self, path: &str, name: &str) -> Option<Slot> {
        let paths: Vec<String> = self.inputs.iter().map(|input| input.path.clone()).collect();
        self.index(path, "input", name, paths.iter().map(String::as_str))
    }

    /// Where an input stands.
    pub(super) fn path(&self, slot: Slot) -> String {
        self.inputs[slot].path.clone()
    }

    /// Whether an input has a spread.
    pub(super) fn is_uncertain(&self, slot: Slot) -> bool {
        self.inputs[slot].is_uncertain()
    }

    pub(super) fn unique<'n>(&mut self, list: &str, ids: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
                self.error(format!("{list}.{id}"), "an id is letters, digits, - and _");
            }
            if !seen.insert(id) {
                self.error(format!("{list}.{id}"), "this id is given twice");
            }
        }
    }

    /// Warns of sources that nothing cites.
    pub(super) fn uncited(&mut self) {
        let uncited = |source: &&Source| !self.cited.contains(source.id.as_str());
        let paths: Vec<String> = self.scenario.source.iter().filter(uncited).map(|s| s.id.clone()).collect();
        for id in paths {
            self.warn(format!("source.{id}"), "nothing cites it");
        }
    }
}
