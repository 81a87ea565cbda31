//! Where each dollar comes from, and where each number.

use super::figures::{bound, money, number};
use crate::deal::analysis::{Analysis, Worked};
use crate::deal::answer;
use crate::deal::input::Input;
use crate::deal::outcome::totals;
use crate::deal::play::Course;
use crate::deal::scenario::Scenario;
use crate::report::{Align, Table};
use crate::units::{ChipHours, KilowattYears, Tokens, Usd};

use Align::{Left, Right};

/// Tables that take the answers apart: prices, bills by year, flows by party, inputs with their sources.
pub fn explained(worked: &Worked, analysis: &Analysis, scenario: &Scenario) -> Vec<Table> {
    let mut tables = vec![price(worked)];
    for (contract, course) in worked.model.contracts.iter().zip(&worked.case.ledger.courses) {
        tables.push(bill(&contract.id, course));
    }
    tables.push(flows(analysis));
    tables.push(inputs(worked, scenario));
    tables.retain(|table| !table.is_empty());
    tables
}

/// How the effective price comes about.
fn price(worked: &Worked) -> Table {
    let mut table = Table::new("The effective price, central case", &[("", Left), ("", Right), ("", Left)]);
    let deal = totals(&worked.model, &worked.case.inputs, &worked.case.ledger.values, |_, proposed| proposed);
    if deal.tokens == 0.0 {
        return table;
    }
    let mut row = |what: &str, value: String, how: &str| table.row(vec![what.into(), value, how.into()]);
    row("PV of payments", money(deal.paid - deal.porting), "bills, top-ups, fees, less credits");
    row("PV of porting", money(deal.porting), "once, at first delivery");
    row("PV of chip-hours used", bound(deal.used), "demand over rate, utilisation and availability");
    row("PV of useful chip-hours", bound(deal.useful), "those times utilisation and availability");
    row("PV of kilowatt-years in place", bound(deal.held), "chips in place times power");
    row("PV of output tokens", bound(deal.tokens), "served under the deal");
    row(
        "effective price",
        number(answer::effective_price(Usd(deal.paid), ChipHours(deal.useful)).0),
        "USD a useful chip-hour: (payments + porting) / useful chip-hours",
    );
    row(
        "price of power",
        number(answer::price_of_power(Usd(deal.paid), KilowattYears(deal.held)).0),
        "USD a kW-year: the same / kilowatt-years",
    );
    row(
        "price of tokens",
        number(answer::price_of_tokens(Usd(deal.paid), Tokens(deal.tokens)).0),
        "USD a million: the same / output tokens",
    );
    table
}

/// A commitment's bill, year by year of the scenario.
fn bill(id: &str, course: &Course) -> Table {
    let columns = [
        ("year", Right),
        ("chips in place", Right),
        ("chips used", Right),
        ("$/chip-h", Right),
        ("hours used", Right),
        ("tier discounts", Right),
        ("floor top-up", Right),
        ("credits", Right),
        ("leaving fee", Right),
        ("paid", Right),
    ];
    let mut table = Table::new(format!("Bills under {id}, undiscounted"), &columns);
    for (year, first) in (0..course.paid.len()).step_by(4).enumerate() {
        let quarters = first..(first + 4).min(course.paid.len());
        let sum = |flow: &[f64]| flow[quarters.clone()].iter().sum::<f64>();
        let mean = |flow: &[f64]| sum(flow) / quarters.len() as f64;
        if sum(&course.in_place) == 0.0 && sum(&course.paid) == 0.0 {
            continue;
        }
        table.row(vec![
            (year + 1).to_string(),
            bound(mean(&course.in_place)),
            bound(mean(&course.used)),
            number(mean(&course.price)),
            money(sum(&course.gross)),
            money(-sum(&course.discounts)),
            money(sum(&course.top_up)),
            money(-sum(&course.credits)),
            money(sum(&course.fee)),
            money(sum(&course.paid)),
        ]);
    }
    table
}

/// Every flow of the deal.
fn flows(analysis: &Analysis) -> Table {
    let columns = [("party", Left), ("flow", Left), ("undiscounted", Right), ("present value", Right)];
    let mut table = Table::new("Where each dollar goes, central case", &columns);
    for party in &analysis.parties {
        for flow in &party.flows {
            table.row(vec![party.party.clone(), flow.what.clone(), money(flow.nominal), money(flow.present)]);
        }
        table.row(vec![party.party.clone(), "together".into(), String::new(), money(party.npv)]);
    }
    table
}

/// Every input with its spread and its source.
fn inputs(worked: &Worked, scenario: &Scenario) -> Table {
    let columns = [
        ("input", Left),
        ("10 %", Right),
        ("median", Right),
        ("90 %", Right),
        ("unit", Left),
        ("kinds", Left),
        ("source", Left),
    ];
    let mut table = Table::new("Where each number comes from", &columns);
    for input in worked.model.inputs() {
        let [low, mid, high] = input.cases.map(bound);
        let [low, high] = if input.is_uncertain() { [low, high] } else { [String::new(), String::new()] };
        let unit = input.unit.to_string();
        table.row(vec![input.path.clone(), low, mid, high, unit, input.kinds.to_string(), source(input, scenario)]);
    }
    table
}

fn source(input: &Input, scenario: &Scenario) -> String {
    let known = scenario.source.iter().find(|source| source.id == input.source);
    known.map_or_else(|| input.source.clone(), |source| format!("{}, {}", source.title, source.date))
}
