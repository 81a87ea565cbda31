//! How many points of model, chip, deployment, batch and price are costed in a second on one core.
//!
//! `cargo run --release --example serving_points -p farthing`

use farthing::catalogue::{Case, Catalogue, Precision};
use farthing::cost::serving::{
    Accelerator, Deployment, Precisions, Replica, Roofline, Spread, StepModel, Traffic, most_sequences, steady,
};
use farthing::measure::sampler::HostClock;
use std::hint::black_box;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalogue = Catalogue::embedded()?;
    let clock = HostClock::start();
    let (mut points, mut cheapest) = (0u64, f64::INFINITY);
    while clock.seconds() < 3.0 {
        let (count, least) = sweep(&catalogue)?;
        points += count;
        cheapest = cheapest.min(least);
    }
    let seconds = clock.seconds();
    println!("{points} points in {seconds:.2} s: {:.0} a second; cheapest {cheapest:.4} $/M", points as f64 / seconds);
    Ok(())
}

/// Each model on each chip with a link and a price, over ranks and batches: the dollars of a million output tokens.
fn sweep(catalogue: &Catalogue) -> Result<(u64, f64), Box<dyn std::error::Error>> {
    let (mut points, mut cheapest) = (0, f64::INFINITY);
    for model in &catalogue.models {
        for chip in catalogue.chips.iter().filter(|chip| chip.link.is_some()) {
            let Some(price) = catalogue.default_price(&chip.id) else { continue };
            let constants = catalogue.profile_of(chip).constants(Case::Central);
            let timing = Roofline { chip: Accelerator::of(chip), constants };
            for ranks in [1, 2, 4, 8] {
                let deployment = Deployment::tensor_parallel(ranks);
                let precisions = Precisions::of_checkpoint(model, Precision::Fp8, Precision::Bf16);
                let replica = Replica::from(StepModel::new(model, &deployment, &precisions));
                let held = [(model.clone(), deployment)];
                let room = most_sequences(&held, &precisions, 0.9 * chip.memory.value, 1536.0);
                for batch in (0..10).map(|i| f64::from(1 << i)).take_while(|batch| *batch <= room) {
                    let traffic = Traffic {
                        input: 1024.0,
                        cached: 0.0,
                        output: 1024.0,
                        concurrency: batch,
                        room,
                        spread: Spread::NONE,
                    };
                    let waits = (constants.before_first_token, constants.prefill_wait);
                    let state = steady(&replica, &timing, black_box(&traffic), waits)?;
                    let tokens = state.requests_per_s * traffic.output;
                    let dollars = price.per_chip_hour().0 * f64::from(ranks) / 3600.0 / tokens * 1e6;
                    points += 1;
                    cheapest = black_box(dollars).min(cheapest);
                }
            }
        }
    }
    Ok((points, cheapest))
}
