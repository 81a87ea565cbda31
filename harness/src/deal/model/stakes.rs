//! Equity, warrants, shares of revenue and beliefs as they are computed.

use super::builder::Builder;
use super::contract::Contract;
use crate::deal::copula::Copula;
use crate::deal::input::Slot;
use crate::deal::scenario::{Closing, Equity, Scope, Warrant, years_between};
use crate::deal::term::at;
use crate::units::Usd;

/// Most parts of a warrant: which are open is kept in the bits of a word.
const MOST_TRANCHES: usize = 63;
/// How far priors may be from 1 together: what typing three digits each loses.
const PRIORS_TOLERANCE: f64 = 1e-6;

/// A purchase of equity. Times are years from the scenario's start.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Stake {
    pub(in crate::deal) id: String,
    pub(in crate::deal) investor: usize,
    pub(in crate::deal) issuer: usize,
    pub(in crate::deal) amount: Slot,
    pub(in crate::deal) valuation: Slot,
    pub(in crate::deal) round: Option<Slot>,
    pub(in crate::deal) closes: f64,
    /// Probability, wait, and the time at which the promise lapses.
    pub(in crate::deal) contingent: Option<(Slot, Slot, f64)>,
    pub(in crate::deal) fair_value: Slot,
    /// Years from payment to sale, and the multiple of fair value then.
    pub(in crate::deal) exit: (Slot, Slot),
}

/// A warrant.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Grant {
    pub(in crate::deal) id: String,
    pub(in crate::deal) issuer: usize,
    pub(in crate::deal) holder: usize,
    pub(in crate::deal) strike: Slot,
    pub(in crate::deal) spot: Slot,
    pub(in crate::deal) volatility: Slot,
    /// Quarters until what has not vested lapses.
    pub(in crate::deal) quarters: usize,
    pub(in crate::deal) contract: usize,
    pub(in crate::deal) tranches: Vec<Vesting>,
}

/// A part of a warrant.
#[derive(Clone, Copy, Debug)]
pub(in crate::deal) struct Vesting {
    pub(in crate::deal) shares: Slot,
    pub(in crate::deal) milestone: Slot,
    pub(in crate::deal) hurdle: Option<Slot>,
}

/// A share of revenue.
#[derive(Clone, Debug)]
pub(in crate::deal) struct Owed {
    pub(in crate::deal) id: String,
    pub(in crate::deal) from: usize,
    pub(in crate::deal) to: usize,
    pub(in crate::deal) share: Slot,
    /// Revenue of each quarter, up to the last day.
    pub(in crate::deal) revenue: Vec<f64>,
    pub(in crate::deal) scale: Slot,
    pub(in crate::deal) cap: Option<Slot>,
}

/// A closing state and its prior.
#[derive(Clone, Copy, Debug)]
pub(in crate::deal) struct Belief {
    pub(in crate::deal) closing: Closing,
    pub(in crate::deal) prior: Slot,
    pub(in crate::deal) scale: Option<Slot>,
    pub(in crate::deal) delay: Option<Slot>,
}

pub(super) fn stakes(b: &mut Builder<'_>) -> Vec<Stake> {
    let scenario = b.scenario;
    scenario.equity.iter().map(|equity| stake(b, equity)).collect()
}

fn stake<'a>(b: &mut Builder<'a>, equity: &'a Equity) -> Stake {
    let at = |field: &str| format!("equity.{}.{field}", equity.id);
    let from_start = |date| years_between(b.scenario.start, date);
    let closes = from_start(equity.closes);
    let lapses = equity.contingent.as_ref().map(|contingent| from_start(contingent.lapses));
    if lapses.is_some_and(|lapses| lapses < closes) {
        b.error(at("contingent.lapses"), "the promise lapses before it can be paid");
    }
    let valuation = b.term(at("valuation"), &equity.valuation);
    b.above_zero(valuation, "any sum would buy all of it");
    Stake {
        id: equity.id.clone(),
        investor: b.party(&at("investor"), &equity.investor),
        issuer: b.party(&at("issuer"), &equity.issuer),
        amount: b.term(at("amount"), &equity.amount),
        valuation,
        round: b.optional(at("round"), equity.round.as_ref()),
        closes,
        contingent: equity.contingent.as_ref().zip(lapses).map(|(contingent, lapses)| {
            let probability = b.term(at("contingent.probability"), &contingent.probability);
            (probability, b.term(at("contingent.wait"), &contingent.wait), lapses)
        }),
        fair_value: b.term(at("fair_value"), &equity.fair_value),
        exit: (b.term(at("exit.after"), &equity.exit.after), b.term(at("exit.multiple"), &equity.exit.multiple)),
    }
}

pub(super) fn grants(b: &mut Builder<'_>, contracts: &[Contract]) -> Vec<Grant> {
    let scenario = b.scenario;
    if !scenario.warrant.is_empty() && scenario.risk_free.is_none() {
        b.error("risk_free", "is missing; warrants are valued with it");
    }
    scenario.warrant.iter().map(|warrant| grant(b, warrant, contracts)).collect()
}

fn grant<'a>(b: &mut Builder<'a>, warrant: &'a Warrant, contracts: &[Contract]) -> Grant {
    let path = |field: &str| format!("warrant.{}.{field}", warrant.id);
    let contract = b.compute(&path("compute"), &warrant.compute);
    if contracts.get(contract).is_some_and(|contract| contract.quantity.capacity.is_none()) {
        b.error(path("compute"), format!("`{}` has no capacity, so no milestone can be met", warrant.compute));
    }
    let years = years_between(b.scenario.start, warrant.expires);
    if years <= 0.0 {
        b.error(path("expires"), "lies before the start");
    }
    let spot = b.term(path("spot"), &warrant.spot);
    b.above_zero(spot, "the share is worth nothing");
    if warrant.tranche.len() > MOST_TRANCHES {
        b.error(path("tranche"), format!("there are {}; give at most {MOST_TRANCHES}", warrant.tranche.len()));
    }
    let mut tranches = Vec::new();
    for (idx, tranche) in warrant.tranche.iter().enumerate() {
        let at = |field: &str| path(&format!("tranche.{idx}.{field}"));
        tranches.push(Vesting {
            shares: b.term(at("shares"), &tranche.shares),
            milestone: b.term(at("milestone"), &tranche.milestone),
            hurdle: b.optional(at("hurdle"), tranche.hurdle.as_ref()),
        });
    }
    Grant {
        id: warrant.id.clone(),
        issuer: b.party(&path("issuer"), &warrant.issuer),
        holder: b.party(&path("holder"), &warrant.holder),
        strike: b.term(path("strike"), &warrant.strike),
        spot,
        volatility: b.term(path("volatility"), &warrant.volatility),
        quarters: (4.0 * years).ceil().clamp(0.0, f64::from(b.scenario.quarters)) as usize,
        contract,
        tranches,
    }
}

pub(super) fn owed(b: &mut Builder<'_>) -> Vec<Owed> {
    let scenario = b.scenario;
    let mut all = Vec::new();
    for owed in &scenario.revenue_share {
        let path = |field: &str| format!("revenue_share.{}.{field}", owed.id);
        let (points, scale) = b.curve::<Usd>(&path("revenue"), &owed.revenue, owed.scale.as_ref());
        let last = 4.0 * years_between(scenario.start, owed.until);
        let quarter = |t: u32| {
            let within = (last - f64::from(t)).clamp(0.0, 1.0);
            at(&points, (f64::from(t) + 0.5) / 4.0) / 4.0 * within
        };
        all.push(Owed {
            id: owed.id.clone(),
            from: b.party(&path("from"), &owed.from),
            to: b.party(&path("to"), &owed.to),
            share: b.term(path("share"), &owed.share),
            revenue: (0..scenario.quarters).map(quarter).collect(),
            scale,
            cap: b.optional(path("cap"), owed.cap.as_ref()),
        });
    }
    all
}

pub(super) fn beliefs(b: &mut Builder<'_>) -> Vec<Belief> {
    let scenario = b.scenario;
    let mut beliefs: Vec<Belief> = Vec::new();
    for state in &scenario.state {
        let path = format!("state.{}", state.id.to_string().replace(' ', "_"));
        if beliefs.iter().any(|known| known.closing == state.id) {
            b.error(&path, "this state is given twice");
        }
        for (field, given, belongs) in [
            ("scale", state.scale.is_some(), state.id == Closing::Resized),
            ("delay", state.delay.is_some(), state.id == Closing::Stalled),
        ] {
            match (given, belongs) {
                (false, true) => b.error(format!("{path}.{field}"), "is missing"),
                (true, false) => b.error(format!("{path}.{field}"), "has no meaning in this state"),
                _ => {}
            }
        }
        let prior = b.term(format!("{path}.prior"), &state.prior);
        if b.is_uncertain(prior) {
            b.error(format!("{path}.prior"), "give one value: it is a probability already");
        }
        beliefs.push(Belief {
            closing: state.id,
            prior,
            scale: b.optional(format!("{path}.scale"), state.scale.as_ref()),
            delay: b.optional(format!("{path}.delay"), state.delay.as_ref()),
        });
    }
    let sum: f64 = beliefs.iter().map(|belief| b.mid(belief.prior)).sum();
    if (sum - 1.0).abs() > PRIORS_TOLERANCE {
        b.error("state", format!("the priors sum to {sum}; make them sum to 1"));
    }
    beliefs
}

pub(super) fn regulation(b: &mut Builder<'_>) -> Option<(Scope, Option<Slot>, Option<Slot>)> {
    let review = b.scenario.regulation.as_ref()?;
    let hazard = b.optional("regulation.hazard".into(), review.hazard.as_ref());
    if let Some(hazard) = hazard {
        b.above_zero(hazard, "the review never ends");
    }
    Some((review.scope, hazard, b.optional("regulation.block".into(), review.block.as_ref())))
}

pub(super) fn copula(b: &mut Builder<'_>) -> Copula {
    let scenario = b.scenario;
    let mut pairs = Vec::new();
    for (idx, pair) in scenario.correlation.iter().enumerate() {
        let path = format!("correlation.{idx}");
        b.kinds(&path, &pair.source);
        let slots = [("a", &pair.a), ("b", &pair.b)].map(|(field, name)| b.slot_of(&format!("{path}.{field}"), name));
        let [Some(first), Some(second)] = slots else { continue };
        if pair.rho.is_nan() || pair.rho.abs() > 1.0 {
            b.error(format!("{path}.rho"), format!("is {}; give −1 to 1", pair.rho));
        }
        if first == second {
            b.error(&path, "correlates an input with itself");
        }
        for (field, slot) in [("a", first), ("b", second)] {
            if !b.is_uncertain(slot) {
                b.warn(format!("{path}.{field}"), "names an input without spread: the correlation has no effect");
            }
        }
        if b.is_uncertain(first) && b.is_uncertain(second) {
            pairs.push((first, second, pair.rho));
        }
    }
    Copula::new(&pairs).unwrap_or_else(|slot| {
        let path = b.path(slot);
        b.error("correlation", format!("no joint distribution has these: `{path}` contradicts the others; lower rho"));
        Copula::default()
    })
}
