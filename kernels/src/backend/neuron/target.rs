//! The chips: what one NeuronCore holds and does, and which instances carry them.
//!
//! Sources, all read on 2026-11-25:
//! - *v2 guide*, *v3 guide*, *v4 guide*: aws-neuron/aws-neuron-sdk at 81ce03a (2026-08-21),
//!   `nki/guides/architecture/{trainium_inferentia2,trainium2,trainium3}_arch.rst`.
//! - *hardware pages*: the same repository, `about-neuron/arch/neuron-hardware/*.rst`.
//!
//! AWS's figures disagree with each other: eight cores of 79 TFLOP/s make 632, the Trn2 page says 667 a chip. [`Peaks`]
//! are the guides' figures a core, because a kernel runs on a core; a chip's figure is the catalogue's.

use std::fmt;
use std::str::FromStr;

use crate::DType;
use crate::backend::Unsupported;

/// Architecture of a NeuronCore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// NeuronCore-v2: Trn1, Trn1n, Inf2.
    V2,
    /// NeuronCore-v3: Trn2.
    V3,
    /// NeuronCore-v4: Trn3.
    V4,
}

/// A chip family, by the name that the vendor's compiler takes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Trainium.
    Trn1,
    /// Trainium in instances with twice the network; the chip of [`Target::Trn1`].
    Trn1n,
    /// Trainium2.
    Trn2,
    /// Trainium3.
    Trn3,
    /// Inferentia2: the compute of Trainium, half its links.
    Inf2,
}

/// Dense peaks of one NeuronCore's tensor engine in flops a second; 1 multiply-add = 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peaks {
    /// Factors in bf16, f16 or tf32.
    pub half_flops: f64,
    /// Factors in f32.
    pub f32_flops: f64,
    /// Factors in 8 bits, in the fastest form that the core has: cFP8 on v2, FP8_E4 and FP8_E5 in pairs on v3, MXFP8
    /// with block scales on v4.
    pub fp8_flops: f64,
}

/// An EC2 instance type and what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Name of the type, as `trn2.48xlarge`.
    pub name: &'static str,
    /// Its chips.
    pub target: Target,
    /// How many.
    pub chips: usize,
}

/// The instance types that AWS documents with their chips (hardware pages, 2026-08-21). Trn3 comes in UltraServers of
/// 64 or 144 chips, for which those pages name no type.
const INSTANCES: [Instance; 10] = [
    Instance { name: "trn1.2xlarge", target: Target::Trn1, chips: 1 },
    Instance { name: "trn1.32xlarge", target: Target::Trn1, chips: 16 },
    Instance { name: "trn1n.32xlarge", target: Target::Trn1n, chips: 16 },
    Instance { name: "trn2.3xlarge", target: Target::Trn2, chips: 1 },
    Instance { name: "trn2.48xlarge", target: Target::Trn2, chips: 16 },
    Instance { name: "trn2u.48xlarge", target: Target::Trn2, chips: 16 },
    Instance { name: "inf2.xlarge", target: Target::Inf2, chips: 1 },
    Instance { name: "inf2.8xlarge", target: Target::Inf2, chips: 1 },
    Instance { name: "inf2.24xlarge", target: Target::Inf2, chips: 6 },
    Instance { name: "inf2.48xlarge", target: Target::Inf2, chips: 12 },
];

impl Instance {
    /// The types known, in the order of [`Target::ALL`].
    pub fn all() -> &'static [Instance] {
        &INSTANCES
    }

    /// The type of that name; none where it is not among those documented.
    pub fn named(name: &str) -> Option<Instance> {
        INSTANCES.into_iter().find(|instance| instance.name == name)
    }
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 5] = [Target::Trn1, Target::Trn1n, Target::Trn2, Target::Trn3, Target::Inf2];

    /// Partitions of SBUF and PSUM, rows of the tensor engine's array, and hence the longest partition axis of a tile
    /// (all three guides; `nl.tile_size.pmax`).
    pub const PARTITIONS: usize = 128;

    /// Columns of a stationary factor (v2 guide, "Tile Size"; `nl.tile_size.gemm_stationary_fmax`).
    pub const STATIONARY_COLS: usize = 128;

    /// Columns of a moving factor: what one bank of PSUM holds in f32 (v2 guide; `nl.tile_size.gemm_moving_fmax`).
    pub const MOVING_COLS: usize = 512;

    /// Banks of PSUM; one instruction writes to one bank (v2 guide).
    pub const PSUM_BANKS: usize = 8;

    /// Bytes a partition of one bank: 512 f32. Eight of them are the guides' 16 KiB a partition, 2 MiB in all.
    pub const PSUM_BANK_BYTES: usize = Target::MOVING_COLS * 4;

    /// Bytes a partition of SBUF that the compiler keeps: AWS's own kernel library plans with 224 KiB − 16384 − 8 − 256
    /// on Trn2 (aws-neuron/nki-library at d2ad3a5, 2026-04-13, `mlp_cte_constants.py`). Taken to hold on every core.
    pub const SBUF_RESERVED_BYTES: usize = 16_384 + 8 + 256;

    /// Architecture of its cores.
    pub const fn generation(self) -> Generation {
        match self {
            Target::Trn1 | Target::Trn1n | Target::Inf2 => Generation::V2,
            Target::Trn2 => Generation::V3,
            Target::Trn3 => Generation::V4,
        }
    }

    /// NeuronCores a chip (opening lists of the three guides).
    pub const fn cores_per_chip(self) -> usize {
        match self.generation() {
            Generation::V2 => 2,
            Generation::V3 | Generation::V4 => 8,
        }
    }

    /// Bytes a partition of SBUF: 24, 28 and 32 MiB over 128 partitions (the three guides).
    pub const fn sbuf_partition_bytes(self) -> usize {
        match self.generation() {
            Generation::V2 => 192 << 10,
            Generation::V3 => 224 << 10,
            Generation::V4 => 256 << 10,
        }
    }

    /// Bytes a partition of SBUF that a kernel may fill.
    pub const fn sbuf_usable_bytes(self) -> usize {
        self.sbuf_partition_bytes() - Target::SBUF_RESERVED_BYTES
    }

    /// Bytes a partition of PSUM, all banks.
    pub const fn psum_partition_bytes(self) -> usize {
        Target::PSUM_BANKS * Target::PSUM_BANK_BYTES
    }

    /// Dense peaks of one core (section "Tensor Engine" of each guide).
    pub const fn core_peaks(self) -> Peaks {
        match self.generation() {
            Generation::V2 => Peaks { half_flops: 92e12, f32_flops: 23e12, fp8_flops: 92e12 },
            Generation::V3 => Peaks { half_flops: 79e12, f32_flops: 20e12, fp8_flops: 158e12 },
            Generation::V4 => Peaks { half_flops: 79e12, f32_flops: 20e12, fp8_flops: 315e12 },
        }
    }

    /// Element types that kernels for this chip may have.
    ///
    /// f8e4m3 and f8e5m2 are NKI's `float8_e4m3` (FP8_E4) and `float8_e5m2` (FP8_E5): tensor engines of v3 multiply both
    /// (v3 guide, "Double FP8 Matmul Performance"), and so do those of v4 (`nki.isa.nc_matmul`, "Data types", stubs at
    /// 81ce03a; error NCC_EVRF052 of the graph compiler: F8E4M3 up to Trn3). FP8_E4 ends at 240, and what lies beyond is
    /// not finite ("Custom quantization" of NxD Inference, same repository): IEEE's set, not OCP's. Assumed, because no
    /// source says it and no chip was asked yet: that subnormals count, as in the simulator's `ml_dtypes`, and that what
    /// is rounded beyond 240 becomes an infinity and not a NaN.
    ///
    /// Left out: cFP8 of v2, "configurable range and precision" (data types page, same repository), because which numbers
    /// a byte means there is not published; OCP's e4m3 and MXFP8 with a scale for each 32 elements, both v4's alone,
    /// because no [`DType`] is either. Integers are left out as well: tensor engines multiply floats.
    pub const fn dtypes(self) -> &'static [DType] {
        match self.generation() {
            Generation::V2 => &[DType::F32, DType::F16, DType::Bf16],
            Generation::V3 | Generation::V4 => &DType::FLOATS,
        }
    }

    /// Checks that the chip has each of these types.
    ///
    /// # Errors
    /// The first one that it has not, with those that it has.
    pub fn check_dtypes(self, dtypes: impl IntoIterator<Item = DType>) -> Result<(), Unsupported> {
        let Some(asked) = dtypes.into_iter().find(|dtype| !self.dtypes().contains(dtype)) else { return Ok(()) };
        let known: Vec<String> = self.dtypes().iter().map(ToString::to_string).collect();
        let why = match asked {
            DType::F8E4M3 | DType::F8E5M2 => format!(
                "; which numbers the configurable 8-bit floats (cFP8) of {} are is not published; trn2 and trn3 have f8e4m3 \
                 and f8e5m2",
                self.generation()
            ),
            _ => String::new(),
        };
        let limit = known.join(", ") + &why;
        Err(Unsupported { what: format!("dtype on {self}"), asked: asked.to_string(), limit })
    }

    /// Instance types that carry it.
    pub fn instances(self) -> impl Iterator<Item = &'static Instance> {
        INSTANCES.iter().filter(move |instance| instance.target == self)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Target::Trn1 => "trn1",
            Target::Trn1n => "trn1n",
            Target::Trn2 => "trn2",
            Target::Trn3 => "trn3",
            Target::Inf2 => "inf2",
        })
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Generation::V2 => "NeuronCore-v2",
            Generation::V3 => "NeuronCore-v3",
            Generation::V4 => "NeuronCore-v4",
        })
    }
}

/// A word that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{0}`; known: trn1, trn1n, trn2, trn3, inf2")]
pub struct UnknownTarget(pub String);

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(s: &str) -> Result<Target, UnknownTarget> {
        Target::ALL.into_iter().find(|t| t.to_string() == s).ok_or_else(|| UnknownTarget(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_the_error_lists_them_all() {
        for target in Target::ALL {
            assert_eq!(target.to_string().parse(), Ok(target));
            assert!(UnknownTarget("tpu".into()).to_string().contains(&target.to_string()));
        }
        assert_eq!("Trn2".parse::<Target>(), Err(UnknownTarget("Trn2".into())));
    }

    #[test]
    fn partitions_add_up_to_the_guides_totals() {
        let mib = |target: Target| (Target::PARTITIONS * target.sbuf_partition_bytes()) >> 20;
        assert_eq!([Target::Inf2, Target::Trn2, Target::Trn3].map(mib), [24, 28, 32]);
        assert!(Target::ALL.iter().all(|t| Target::PARTITIONS * t.psum_partition_bytes() == 2 << 20));
    }

    #[test]
    fn a_chip_takes_the_8_bit_floats_that_are_a_fixed_set_of_numbers() {
        for target in Target::ALL {
            let refused = target.check_dtypes([DType::Bf16, DType::F8E4M3]).err();
            let has = matches!(target, Target::Trn2 | Target::Trn3);
            assert_eq!(refused.is_none(), has, "{target}");
            assert!(refused.is_none_or(|why| why.asked == "f8e4m3" && why.limit.starts_with("f32, f16, bf16;")));
        }
    }

    #[test]
    fn an_instance_is_found_by_name_and_belongs_to_one_target() {
        assert_eq!(Instance::named("inf2.24xlarge").map(|i| (i.target, i.chips)), Some((Target::Inf2, 6)));
        assert_eq!(Instance::named("p5.48xlarge"), None);
        let n: usize = Target::ALL.iter().map(|target| target.instances().count()).sum();
        assert_eq!(n, Instance::all().len());
    }
}
