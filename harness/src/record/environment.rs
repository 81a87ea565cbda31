//! The machine and the build behind a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine and the settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// CPU model name.
    pub cpu: String,
    /// Instruction sets in use, best first.
    pub isa: String,
    /// Logical CPUs available to the process.
    pub cpus: usize,
    /// Cache sizes in bytes by level, e.g. `L1d`, `L2`, `L3`.
    pub caches_bytes: BTreeMap<String, u64>,
    /// Physical memory in bytes; null where it cannot be read.
    pub memory_bytes: Option<u64>,
    /// Operating system and kernel release.
    pub os: String,
    /// Frequency governor; null where it cannot be read (virtual machines).
    pub governor: Option<String>,
    /// Hypervisor flag; null where it cannot be read.
    pub virtualised: Option<bool>,
    /// One-minute load average at the start; null where it cannot be read.
    pub load_before: Option<f64>,
    /// Compiler that built this binary.
    pub rustc: String,
    /// Flags given to the compiler beside the profile's; empty where there were none.
    #[serde(default)]
    pub rustflags: Option<String>,
    /// Cargo's profile of this binary: `release`, `debug`, or what its folder is called.
    #[serde(default)]
    pub profile: Option<String>,
    /// Commit of this repository at build time; null outside a checkout.
    pub commit: Option<String>,
    /// Whether the checkout had uncommitted changes at build time.
    pub dirty: Option<bool>,
    /// Beginning of the SHA-256 of this binary, where commit and `dirty` do not say what it was built from.
    #[serde(default)]
    pub binary: Option<String>,
    /// What of the machine could be read beside the above.
    #[serde(default)]
    pub hardware: Hardware,
}

/// What of a machine matters to a time and is not always to be read; each null where it is not, and before schema 2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hardware {
    /// Microcode revision, as the kernel writes it.
    pub microcode: Option<String>,
    /// Physical cores.
    pub cores: Option<usize>,
    /// Sockets.
    pub sockets: Option<usize>,
    /// Memory nodes.
    pub numa_nodes: Option<usize>,
    /// Whether two threads share a core.
    pub smt: Option<bool>,
    /// Whether cores may exceed their base clock.
    pub boost: Option<bool>,
    /// Transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// CPUs that the control group allows, where it sets a quota.
    pub cpu_quota: Option<f64>,
    /// Vendor and product of the machine or its hypervisor.
    pub product: Option<String>,
}
