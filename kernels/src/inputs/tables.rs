//! Tables: what is drawn, and what is accepted of the user.

use super::{InputError, Operand, splitmix};
use crate::problem::{GroupedProblem, OperandShape, Problem};
use crate::program::{check_pages, check_stretches};

/// A table of a problem.
pub(super) fn table(problem: &Problem, shape: OperandShape, seed: u64) -> Operand {
    let entries = match problem {
        Problem::Grouped(p) => offsets(p, seed),
        _ => shuffled(shape.elems(), seed),
    };
    Operand { bytes: entries.into_iter().flat_map(i32::to_le_bytes).collect(), shape }
}

/// Whether a table may be this problem's.
pub(super) fn check_table(problem: &Problem, table: &Operand) -> Result<(), InputError> {
    match problem {
        Problem::Attention(p) => check_pages(table.shape.name, &table.bytes, "k", p.k().dims[0])?,
        Problem::Grouped(p) => {
            let m = p.sizes().m;
            check_stretches(table.shape.name, &table.bytes, m)?;
            let entries = table.values();
            if entries.first() != Some(&0.0) || entries.last().map(|end| *end as usize) != Some(m) {
                return Err(InputError::RowsWithoutGroup { m });
            }
        }
        Problem::Matmul(_) => {}
    }
    Ok(())
}

/// As many pages as there are entries, each of them once, in random order.
fn shuffled(entries: usize, seed: u64) -> Vec<i32> {
    let mut pages: Vec<i32> = (0..entries as i32).collect();
    // Fisher & Yates 1938, as Durstenfeld 1964 has it.
    for last in (1..pages.len()).rev() {
        pages.swap(last, (splitmix(seed, last as u64) % (last as u64 + 1)) as usize);
    }
    pages
}

/// Where groups begin when each row goes to a random one, after as many groups as can have got a row each.
fn offsets(problem: &GroupedProblem, seed: u64) -> Vec<i32> {
    let p = problem.sizes();
    let mut rows = vec![0; p.groups];
    for group in &shuffled(p.groups, seed)[..problem.busy_groups()] {
        rows[*group as usize] = 1;
    }
    for row in problem.busy_groups()..p.m {
        rows[(splitmix(!seed, row as u64) % p.groups as u64) as usize] += 1;
    }
    let mut end = 0;
    [0].into_iter().chain(rows.into_iter().map(|n| (end += n, end).1)).collect()
}
