//! The vendor mix at its full shape, 10 vendors × 32 quarters × 4 workloads with porting, floors, limits and
//! exclusivity, and the time that it took: `cargo run --release -p farthing --example vendor_mix [SEED]`.
//!
//! All figures are made up: vendors whose tokens cost about the same, so that the choice is hard.

use farthing::deal::mix::{Limit, LimitOf, Mix, MixProblem, Quarter, Service, Vendor, Workload, cheapest};
use farthing::measure::sampler::HostClock;
use farthing::units::{Chips, Share, TokensPerSecond, Usd, Watts};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const VENDORS: usize = 10;
const QUARTERS: usize = 32;
const WORKLOADS: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |word| word.parse())?;
    let problem = made_up(&mut StdRng::seed_from_u64(seed));
    let clock = HostClock::start();
    let mix = cheapest(&problem);
    println!("seed {seed}: {VENDORS} vendors, {QUARTERS} quarters, {WORKLOADS} workloads in {:.3} s", clock.seconds());
    print(&problem, &mix?);
    Ok(())
}

fn print(problem: &MixProblem, mix: &Mix) {
    let billions = |usd: f64| usd / 1e9;
    println!("{:.3} G$ discounted, gap {:e}, {} ports", billions(mix.cost.0), mix.gap.0, mix.ported.len());
    println!("{:8} {:>9} {:>9} {:>20}", "vendor", "paid G$", "idle G$", "$/MW over horizon");
    for (v, vendor) in problem.vendors.iter().enumerate() {
        let sum = |usd: &[Usd]| billions(usd.iter().map(|usd| usd.0).sum());
        let (paid, idle) = (sum(&mix.paid[v]), sum(&mix.idle[v]));
        println!("{:8} {paid:9.3} {idle:9.3} {:20.0}", vendor.id, mix.prices.megawatt_over_horizon[v].0);
    }
}

fn made_up(rng: &mut StdRng) -> MixProblem {
    let workloads: Vec<Workload> = (0..WORKLOADS).map(|w| workload(rng, w)).collect();
    let total: Vec<f64> = (0..QUARTERS).map(|t| workloads.iter().map(|workload| workload.demand[t].0).sum()).collect();
    let vendors = (0..VENDORS).map(|v| vendor(rng, v, &total)).collect();
    let quarter =
        |t: usize| Quarter { label: format!("{} Q{}", 2027 + t / 4, t % 4 + 1), discount: 0.975_f64.powf(t as f64) };
    let limit = |name: &str, vendors: std::ops::Range<usize>, share, of| Limit {
        name: name.into(),
        vendors: vendors.map(name_of).collect(),
        share: Share(share),
        of,
    };
    MixProblem {
        quarters: (0..QUARTERS).map(quarter).collect(),
        workloads,
        vendors,
        limits: vec![limit("incumbents", 0..3, 0.55, LimitOf::Spend), limit("newcomers", 7..10, 0.4, LimitOf::Power)],
        risk: None,
    }
}

fn name_of(v: usize) -> String {
    format!("vendor{v}")
}

fn workload(rng: &mut StdRng, w: usize) -> Workload {
    let (first, growth) = (rng.random_range(5e6..40e6), rng.random_range(1.02_f64..1.09));
    Workload {
        id: format!("workload{w}"),
        demand: (0..QUARTERS).map(|t| TokensPerSecond(first * growth.powf(t as f64))).collect(),
        only_on: (w == 3).then(|| (0..7).map(name_of).collect()),
    }
}

fn vendor(rng: &mut StdRng, v: usize, total: &[f64]) -> Vendor {
    let (first, fall) = (rng.random_range(2000.0..9000.0), rng.random_range(0.95_f64..1.0));
    let cost: Vec<f64> = (0..QUARTERS).map(|t| first * fall.powf(t as f64)).collect();
    // Two and a half times the chips that all demand needs, at 0.28 tokens/s for each dollar a quarter.
    let size = rng.random_range(0.5..1.5) * 2.5 / (0.28 * first) / VENDORS as f64;
    let ramp = |t: usize| 0.6 + 0.4 * t as f64 / QUARTERS as f64;
    let capacity: Vec<f64> = (0..QUARTERS).map(|t| size * total[t] * ramp(t)).collect();
    let taken = if v.is_multiple_of(2) { rng.random_range(0.3..0.8) } else { 0.0 };
    let floor = |t: usize| Usd(if t < 24 { taken * cost[t] * capacity[t] } else { 0.0 });
    let mut services = Vec::new();
    for w in 0..WORKLOADS {
        let rate = TokensPerSecond(first * rng.random_range(0.15..0.4));
        let porting = Usd(rng.random_range(1e7..3e8));
        if rng.random_range(0.0..1.0) < 0.85 {
            services.push(Service { workload: format!("workload{w}"), rate: vec![rate; QUARTERS], porting });
        }
    }
    Vendor {
        id: name_of(v),
        floor: (0..QUARTERS).map(floor).collect(),
        cost: cost.into_iter().map(Usd).collect(),
        capacity: capacity.into_iter().map(Chips).collect(),
        power: Watts(rng.random_range(500.0..2000.0)),
        services,
    }
}
