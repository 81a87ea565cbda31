//! Blocks of a shader, how control flows between them, and which of them runs most.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use petgraph::algo::dominators;
use petgraph::graph::{DiGraph, NodeIndex};

use super::mix::Mix;

/// Turns that a loop is taken to make. How many it makes is not in the listing; eight prefer an inner loop to a longer
/// stretch around it.
const TURNS: usize = 8;
/// Multiply-adds of a lane that a product of matrices is taken for: 16 × 16 × 16 of them on 64 lanes.
const MATRIX: usize = 64;

/// A stretch of a listing under one label.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) label: String,
    pub(super) mix: Mix,
    /// Labels that control may go on at.
    pub(super) targets: Vec<String>,
}

/// The block that runs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hot {
    pub(super) mix: Mix,
    /// Loops around it; 0 where nothing turns.
    pub(super) depth: usize,
}

/// The block with most multiply-adds, each loop around it multiplying them; where there are none, with most instructions.
/// Stretches that always follow one another are one block.
///
/// # Errors
/// There is no block, or a label that is none.
pub(super) fn hottest(blocks: &[Block]) -> anyhow::Result<Hot> {
    let graph = graph(blocks)?;
    let depths = depths(&graph);
    let mut whole: BTreeMap<NodeIndex, Mix> = BTreeMap::new();
    for &node in depths.keys() {
        *whole.entry(first(&graph, node)).or_default() += graph[node];
    }
    let weight = |of: fn(&Mix) -> usize| {
        let weigh = |(node, mix): (&NodeIndex, &Mix)| Some((of(mix) * TURNS.checked_pow(depths[node] as u32)?, *node));
        whole.iter().filter_map(weigh).max()
    };
    let by_work = weight(|mix| mix.fma + MATRIX * mix.matrix).filter(|(work, _)| *work > 0);
    let (_, node) = by_work.or_else(|| weight(|mix| mix.issues)).context("a shader without a block")?;
    Ok(Hot { mix: whole[&node], depth: depths[&node] })
}

fn graph(blocks: &[Block]) -> anyhow::Result<DiGraph<Mix, ()>> {
    let mut graph = DiGraph::new();
    let mut nodes = BTreeMap::new();
    for block in blocks {
        let known = nodes.insert(block.label.as_str(), graph.add_node(block.mix));
        ensure!(known.is_none(), "two blocks are labelled `{}`", block.label);
    }
    for block in blocks {
        for target in &block.targets {
            let to = nodes.get(target.as_str()).with_context(|| format!("no block is labelled `{target}`"))?;
            graph.update_edge(nodes[block.label.as_str()], *to, ());
        }
    }
    Ok(graph)
}

/// Loops around each block that can be reached.
fn depths(graph: &DiGraph<Mix, ()>) -> BTreeMap<NodeIndex, usize> {
    let Some(entry) = graph.node_indices().next() else { return BTreeMap::new() };
    let dominators = dominators::simple_fast(graph, entry);
    let over = |node| dominators.dominators(node).into_iter().flatten();
    let mut loops: BTreeMap<NodeIndex, BTreeSet<NodeIndex>> = BTreeMap::new();
    for edge in graph.edge_indices() {
        let (from, head) = graph.edge_endpoints(edge).expect("an edge of this graph");
        if over(from).any(|node| node == head) {
            let body = loops.entry(head).or_insert_with(|| BTreeSet::from([head]));
            let mut open = vec![from];
            while let Some(node) = open.pop() {
                if body.insert(node) {
                    open.extend(graph.neighbors_directed(node, petgraph::Incoming));
                }
            }
        }
    }
    let reached = graph.node_indices().filter(|&node| over(node).next().is_some());
    reached.map(|node| (node, loops.values().filter(|body| body.contains(&node)).count())).collect()
}

/// The first of the blocks that always come before this one, without a way in or out between.
fn first(graph: &DiGraph<Mix, ()>, mut node: NodeIndex) -> NodeIndex {
    // From a block that can be reached the way back ends: at the entry, or where two ways meet.
    while let &[before] = &graph.neighbors_directed(node, petgraph::Incoming).collect::<Vec<_>>()[..] {
        if before == node || graph.neighbors(before).count() != 1 {
            break;
        }
        node = before;
    }
    node
}

#[cfg(test)]
mod tests {
    use super::super::mix::Mix;
    use super::{Block, Hot, hottest};

    /// Blocks as `label: fma, others -> targets`.
    fn check(blocks: &[(&str, usize, usize, &[&str])], expected: Result<Hot, &str>) {
        let block = |&(label, fma, vector, targets): &(&str, usize, usize, &[&str])| Block {
            label: label.into(),
            mix: mix(fma, vector),
            targets: targets.iter().map(|&target| target.into()).collect(),
        };
        let found = hottest(&blocks.iter().map(block).collect::<Vec<_>>());
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{blocks:?}");
    }

    fn mix(fma: usize, vector: usize) -> Mix {
        Mix { fma, vector, issues: fma + vector, ..Mix::default() }
    }

    #[test]
    fn an_inner_loop_beats_a_longer_stretch_around_it() {
        let blocks: [(&str, usize, usize, &[&str]); 4] =
            [("a", 100, 0, &["b"]), ("b", 30, 9, &["c"]), ("c", 4, 1, &["c", "d"]), ("d", 0, 0, &["b", "e"])];
        let end: (&str, usize, usize, &[&str]) = ("e", 0, 50, &[]);
        check(&[&blocks[..], &[end]].concat(), Ok(Hot { mix: mix(4, 1), depth: 2 }));
    }

    #[test]
    fn a_loop_whose_head_stands_below_its_body_is_one() {
        let blocks: [(&str, usize, usize, &[&str]); 4] = [
            ("entry", 9, 0, &["head"]),
            ("body", 5, 2, &["head"]),
            ("head", 0, 1, &["body", "end"]),
            ("end", 8, 0, &[]),
        ];
        check(&blocks, Ok(Hot { mix: mix(5, 2), depth: 1 }));
    }

    #[test]
    fn stretches_that_always_follow_one_another_are_one() {
        let blocks: [(&str, usize, usize, &[&str]); 4] =
            [("a", 0, 0, &["b"]), ("b", 2, 1, &["c"]), ("c", 3, 4, &["b", "d"]), ("d", 0, 7, &[])];
        check(&blocks, Ok(Hot { mix: mix(5, 5), depth: 1 }));
    }

    #[test]
    fn without_multiply_adds_the_longest_counts() {
        check(&[("a", 0, 3, &["b", "c"]), ("b", 0, 9, &["c"]), ("c", 0, 1, &[])], Ok(Hot { mix: mix(0, 9), depth: 0 }));
    }

    #[test]
    fn a_listing_that_makes_no_sense_is_an_error() {
        check(&[("a", 0, 3, &["b"])], Err("no block is labelled `b`"));
        check(&[("a", 0, 3, &[]), ("a", 0, 3, &[])], Err("two blocks are labelled `a`"));
        check(&[], Err("a shader without a block"));
    }
}
