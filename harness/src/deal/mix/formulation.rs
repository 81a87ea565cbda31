//! From a problem to a linear program: the columns, rows and objective of `mix`'s documentation.

use super::instance::Instance;
use super::linear::{Column, Domain, LinearProgram, Relation};
use super::problem::LimitOf;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What a column stands for; amounts are in the units of `Scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// `x`: chips that serve a workload.
    Used { v: usize, w: usize, t: usize },
    /// `h`: chips held, in use or idle.
    Held { v: usize, t: usize },
    /// `p`: dollars paid in a scenario; only where there is a floor, elsewhere they are the cost of the chips held.
    Paid { k: usize, v: usize, t: usize },
    /// `y`: whether the vendor serves the workload at all.
    Ported { v: usize, w: usize },
    /// `z`: the quantile of the total cost at alpha.
    Quantile,
    /// `u`: what a scenario costs beyond the quantile.
    Excess,
    /// Demand that is not met, where the shortfall is what is minimised.
    Short { w: usize, t: usize },
}

/// What a row states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Demand is served.
    Demand { w: usize, t: usize },
    /// Chips in use are held.
    Use,
    /// Chips held are paid for.
    Due,
    /// Only a ported workload is served.
    Ported,
    /// A set of vendors keeps within its share.
    Limit { l: usize, t: usize },
    /// The excess is what the cost is beyond the quantile.
    Tail,
}

/// A constraint of one quarter that can be lifted to see what conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clause {
    Demand(usize),
    Floor(usize),
    Limit(usize),
    Exclusivity(usize),
    Capacity(usize),
}

/// Which workloads may run where.
#[derive(Clone, Copy, Debug)]
pub(super) enum Porting<'a> {
    /// The program chooses, and pays for it.
    Chosen,
    /// Where `[v][w]` holds, at no cost.
    Given(&'a [Vec<bool>]),
    /// Everywhere, at no cost.
    Everywhere,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Discounted cost, its tail weighed if there is a risk.
    Cost,
    /// Unmet demand, each workload in units of its largest; costs nothing.
    Shortfall,
}

/// One linear program for a stretch of quarters.
#[derive(Debug)]
pub(super) struct Formulation<'a> {
    pub(super) instance: &'a Instance<'a>,
    pub(super) quarters: Range<usize>,
    pub(super) porting: Porting<'a>,
    pub(super) goal: Goal,
    pub(super) lifted: BTreeSet<Clause>,
}

/// The program of a [`Formulation`].
pub(super) type Program = LinearProgram<Quantity, Statement>;

/// What is known of one quarter while its rows are built.
struct Ledger {
    /// `[v]`: the column of chips held.
    held: Vec<usize>,
    /// `[k][v]`: the column that dollars are read from, and dollars of one unit of it.
    paid: Vec<Vec<(usize, f64)>>,
    /// `[w]`: terms of the tokens served.
    served: Vec<Vec<(usize, f64)>>,
}

impl<'a> Formulation<'a> {
    /// The cheapest allocation in those quarters.
    pub(super) fn of_cost(instance: &'a Instance<'a>, quarters: Range<usize>, porting: Porting<'a>) -> Self {
        Formulation { instance, quarters, porting, goal: Goal::Cost, lifted: BTreeSet::new() }
    }

    /// Writes the program.
    pub(super) fn program(&self) -> Program {
        let mut program = LinearProgram::new();
        let ported = self.ported(&mut program);
        let mut costs: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.instance.scenarios()];
        for t in self.quarters.clone() {
            let ledger = self.ledger(&mut program, &ported, t);
            self.demands(&mut program, &ledger, t);
            self.limits(&mut program, &ledger, t);
            for (cost, paid) in costs.iter_mut().zip(&ledger.paid) {
                cost.extend(paid.iter().map(|&(column, usd)| (column, usd * self.instance.discount(t))));
            }
        }
        if self.goal == Goal::Cost {
            self.objective(&mut program, &costs);
        }
        program
    }

    /// `[v][w]`: the binary of a choice that costs something.
    fn ported(&self, program: &mut Program) -> Vec<Vec<Option<usize>>> {
        let mut binary = |v: usize, w: usize| {
            let usd = self.instance.porting(v, w);
            let chosen = matches!(self.porting, Porting::Chosen) && usd > 0.0 && self.admits(v, w);
            let ported = Column::real(Quantity::Ported { v, w }, 0.0, 1.0);
            let cost = usd / self.instance.scale.usd;
            chosen.then(|| program.column(Column { cost, domain: Domain::Binary, ..ported }))
        };
        let workloads = self.instance.workloads();
        (0..self.instance.vendors()).map(|v| (0..workloads).map(|w| binary(v, w)).collect()).collect()
    }

    /// Columns and rows of what is used, held and paid in a quarter.
    fn ledger(&self, program: &mut Program, ported: &[Vec<Option<usize>>], t: usize) -> Ledger {
        let mut ledger = Ledger {
            held: Vec::new(),
            paid: vec![Vec::new(); self.instance.scenarios()],
            served: vec![Vec::new(); self.instance.workloads()],
        };
        for v in 0..self.instance.vendors() {
            let unit = self.instance.scale.chips[v];
            let most =
                if self.keeps(Clause::Capacity(v)) { self.instance.capacity(v, t) / unit } else { f64::INFINITY };
            let held = program.column(Column::real(Quantity::Held { v, t }, 0.0, most));
            for (k, paid) in ledger.paid.iter_mut().enumerate() {
                paid.push(self.paid(program, held, [k, v, t]));
            }
            let mut in_use = vec![(held, -1.0)];
            for w in 0..self.instance.workloads() {
                let Some(rate) = self.instance.rate(v, w, t).filter(|_| self.serves(v, w, t)) else { continue };
                let used = program.column(Column::real(Quantity::Used { v, w, t }, 0.0, f64::INFINITY));
                in_use.push((used, 1.0));
                ledger.served[w].push((used, rate * unit / self.instance.scale.tokens[w]));
                if let Some(ported) = ported[v][w] {
                    // The tightest coefficient that cuts no plan: all chips, or all of the demand.
                    let most = most.min(self.instance.demand(w, t) / rate / unit);
                    program.row(Statement::Ported, Relation::AtMost, 0.0, vec![(used, 1.0), (ported, -most)]);
                }
            }
            program.row(Statement::Use, Relation::AtMost, 0.0, in_use);
            ledger.held.push(held);
        }
        ledger
    }

    /// The column that the dollars of a vendor in a quarter are read from, and dollars of one unit of it.
    fn paid(&self, program: &mut Program, held: usize, [k, v, t]: [usize; 3]) -> (usize, f64) {
        let scale = &self.instance.scale;
        let cost = self.instance.cost(k, v, t) * scale.chips[v] / scale.usd;
        let floor = self.instance.floor(v, t) / scale.usd;
        if floor == 0.0 || !self.keeps(Clause::Floor(v)) {
            return (held, cost);
        }
        let most = self.instance.most_due(k, v, t) / scale.usd;
        let most = if self.keeps(Clause::Capacity(v)) { most } else { f64::INFINITY };
        let paid = program.column(Column::real(Quantity::Paid { k, v, t }, floor, most));
        program.row(Statement::Due, Relation::AtLeast, 0.0, vec![(paid, 1.0), (held, -cost)]);
        (paid, 1.0)
    }

    fn demands(&self, program: &mut Program, ledger: &Ledger, t: usize) {
        for (w, served) in ledger.served.iter().enumerate() {
            let demand = self.instance.demand(w, t) / self.instance.scale.tokens[w];
            if demand == 0.0 || !self.keeps(Clause::Demand(w)) {
                continue;
            }
            let mut terms = served.clone();
            if self.goal == Goal::Shortfall {
                let short = Column::real(Quantity::Short { w, t }, 0.0, demand);
                terms.push((program.column(Column { cost: 1.0, ..short }), 1.0));
            }
            program.row(Statement::Demand { w, t }, Relation::AtLeast, demand, terms);
        }
    }

    /// `Σ_S spend − share·Σ spend ≤ 0`, spend in the mean over scenarios; the same with power.
    fn limits(&self, program: &mut Program, ledger: &Ledger, t: usize) {
        let instance = self.instance;
        for (l, limit) in instance.problem.limits.iter().enumerate().filter(|(l, _)| self.keeps(Clause::Limit(*l))) {
            let factor = |v: usize| if instance.is_limited(l, v) { 1.0 - limit.share.0 } else { -limit.share.0 };
            let terms = match limit.of {
                LimitOf::Spend => self.mean(&ledger.paid, factor),
                LimitOf::Power => {
                    let unit = |v: usize| instance.problem.vendors[v].power.0 * instance.scale.chips[v];
                    let share = |(v, &held): (usize, &usize)| (held, factor(v) * unit(v) / instance.scale.power);
                    ledger.held.iter().enumerate().map(share).collect()
                }
            };
            program.row(Statement::Limit { l, t }, Relation::AtMost, 0.0, terms);
        }
    }

    /// Dollars in the mean over scenarios, each vendor's times a factor. Scenarios without a floor share one column.
    fn mean(&self, paid: &[Vec<(usize, f64)>], factor: impl Fn(usize) -> f64) -> Vec<(usize, f64)> {
        let mut terms = BTreeMap::new();
        for (k, paid) in paid.iter().enumerate() {
            for (v, &(column, usd)) in paid.iter().enumerate() {
                *terms.entry(column).or_insert(0.0) += self.instance.probability(k) * usd * factor(v);
            }
        }
        terms.into_iter().collect()
    }

    /// `(1 − weight)·E[cost] + weight·(z + E[u] / (1 − alpha))` with `u_k ≥ cost_k − z` (Rockafellar & Uryasev 2000).
    fn objective(&self, program: &mut Program, costs: &[Vec<(usize, f64)>]) {
        let weight = self.instance.tail_weight();
        for (k, cost) in costs.iter().enumerate() {
            for &(column, usd) in cost {
                program.columns[column].cost += (1.0 - weight) * self.instance.probability(k) * usd;
            }
        }
        let Some(risk) = self.instance.problem.risk.as_ref().filter(|risk| risk.weight > 0.0) else { return };
        let quantile = Column::real(Quantity::Quantile, f64::NEG_INFINITY, f64::INFINITY);
        let quantile = program.column(Column { cost: weight, ..quantile });
        for (k, cost) in costs.iter().enumerate() {
            let price = weight * self.instance.probability(k) / (1.0 - risk.alpha);
            let excess = Column { cost: price, ..Column::real(Quantity::Excess, 0.0, f64::INFINITY) };
            let mut terms = vec![(program.column(excess), 1.0), (quantile, 1.0)];
            terms.extend(cost.iter().map(|&(column, usd)| (column, -usd)));
            program.row(Statement::Tail, Relation::AtLeast, 0.0, terms);
        }
    }

    fn keeps(&self, clause: Clause) -> bool {
        !self.lifted.contains(&clause)
    }

    /// Whether exclusivity, if it holds, lets the vendor serve the workload.
    fn admits(&self, v: usize, w: usize) -> bool {
        self.instance.is_admitted(v, w) || !self.keeps(Clause::Exclusivity(w))
    }

    /// Whether the vendor may serve the workload, and there is something to serve.
    fn serves(&self, v: usize, w: usize, t: usize) -> bool {
        let given = match self.porting {
            Porting::Given(ported) => ported[v][w] || self.instance.porting(v, w) == 0.0,
            Porting::Chosen | Porting::Everywhere => true,
        };
        given && self.admits(v, w) && self.instance.demand(w, t) > 0.0
    }
}
