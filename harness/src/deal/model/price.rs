//! What a commitment's price follows, and in which order prices can be worked out.

use super::builder::Builder;
use super::contract::Contract;
use crate::deal::input::Slot;
use crate::deal::scenario::Compute;

/// What a re-opener caps a price by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deal) enum PriceRule {
    /// The vendor's market price.
    Market,
    /// The price of another commitment.
    Contract(usize),
}

pub(super) fn reopeners<'a>(b: &mut Builder<'a>, compute: &'a Compute) -> Vec<(Slot, PriceRule)> {
    let mut rules = Vec::new();
    for (idx, reopener) in compute.reopener.iter().enumerate() {
        let at = |field: &str| format!("compute.{}.reopener.{idx}.{field}", compute.id);
        let after = b.term(at("after"), &reopener.after);
        let rule = if reopener.to == "market" {
            PriceRule::Market
        } else {
            PriceRule::Contract(b.compute(&at("to"), &reopener.to))
        };
        like_chips(b, &at("to"), compute, rule);
        rules.push((after, rule));
    }
    rules
}

pub(super) fn most_favoured<'a>(b: &mut Builder<'a>, compute: &'a Compute) -> Vec<usize> {
    let path = format!("compute.{}.most_favoured", compute.id);
    let mut others = Vec::new();
    for id in &compute.most_favoured {
        let other = b.compute(&path, id);
        like_chips(b, &path, compute, PriceRule::Contract(other));
        others.push(other);
    }
    others
}

/// An hour of one chip is no measure for an hour of another.
fn like_chips(b: &mut Builder<'_>, path: &str, compute: &Compute, rule: PriceRule) {
    let PriceRule::Contract(other) = rule else { return };
    let scenario = b.scenario;
    // A chip that stands in for another is as unlike it as any: the multiple of its speed tells them apart.
    let chip = |vendor: &str| {
        let known = scenario.vendor.iter().find(|known| known.id == vendor)?;
        Some((&known.chip, known.speed.as_ref().map(|speed| speed.written)))
    };
    let Some(other) = scenario.compute.get(other) else { return };
    if let (Some(ours), Some(theirs)) = (chip(&compute.vendor), chip(&other.vendor))
        && ours != theirs
    {
        let (ours, theirs) = (&compute.vendor, &other.vendor);
        let message = format!("compares an hour at {ours} with one at {theirs} (`{}`): their chips differ", other.id);
        b.error(path, message);
    }
}

/// Commitments in an order in which each comes after those that its price follows.
pub(super) fn order(b: &mut Builder<'_>, contracts: &[Contract]) -> Vec<usize> {
    let mut order = Vec::with_capacity(contracts.len());
    for idx in 0..contracts.len() {
        if let Err(cycle) = visit(idx, contracts, &mut Vec::new(), &mut order) {
            let names: Vec<&str> = cycle.iter().map(|idx| contracts[*idx].id.as_str()).collect();
            let message = format!("its price follows itself: {}; remove one of these links", names.join(" → "));
            b.error(format!("compute.{}.reopener", names[0]), message);
            break;
        }
    }
    order
}

/// Depth first. `path` holds the commitments from the first one here; meeting one of them again closes a cycle.
fn visit(idx: usize, contracts: &[Contract], path: &mut Vec<usize>, order: &mut Vec<usize>) -> Result<(), Vec<usize>> {
    if order.contains(&idx) {
        return Ok(());
    }
    if let Some(first) = path.iter().position(|open| *open == idx) {
        return Err(path[first..].iter().copied().chain([idx]).collect());
    }
    path.push(idx);
    for next in follows(&contracts[idx]) {
        visit(next, contracts, path, order)?;
    }
    path.pop();
    order.push(idx);
    Ok(())
}

fn follows(contract: &Contract) -> impl Iterator<Item = usize> {
    let reopened = contract.reopeners.iter().filter_map(|(_, rule)| match rule {
        PriceRule::Market => None,
        PriceRule::Contract(other) => Some(*other),
    });
    reopened.chain(contract.most_favoured.iter().copied())
}
