//! A deal as a file states it: parties, terms, market, beliefs. Names follow the contracts' own.
//!
//! Nothing is computed here. [`super::Model`] checks a scenario and turns it into what is computed.

mod compute;
mod equity;
mod market;

pub use compute::{Compute, Credit, Reopener, Repricing, Service, Standing, Termination, Tier};
pub use equity::{Contingent, Equity, Exit, RevenueShare, Tranche, Warrant};
pub use market::{Concentration, Exclusive, Market, Porting, Vendor, Workload};

use super::term::Term;
use crate::catalogue::Source;
use crate::units::{Count, Intensity, PerYear, Share, TokensPerSecond, Years};
use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the file format.
pub const SCHEMA: u32 = 1;

/// One deal between a buyer of compute, clouds and investors, with what surrounds it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Version of the file format: 1.
    pub schema: u32,
    /// Name on the command line.
    pub id: String,
    /// Headline of tables.
    pub title: String,
    /// What happened, in a few sentences, and what a reader must know before quoting results.
    pub summary: String,
    /// Day on which the terms stood like this.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// First day of the first quarter that is computed.
    #[schemars(with = "String")]
    pub start: Date,
    /// Quarters that are computed.
    pub quarters: u32,
    /// Rate at which cash flows are discounted, effective a year.
    pub discount_rate: Term<PerYear>,
    /// Rate without risk, continuous: drift and discount of share prices when warrants are valued.
    pub risk_free: Option<Term<PerYear>>,
    /// Share of bought time in which there is demand: hours between peaks are bought as well.
    pub utilisation: Term<Share>,
    /// Speed at which every chip must serve one user, output tokens a second: costs are compared at this speed.
    pub interactivity: Term<TokensPerSecond>,
    /// How the deal ended, where that is known: what back-tests compare priors with.
    pub outcome: Option<Closing>,
    /// Where figures come from.
    pub source: Vec<Source>,
    /// Who takes part.
    pub party: Vec<Party>,
    /// Chips that can be had, and from whom.
    pub vendor: Vec<Vendor>,
    /// What the buyer serves.
    pub workload: Vec<Workload>,
    /// Commitments to buy compute. Demand meets them in the order of the file, then the market.
    #[serde(default)]
    pub compute: Vec<Compute>,
    /// Purchases of equity.
    #[serde(default)]
    pub equity: Vec<Equity>,
    /// Warrants.
    #[serde(default)]
    pub warrant: Vec<Warrant>,
    /// Shares of revenue that one party owes another.
    #[serde(default)]
    pub revenue_share: Vec<RevenueShare>,
    /// Workloads that only some vendors may serve.
    #[serde(default)]
    pub exclusive: Vec<Exclusive>,
    /// Shares of spend that some vendors may not exceed.
    #[serde(default)]
    pub concentration: Vec<Concentration>,
    /// Inputs that move together.
    #[serde(default)]
    pub correlation: Vec<Correlation>,
    /// How it may close, with priors that sum to 1.
    pub state: Vec<State>,
    /// Review by authorities.
    pub regulation: Option<Regulation>,
}

/// A company.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name that terms cite.
    pub id: String,
    /// Name in tables.
    pub name: String,
    /// What it does here.
    pub roles: Vec<Role>,
}

/// What a company does in a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys compute; exactly one party does.
    Buyer,
    /// Sells compute.
    Cloud,
    /// Buys equity.
    Investor,
    /// Makes chips, or distributes the buyer's products.
    Supplier,
}

/// How a deal may close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// As the file states it.
    Signed,
    /// With all sizes multiplied by `scale`.
    Resized,
    /// Equity without the proposed compute.
    EquityOnly,
    /// Compute without the equity and its warrants.
    ComputeOnly,
    /// As stated, `delay` later.
    Stalled,
    /// Not at all: the buyer serves from what it has and from the market.
    Dead,
}

impl std::fmt::Display for Closing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Closing::Signed => "signed",
            Closing::Resized => "resized",
            Closing::EquityOnly => "equity only",
            Closing::ComputeOnly => "compute only",
            Closing::Stalled => "stalled",
            Closing::Dead => "dead",
        })
    }
}

/// One way to close, with its prior.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Which.
    pub id: Closing,
    /// Probability; all together 1.
    pub prior: Term<Share>,
    /// Multiple of all sizes; with `resized` alone.
    pub scale: Option<Term<Count>>,
    /// Time by which everything moves; with `stalled` alone.
    pub delay: Option<Term<Years>>,
}

/// What an authority's review may do.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regulation {
    /// What waits for the review.
    pub scope: Scope,
    /// Rate at which a review ends: P(delay > t) = exp(−hazard · t).
    pub hazard: Option<Term<Intensity>>,
    /// Probability that it ends in a block.
    pub block: Option<Term<Share>>,
}

/// What waits for a review, and falls with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The equity.
    Equity,
    /// Equity and proposed compute.
    Deal,
}

/// Two uncertain inputs that move together: correlation of the normal variables behind them (a Gaussian copula).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// Path of an input: `vendor.trn3.price_change`.
    pub a: String,
    /// Path of another.
    pub b: String,
    /// −1 to 1.
    pub rho: f64,
    /// Id of the source.
    pub source: String,
}

impl Scenario {
    /// Name of a quarter by its number from 0: `2026 Q1`.
    pub fn quarter(&self, t: usize) -> String {
        let day = self.start.saturating_add((3 * t as i64).months());
        format!("{} Q{}", day.year(), (day.month() - 1) / 3 + 1)
    }

    /// The party that buys compute, where there is exactly one.
    pub fn buyer(&self) -> Option<&Party> {
        let mut buyers = self.party.iter().filter(|party| party.roles.contains(&Role::Buyer));
        buyers.next().filter(|_| buyers.next().is_none())
    }
}

/// Years from one day to another, of 365.25 days.
pub(super) fn years_between(from: Date, to: Date) -> f64 {
    f64::from((to - from).get_days()) / 365.25
}

/// The JSON Schema of a scenario file, for editors that check while one types.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Scenario);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_that_of_the_structs() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/deals/scenario.schema.json");
        let committed = std::fs::read_to_string(path).expect("the committed schema");
        assert!(
            committed == json_schema(),
            "run `farthing deal schema > harness/catalogue/deals/scenario.schema.json`"
        );
    }

    #[test]
    fn years_are_of_the_calendar() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        assert_eq!(years_between(date("2026-01-01"), date("2030-01-01")), 4.0);
        assert_eq!(years_between(date("2026-01-02"), date("2026-01-01")), -1.0 / 365.25);
    }
}
