//! The economics of a compute deal: at what terms a token is cheaper there than here, what the option is worth, and
//! what happens if it stalls.
//!
//! ```text
//! file ── load ──> scenario ── model ──> inputs: each number with its spread, kinds and source
//!                     catalogue, cost ──┘     │
//!                                             ├─ central case ──> play ──> flows ──> answers
//!                                             ├─ each input moved ────────────────> what an answer rests on, tornado
//!                                             └─ draws of all of them, states, reviews, share prices ──> percentiles
//! ```
//! A scenario is checked once and becomes a vector of inputs; `play` turns any such vector into what is delivered, used
//! and paid; everything else is arithmetic on that. Equity is valued for itself and never counted as a discount on
//! compute.

mod allocation;
mod analysis;
pub mod answer;
mod backtest;
pub mod cash;
mod central;
mod copula;
mod figures;
mod flow;
mod input;
mod lanes;
mod load;
pub mod mix;
mod model;
mod monte_carlo;
mod number;
mod numbers;
mod outcome;
mod play;
mod render;
pub mod scenario;
mod sensitivity;
mod shipped;
mod situation;
mod summary;
pub mod term;
#[cfg(test)]
mod testing;
mod warrant;

pub use crate::finding::{Finding, Findings, Severity};
pub use allocation::{Allocation, SellerLine};
pub use analysis::{
    Analysis, AnswerLine, CentralLine, CommitmentLine, Course, Exit, FlowLine, InvestorLine, Options, PartyLine,
    StateLine, VendorLine, Worked, central_answers,
};
pub use backtest::{Backtest, BacktestError, TermLine, backtest};
pub use figures::{Figure, edited, figures};
pub use input::Input;
pub use load::{Assignment, LoadError, load, parse, text};
pub use model::Model;
pub use outcome::Answer;
pub use render::{backtested, explained, number, quantity, side_by_side, swept, tables};
pub use scenario::{Closing, Role, Scenario, json_schema};
pub use sensitivity::Bar;
pub use shipped::{TALKS_AND_OUTCOME, scenarios};
pub use summary::Percentiles;
