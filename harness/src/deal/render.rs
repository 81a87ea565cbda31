//! A deal's answers as tables for people, as CSV and as JSON.

mod backtested;
mod beside;
mod explained;
mod figures;

pub use backtested::backtested;
pub use beside::{side_by_side, swept};
pub use explained::explained;

use super::analysis::{Analysis, PartyLine, VendorLine};
use super::summary::Percentiles;
use crate::report::{Align, Table};
use crate::units::{Kinds, Provenance};
use figures::{bound, money, percent, rates};
pub use figures::{number, quantity};

use Align::{Left, Right};

/// Bars of the tornado that are shown.
const BARS: usize = 10;

/// Notices of the mix that are shown.
const NOTICES: usize = 2;

/// Every table of an analysis, in reading order.
pub fn tables(analysis: &Analysis) -> Vec<Table> {
    let mut tables = vec![answers(analysis), vendors(analysis), speeds(analysis), parties(analysis)];
    tables.extend([mix(analysis), states(analysis), tornado(analysis)]);
    tables.retain(|table| !table.is_empty());
    if let Some(last) = tables.last_mut() {
        last.note(weakest(analysis));
    }
    tables
}

fn answers(analysis: &Analysis) -> Table {
    let columns = [
        ("answer", Left),
        ("central", Right),
        ("10 %", Right),
        ("median", Right),
        ("90 %", Right),
        ("unit", Left),
        ("rests on", Left),
    ];
    let mut table = Table::new(format!("{} · terms of {}", analysis.title, analysis.as_of), &columns);
    for line in &analysis.answers {
        // Vendors and parties have tables of their own.
        if line.answer.is_of_the_deal() && (line.central.is_some_and(|value| value != 0.0) || line.draws_vary()) {
            let [low, mid, high] = spread(line.draws.as_ref(), |value| quantity(value, line.unit));
            let central = line.central.map_or("-".into(), |value| quantity(value, line.unit));
            table.row(vec![line.name.clone(), central, low, mid, high, line.unit.into(), weak(line.rests_on)]);
        }
    }
    table.note(format!(
        "central: every input at its median, signed as stated; the other columns: {} draws over all closing states, seed {}",
        analysis.draws, analysis.seed
    ));
    table.note("amounts are present values at the start; equity is in none of the prices");
    table.note(format!("a quarter's delay costs the buyer {}", money(analysis.delay_usd_per_quarter)));
    for line in &analysis.investors {
        let back = line.circularity.filter(|x| *x > 0.0);
        let back = back
            .map_or("none of it returns".into(), |x| format!("{} return: circularity {x:.2}", money(line.committed)));
        table.note(format!(
            "{} invests {} for {} of the company; under the deal {back}; to the issuer the issue is worth {}",
            line.investor,
            money(line.invested),
            percent(line.stake),
            money(line.subsidy)
        ));
    }
    for exit in &analysis.exits {
        let used = if exit.used { "is used" } else { "is not used" };
        table.note(format!(
            "the right to leave {} after {} years for {} {used} in the central case",
            exit.compute,
            number(exit.after_years),
            money(exit.fee)
        ));
    }
    table
}

fn speeds(analysis: &Analysis) -> Table {
    let workloads = analysis.vendors.first().map(|line| &line.tokens_per_s_and_chip[..]).unwrap_or_default();
    let mut columns = vec![("vendor", Left)];
    columns.extend(workloads.iter().map(|(id, _)| (id.as_str(), Right)));
    let speed = number(analysis.interactivity_tokens_per_s);
    let title = format!("Output tokens a second and chip, where every user gets {speed} a second");
    let mut table = Table::new(title, &columns);
    for line in &analysis.vendors {
        let rates = line.tokens_per_s_and_chip.iter().map(|(_, rate)| rate.map_or("-".into(), number));
        table.row(std::iter::once(vendor_name(line)).chain(rates).collect());
    }
    table.note("from the cost model; -: it cannot, or an exclusivity keeps it from it");
    table
}

fn vendors(analysis: &Analysis) -> Table {
    let columns = [
        ("vendor", Left),
        ("$/chip-h", Right),
        ("$/M", Right),
        ("10 %", Right),
        ("90 %", Right),
        ("cheapest in", Right),
        ("discount to tie", Right),
        ("ties at", Right),
        ("without the deal", Right),
        ("rests on", Left),
    ];
    let mut table = Table::new("Price of output tokens by vendor, on the demand that each may serve", &columns);
    for line in &analysis.vendors {
        let or_dash = |value: Option<f64>| value.map_or("-".into(), number);
        let [low, _, high] = spread(line.draws.as_ref(), number);
        table.row(vec![
            vendor_name(line),
            or_dash(line.usd_per_chip_hour),
            or_dash(line.usd_per_m),
            low,
            high,
            percent(line.cheapest),
            line.break_even_discount.map_or("-".into(), percent),
            or_dash(line.tie_with_deal),
            or_dash(line.tie_without_deal),
            weak(line.rests_on),
        ]);
    }
    table.note("discount to tie: on the deal's price; below 0 the deal is cheaper already, by that share");
    table.note("ties at: what the vendor's chip-hour may cost at most, against the deal, and against the next vendor without it");
    table
}

fn vendor_name(line: &VendorLine) -> String {
    if line.of_the_deal { format!("{} (deal)", line.name) } else { line.name.clone() }
}

/// The kinds that a reader must be told of; where there is none of them, the weakest.
fn weak(kinds: Kinds) -> String {
    let told = [Provenance::Press, Provenance::Assumed].into_iter().filter(|kind| kinds.contains(*kind));
    let told = told.fold(Kinds::NONE, |told, kind| told.union(kind.into()));
    let weakest = kinds.weakest().map_or("-".into(), |kind| kind.to_string());
    if told == Kinds::NONE { weakest } else { told.to_string() }
}

fn mix(analysis: &Analysis) -> Table {
    let Some(mix) = &analysis.mix else {
        let mut table = Table::new("Vendor mix", &[("", Left)]);
        table.row(vec![analysis.mix_error.clone().unwrap_or_default()]);
        return table;
    };
    let years: Vec<String> = (1..=mix.years).map(|year| format!("year {year}")).collect();
    let mut columns = vec![("seller", Left)];
    columns.extend(years.iter().map(|year| (year.as_str(), Right)));
    columns.extend([("idle", Right), ("one more MW", Right)]);
    let mut table = Table::new("Cheapest mix of commitments and market, share of each year's spend", &columns);
    for line in &mix.sellers {
        let name = if line.of_the_deal { format!("{} (deal)", line.seller) } else { line.seller.clone() };
        let share =
            |(share, power): (&f64, &f64)| if *power > 0.0 || *share > 0.0 { percent(*share) } else { "-".into() };
        let mut cells = vec![name];
        cells.extend(line.share.iter().zip(&line.gigawatts).map(share));
        cells.extend([money(line.idle), money(line.usd_per_megawatt)]);
        table.row(cells);
    }
    table.note(
        "idle: dollars paid for nothing; one more MW: present value of one more over the horizon, its price paid",
    );
    let without = mix.cost_without.map_or("demand could not be met".into(), money);
    table.note(format!("all together {}; without the deal {without}", money(mix.cost)));
    mix.notices.iter().take(NOTICES).for_each(|notice| table.note(notice));
    if mix.notices.len() > NOTICES {
        table.note(format!("and {} more of the kind; --format json has them", mix.notices.len() - NOTICES));
    }
    table
}

fn parties(analysis: &Analysis) -> Table {
    let columns = [
        ("party", Left),
        ("NPV", Right),
        ("10 %", Right),
        ("median", Right),
        ("90 %", Right),
        ("gains in", Right),
        ("IRR", Right),
        ("payback", Right),
        ("rests on", Left),
    ];
    let mut table = Table::new("What the deal is worth", &columns);
    for line in &analysis.parties {
        table.row(party(line));
    }
    table.note(
        "a cloud's chips cost it by the hour, capital included: its rate of return is not that of their purchase",
    );
    if analysis.parties.iter().any(|line| line.irr.len() > 1) {
        table.note(
            "several rates of return rank nothing: the modified rate (MIRR) at the discount rate stands beside them",
        );
    }
    table
}

fn party(line: &PartyLine) -> Vec<String> {
    let [low, mid, high] = spread(line.draws.as_ref(), money);
    vec![
        line.party.clone(),
        money(line.npv),
        low,
        mid,
        high,
        percent(line.gains),
        rates(&line.irr, line.mirr),
        line.payback_years.map_or("-".into(), |years| format!("{} years", number(years))),
        weak(line.rests_on),
    ]
}

fn states(analysis: &Analysis) -> Table {
    let columns =
        [("closing", Left), ("prior", Right), ("buyer's NPV 10 %", Right), ("median", Right), ("90 %", Right)];
    let mut table = Table::new("Closing states", &columns);
    for line in &analysis.states {
        let [low, mid, high] = spread(line.buyer_npv.as_ref(), money);
        table.row(vec![line.state.to_string(), percent(line.prior), low, mid, high]);
    }
    table
}

fn tornado(analysis: &Analysis) -> Table {
    let columns = [
        ("input", Left),
        ("10 %", Right),
        ("90 %", Right),
        ("buyer's NPV at 10 %", Right),
        ("at 90 %", Right),
        ("rank correlation", Right),
        ("kind", Left),
    ];
    let mut table = Table::new("What moves the deal's value to the buyer", &columns);
    for bar in analysis.tornado.iter().take(BARS) {
        let rho = bar.rank_correlation.map_or("-".into(), |rho| format!("{rho:+.2}"));
        let [low, high] = bar.cases.map(bound);
        let [at_low, at_high] = bar.answer.map(money);
        table.row(vec![bar.input.clone(), low, high, at_low, at_high, rho, weak(bar.kinds)]);
    }
    if analysis.tornado.len() > BARS {
        table.note(format!("{} smaller ones are left out; --format json has them", analysis.tornado.len() - BARS));
    }
    if let [.., half, all] = &analysis.convergence[..] {
        table.note(format!(
            "settled: median {} over half of the draws, {} over all; mean {} ± {}",
            money(half.p50),
            money(all.p50),
            money(all.mean),
            money(1.96 * all.mean_error)
        ));
    }
    table
}

/// What a reader must not overlook.
fn weakest(analysis: &Analysis) -> String {
    let all = analysis.answers.iter().fold(Kinds::NONE, |kinds, line| kinds.union(line.rests_on));
    format!(
        "these results rest on {} figures: quote them with that word (press: no primary document was read)",
        weak(all)
    )
}

/// 10 %, 50 % and 90 % quantiles.
fn spread(draws: Option<&Percentiles>, show: impl Fn(f64) -> String) -> [String; 3] {
    draws.map_or(["-"; 3].map(String::from), |p| [p.p10, p.p50, p.p90].map(show))
}
