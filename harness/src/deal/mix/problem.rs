//! What is to be bought: demand, vendors, and the limits on who may serve what.

use crate::units::{Chips, Share, TokensPerSecond, Usd, Watts};

/// Demand over quarters, who may serve it, and at what terms.
///
/// Every list over time has one entry for each of `quarters`.
#[derive(Clone, Debug, PartialEq)]
pub struct MixProblem {
    /// The horizon, in order.
    pub quarters: Vec<Quarter>,
    /// What is to be served.
    pub workloads: Vec<Workload>,
    /// Who may serve it.
    pub vendors: Vec<Vendor>,
    /// Limits on concentration.
    pub limits: Vec<Limit>,
    /// Whether and how far a bad outcome weighs more than the mean.
    pub risk: Option<Risk>,
}

/// A quarter of a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarter {
    /// What messages call it, such as `2027 Q1`.
    pub label: String,
    /// Dollars today for a dollar then; more than 0.
    pub discount: f64,
}

/// Tokens of one kind that must be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What it is called.
    pub id: String,
    /// Tokens a second that must be served all through each quarter.
    pub demand: Vec<TokensPerSecond>,
    /// Exclusivity: the vendors that alone may serve it; null for any.
    pub only_on: Option<Vec<String>>,
}

/// A seller of chips.
#[derive(Clone, Debug, PartialEq)]
pub struct Vendor {
    /// What it is called.
    pub id: String,
    /// Dollars for one chip held for the quarter.
    pub cost: Vec<Usd>,
    /// Chips that may be held in each quarter.
    pub capacity: Vec<Chips>,
    /// Take-or-pay: dollars due in each quarter even if fewer chips are held.
    pub floor: Vec<Usd>,
    /// Power of one chip, all that it needs included; more than 0.
    pub power: Watts,
    /// What its chips can serve; a workload that is absent it cannot.
    pub services: Vec<Service>,
}

/// How one vendor's chips serve one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Id of the workload.
    pub workload: String,
    /// Tokens a second of one chip in each quarter; 0 while it cannot serve.
    pub rate: Vec<TokensPerSecond>,
    /// Dollars today, paid once if the vendor ever serves the workload; 0 if it runs as it is.
    pub porting: Usd,
}

/// A set of vendors may take no more than a share of each quarter's total.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What it is called.
    pub name: String,
    /// Ids of the vendors it limits together.
    pub vendors: Vec<String>,
    /// The most they may take, from 0 to 1.
    pub share: Share,
    /// What it is a share of.
    pub of: LimitOf,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOf {
    /// Dollars paid in the quarter, floors included.
    Spend,
    /// Power of the chips held in the quarter, in use or idle.
    Power,
}

/// Weighs the worst outcomes: minimise `(1 − weight)·E[cost] + weight·CVaR_alpha(cost)`.
///
/// `CVaR_alpha` is the mean of the dearest `1 − alpha` of outcomes (Rockafellar & Uryasev 2000).
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Share of outcomes that are not in the tail; at least 0, less than 1.
    pub alpha: f64,
    /// Weight of the tail; at least 0, less than 1: at 1 what is spent outside the tail would count for nothing.
    pub weight: f64,
    /// What may happen to prices; the chips held are chosen before it is known.
    pub scenarios: Vec<Scenario>,
}

/// One way prices may turn out.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// How likely it is; all of them sum to 1.
    pub probability: f64,
    /// What each vendor's cost is multiplied by, `[vendor][quarter]`; floors stay as they are.
    pub cost_factor: Vec<Vec<f64>>,
}
