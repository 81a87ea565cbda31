//! The explorer: what a token costs, for whatever is asked in the query.
//!
//! The page is rendered whole for any query, so that it works without scripts and any state can be linked to. The script
//! asks for the page of the fields as they stand and takes its live parts over.

mod evidence;
mod export;
mod form;
mod view;

pub(super) use evidence::Evidence;
pub(super) use export::export;

use super::query::Query;
use crate::catalogue::Catalogue;
use crate::cost::{self, CostLine, CostRequest};
use crate::measure::sampler::HostClock;
use crate::site::layout::Frame;
use form::Form;

/// What a form asks, and the costs where it asks something that can be computed.
pub(super) struct Explored {
    query: Query,
    form: Form,
    answer: Option<(CostRequest, Vec<CostLine>)>,
    /// Seconds that reading the form and computing took.
    seconds: f64,
}

impl Explored {
    /// Reads the form and computes.
    pub(super) fn new(query: Query, catalogue: &Catalogue, evidence: &Evidence) -> Explored {
        let clock = HostClock::start();
        let mut form = Form::read(&query);
        let request = form.request(catalogue, evidence.machine.clone());
        let answer =
            request.and_then(|request| match cost::price(&request, catalogue, &evidence.rows, &evidence.limits) {
                Ok(lines) => Some((request, lines)),
                Err(error) => {
                    form.refuse(&error);
                    None
                }
            });
        Explored { query, form, answer, seconds: clock.seconds() }
    }

    /// The page.
    pub(super) fn page(&self, frame: &Frame, catalogue: &Catalogue, evidence: &Evidence) -> String {
        view::page(self, frame, catalogue, evidence)
    }
}

#[cfg(test)]
mod tests;
