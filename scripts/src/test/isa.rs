//! The instruction sets that the CPU backend has code for, by the names that `FARTHING_ISA` takes.

/// One of them.
pub(super) struct Isa {
    /// Name in `FARTHING_ISA`.
    pub(super) name: &'static str,
    detect: fn() -> bool,
}

impl Isa {
    /// Whether this CPU has it.
    pub(super) fn is_here(&self) -> bool {
        (self.detect)()
    }
}

/// Features each takes, as the kernels' own detection asks for them.
macro_rules! has {
    ($($feature:tt)*) => {{
        #[cfg(target_arch = "x86_64")]
        let has = || $(is_x86_feature_detected!($feature))&&*;
        #[cfg(not(target_arch = "x86_64"))]
        let has = || false;
        has
    }};
}

/// Whether the CPU has tiles, and the system knows of them: their feature names are not stable yet.
fn has_tiles() -> bool {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = info.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    ["amx_tile", "amx_bf16", "amx_int8", "avx512_bf16"]
        .iter()
        .all(|flag| flags.split_whitespace().any(|word| word == *flag))
}

/// The best first.
pub(super) const ALL: [Isa; 5] = [
    Isa { name: "amx", detect: has_tiles },
    Isa {
        name: "avx512bf16",
        detect: has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512bf16" "avx2" "fma" "f16c"),
    },
    Isa { name: "avx512", detect: has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx2" "fma" "f16c") },
    Isa { name: "avx2", detect: has!("avx2" "fma" "f16c") },
    Isa { name: "portable", detect: || true },
];

#[cfg(test)]
mod tests {
    use super::ALL;

    /// A set that the kernels gain and this list lacks would never be tested.
    #[test]
    fn every_instruction_set_of_the_kernels_is_known() {
        let source = include_str!("../../../kernels/src/backend/cpu/isa.rs");
        let arms = source.lines().filter(|line| line.trim_start().starts_with("Isa::"));
        let names =
            arms.filter_map(|line| line.trim_end().strip_suffix("\",")?.split_once("=> \"")).map(|(_, name)| name);
        assert_eq!(names.collect::<Vec<_>>(), ALL.map(|isa| isa.name));
    }
}
