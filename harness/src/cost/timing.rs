//! From kernels to the time of a step, whatever the kernel times come from.

use super::architecture::Step;
use super::error::CostError;
use super::shape::{AttentionShape, MatmulShape};
use crate::units::{Estimate, Seconds};

/// What times a kernel: measured rows, or published peaks with efficiencies.
pub(super) trait Timing {
    /// Time of one matrix product with weights `[n, k]`.
    fn matmul(&self, shape: MatmulShape) -> Result<Estimate<Seconds>, CostError>;
    /// Time of one causal attention.
    fn attention(&self, shape: AttentionShape) -> Result<Estimate<Seconds>, CostError>;
    /// Time of the all-reduce of that many elements over the ranks; zero for one rank.
    fn all_reduce(&self, elems: f64) -> Estimate<Seconds>;
    /// Time of a step that none of the above accounts for.
    fn overhead(&self, step: &Step) -> Estimate<Seconds>;
}

/// `layers · (Σ matmuls + attention + 2 all-reduces) + head + overhead`.
pub(super) fn step_time(timing: &dyn Timing, step: &Step) -> Result<Estimate<Seconds>, CostError> {
    let mut layer = timing.attention(step.attention)?;
    for shape in step.matmuls {
        layer = layer + timing.matmul(shape)?;
    }
    let reduce = timing.all_reduce(step.reduced_elems).rising(|t| t * 2.0);
    let layers = (layer + reduce).rising(|t| t * step.layers);
    Ok(layers + timing.matmul(step.head)? + timing.overhead(step))
}

#[cfg(test)]
mod tests {
    use super::super::architecture::decode_step;
    use super::super::testing;
    use super::*;
    use crate::units::Provenance::Measured;

    struct Unit;

    impl Timing for Unit {
        fn matmul(&self, _: MatmulShape) -> Result<Estimate<Seconds>, CostError> {
            Ok(Estimate::point(Seconds(1.0), Measured))
        }
        fn attention(&self, _: AttentionShape) -> Result<Estimate<Seconds>, CostError> {
            Ok(Estimate::point(Seconds(10.0), Measured))
        }
        fn all_reduce(&self, _: f64) -> Estimate<Seconds> {
            Estimate::point(Seconds(100.0), Measured)
        }
        fn overhead(&self, _: &Step) -> Estimate<Seconds> {
            Estimate::point(Seconds(7.0), Measured)
        }
    }

    #[test]
    fn a_step_is_its_layers_its_head_and_its_overhead() {
        let step = decode_step(&testing::model("llama-3.1-8b"), 2, 1.0, 1.0).expect("dense");
        // 32 layers of 4·1 + 10 + 2·100 = 214, one head of 1, overhead 7.
        let time = step_time(&Unit, &step).expect("timed");
        assert_eq!(time.mid, Seconds(32.0 * 214.0 + 8.0));
    }
}
