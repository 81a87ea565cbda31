//! Linear programs with binary columns, their duals, and the solver behind both.
//!
//! ```text
//! primal: min c·x    a_i·x ≥ b_i (or ≤),  l ≤ x ≤ u
//! dual:   max b·y + l·μ − u·ν    Σ_i a_ij·y_i + μ_j − ν_j = c_j,  y_i ≥ 0 (or ≤ 0),  μ, ν ≥ 0
//! ```
//! The solver gives no multipliers, so [`LinearProgram::multipliers`] solves the dual as a program of its own. That the
//! two objectives meet is then a proof of both, which is checked on every call.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOptions, TerminationReason, Variable};

/// How far two objectives, or an objective and its recomputation, may lie apart: relative, and absolute below 1.
pub(super) const OBJECTIVE_TOLERANCE: f64 = 1e-6;

/// Nodes of branch and bound before the best plan so far is returned with its gap; at the shape of the figure
/// (10 vendors, 32 quarters, 4 workloads) a proof takes about a hundred.
const MAX_NODES: u64 = 5000;

/// How a row compares with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    AtLeast,
    AtMost,
    Equal,
}

/// What values a column may take within its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    Real,
    Binary,
}

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Column<C> {
    pub(super) name: C,
    pub(super) cost: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) domain: Domain,
}

impl<C> Column<C> {
    /// A real column without cost.
    pub(super) fn real(name: C, lower: f64, upper: f64) -> Self {
        Column { name, cost: 0.0, lower, upper, domain: Domain::Real }
    }
}

/// A constraint; each column at most once among its terms.
#[derive(Clone, Debug)]
pub(super) struct Row<R> {
    pub(super) name: R,
    pub(super) relation: Relation,
    pub(super) bound: f64,
    pub(super) terms: Vec<(usize, f64)>,
}

/// `min Σ cost·x` over columns within their bounds that satisfy the rows.
#[derive(Clone, Debug)]
pub(super) struct LinearProgram<C, R> {
    pub(super) columns: Vec<Column<C>>,
    pub(super) rows: Vec<Row<R>>,
}

/// A solution of a program.
#[derive(Clone, Debug)]
pub(super) struct Optimum {
    /// One value a column.
    pub(super) values: Vec<f64>,
    /// `Σ cost·x`.
    pub(super) objective: f64,
    /// How far the objective may lie above the least, relative; 0 where the least was proven.
    pub(super) gap: f64,
}

/// What the objective gains for each unit that a row's bound, or a column's, is raised.
#[derive(Clone, Debug)]
pub(super) struct Multipliers {
    /// `∂objective/∂bound` of each row.
    pub(super) rows: Vec<f64>,
    /// `∂objective/∂lower` of each column, 0 or more.
    pub(super) lower: Vec<f64>,
    /// `−∂objective/∂upper` of each column, 0 or more.
    pub(super) upper: Vec<f64>,
    /// The dual's objective.
    pub(super) objective: f64,
}

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// No values satisfy every row and bound.
    Infeasible,
    /// The solver did not answer.
    Solver(String),
}

/// A column of the dual.
#[derive(Clone, Copy, Debug)]
enum Dual {
    Row(usize),
    Lower(usize),
    Upper(usize),
}

impl<C, R> LinearProgram<C, R> {
    pub(super) fn new() -> Self {
        LinearProgram { columns: Vec::new(), rows: Vec::new() }
    }

    /// Adds a variable; its index.
    pub(super) fn column(&mut self, column: Column<C>) -> usize {
        self.columns.push(column);
        self.columns.len() - 1
    }

    /// Adds a constraint.
    pub(super) fn row(&mut self, name: R, relation: Relation, bound: f64, terms: Vec<(usize, f64)>) {
        self.rows.push(Row { name, relation, bound, terms });
    }

    /// The least objective and where it is taken: a vertex, and always the same one for the same program.
    pub(super) fn minimise(&self) -> Result<Optimum, Failure> {
        let (problem, variables) = self.translated();
        let mut options = SolveOptions::default();
        options.node_limit = Some(MAX_NODES);
        let outcome = problem.solve_with(options).map_err(|error| match error {
            microlp::Error::Infeasible => Failure::Infeasible,
            other => Failure::Solver(other.to_string()),
        })?;
        let Some(solution) = outcome.solution() else {
            return Err(Failure::Solver(format!("no plan was found within {MAX_NODES} nodes of branch and bound")));
        };
        let proven = outcome.termination_reason() == TerminationReason::ProvenOptimal;
        let gap = if proven { 0.0 } else { solution.gap().unwrap_or(f64::INFINITY) };
        let values: Vec<f64> = variables.iter().map(|&variable| solution.var_value(variable)).collect();
        let objective = self.columns.iter().zip(&values).map(|(column, value)| column.cost * value).sum();
        Ok(Optimum { values, objective, gap })
    }

    fn translated(&self) -> (Problem, Vec<Variable>) {
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let add = |column: &Column<C>| match column.domain {
            Domain::Real => problem.add_var(column.cost, (column.lower, column.upper)),
            Domain::Binary => problem.add_binary_var(column.cost),
        };
        let variables: Vec<Variable> = self.columns.iter().map(add).collect();
        for row in &self.rows {
            let operator = match row.relation {
                Relation::AtLeast => ComparisonOp::Ge,
                Relation::AtMost => ComparisonOp::Le,
                Relation::Equal => ComparisonOp::Eq,
            };
            let terms = row.terms.iter().filter(|(_, factor)| *factor != 0.0);
            let terms: Vec<_> = terms.map(|&(column, factor)| (variables[column], factor)).collect();
            problem.add_constraint(terms, operator, row.bound);
        }
        (problem, variables)
    }

    /// Multipliers of a program without binary columns that has a solution.
    pub(super) fn multipliers(&self) -> Result<Multipliers, Failure> {
        let dual = self.dual();
        let optimum = dual.minimise()?;
        let mut multipliers = Multipliers {
            rows: vec![0.0; self.rows.len()],
            lower: vec![0.0; self.columns.len()],
            upper: vec![0.0; self.columns.len()],
            objective: -optimum.objective,
        };
        for (column, &value) in dual.columns.iter().zip(&optimum.values) {
            match column.name {
                Dual::Row(i) => multipliers.rows[i] = value,
                Dual::Lower(j) => multipliers.lower[j] = value,
                Dual::Upper(j) => multipliers.upper[j] = value,
            }
        }
        Ok(multipliers)
    }

    /// The dual as a minimisation. A lower bound of 0 gains nothing, so its multiplier is left out, as the slack of a
    /// row that is then an inequality; [`Multipliers::lower`] reads 0 there.
    fn dual(&self) -> LinearProgram<Dual, usize> {
        let mut dual = LinearProgram::new();
        let mut terms: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.columns.len()];
        for (i, row) in self.rows.iter().enumerate() {
            let (lower, upper) = match row.relation {
                Relation::AtLeast => (0.0, f64::INFINITY),
                Relation::AtMost => (f64::NEG_INFINITY, 0.0),
                Relation::Equal => (f64::NEG_INFINITY, f64::INFINITY),
            };
            let y = dual.column(Column { cost: -row.bound, ..Column::real(Dual::Row(i), lower, upper) });
            for &(j, factor) in &row.terms {
                terms[j].push((y, factor));
            }
        }
        for (j, (column, mut terms)) in self.columns.iter().zip(terms).enumerate() {
            if column.upper.is_finite() {
                let nu = Column { cost: column.upper, ..Column::real(Dual::Upper(j), 0.0, f64::INFINITY) };
                terms.push((dual.column(nu), -1.0));
            }
            if column.lower.is_finite() && column.lower != 0.0 {
                let mu = Column { cost: -column.lower, ..Column::real(Dual::Lower(j), 0.0, f64::INFINITY) };
                terms.push((dual.column(mu), 1.0));
            }
            let relation = if column.lower == 0.0 { Relation::AtMost } else { Relation::Equal };
            dual.row(j, relation, column.cost, terms);
        }
        dual
    }
}

/// Whether two objectives agree within [`OBJECTIVE_TOLERANCE`].
pub(super) fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= OBJECTIVE_TOLERANCE * a.abs().max(b.abs()).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// min 2x + 3y with x + y ≥ 4, x ≤ 3: x = 3, y = 1, 9 dollars.
    fn example() -> LinearProgram<&'static str, &'static str> {
        let mut program = LinearProgram::new();
        let x = program.column(Column { cost: 2.0, ..Column::real("x", 0.0, 3.0) });
        let y = program.column(Column { cost: 3.0, ..Column::real("y", 0.0, f64::INFINITY) });
        program.row("demand", Relation::AtLeast, 4.0, vec![(x, 1.0), (y, 1.0)]);
        program
    }

    #[test]
    fn a_unit_of_demand_costs_the_dearer_column_and_a_unit_of_the_cheaper_saves_the_difference() {
        let optimum = example().minimise().expect("has a solution");
        assert_eq!((optimum.values, optimum.objective, optimum.gap), (vec![3.0, 1.0], 9.0, 0.0));
        let multipliers = example().multipliers().expect("has a solution");
        assert_eq!(multipliers.rows, [3.0]);
        assert_eq!(multipliers.upper, [1.0, 0.0]);
        assert!(agree(multipliers.objective, 9.0));
    }

    #[test]
    fn multipliers_of_lower_bounds_free_columns_and_rows_from_above_have_their_signs() {
        // min x + z with 2 ≤ x ≤ 5, z free, z ≥ −7 (as −z ≤ 7): x = 2, z = −7, objective −5.
        let mut program = LinearProgram::new();
        program.column(Column { cost: 1.0, ..Column::real("x", 2.0, 5.0) });
        let z = program.column(Column { cost: 1.0, ..Column::real("z", f64::NEG_INFINITY, f64::INFINITY) });
        program.row("floor", Relation::AtMost, 7.0, vec![(z, -1.0)]);
        let optimum = program.minimise().expect("has a solution");
        assert_eq!(optimum.objective, -5.0);
        let multipliers = program.multipliers().expect("has a solution");
        assert_eq!(multipliers.objective, -5.0);
        // A unit on the lower bound of x costs 1; a unit on the bound of the row saves 1.
        assert_eq!((multipliers.lower[0], multipliers.upper[0], multipliers.rows[0]), (1.0, 0.0, -1.0));
    }

    #[test]
    fn a_program_without_a_solution_says_so() {
        let mut program = example();
        program.columns[1].upper = 0.5;
        assert_eq!(program.minimise().map(|o| o.objective), Err(Failure::Infeasible));
    }

    #[test]
    fn a_binary_column_is_paid_whole() {
        // Half the gate would do, but a gate is open or shut.
        let mut program = example();
        let gate = program.column(Column { cost: 10.0, domain: Domain::Binary, ..Column::real("gate", 0.0, 1.0) });
        program.row("needs", Relation::AtMost, 0.0, vec![(0, 1.0), (gate, -6.0)]);
        // Without x, four y cost 12; with it, 9 + 10.
        let optimum = program.minimise().expect("has a solution");
        assert_eq!((optimum.objective, optimum.values), (12.0, vec![0.0, 4.0, 0.0]));
    }
}
