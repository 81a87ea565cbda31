//! Which Neuron machine this is: the chip, the instance type, the size of a logical core.

use std::fmt;

use super::nrt::InstanceInfo;
use super::{Generation, Instance, Target};

/// Where Linux says what EC2 calls the instance.
const PRODUCT: &str = "/sys/devices/virtual/dmi/id/product_name";
/// The runtime's variable for physical cores in a logical one.
const LNC: &str = "NEURON_LOGICAL_NC_CONFIG";
/// The logical core to use, among those visible.
const CORE: &str = "FARTHING_NEURON_CORE";

/// A machine with Neuron chips, and the part of it that we use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its chips.
    pub target: Target,
    /// Name of its instance type, where the firmware says one.
    pub instance: Option<String>,
    /// Physical cores in a logical one, for compiler and runtime alike.
    pub lnc: u32,
    /// The logical core used, among those visible to the process.
    pub core: u32,
}

/// Why the machine cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// Neither the runtime nor the firmware names a chip known here.
    #[error("no chip known here: the runtime says instance family {family}, the firmware `{product}`")]
    Unknown {
        /// The runtime's number, or `nothing`.
        family: String,
        /// The firmware's product name.
        product: String,
    },
    /// They name different ones.
    #[error("the runtime says {runtime}, the firmware {firmware} ({product}): set neither by hand")]
    Disagree {
        /// By the runtime.
        runtime: Target,
        /// By the firmware.
        firmware: Target,
        /// The firmware's product name.
        product: String,
    },
    /// A variable makes no sense.
    #[error("{variable}={value}: {remedy}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What to set.
        remedy: String,
    },
}

impl Machine {
    /// This machine, from what the runtime says, the firmware and the environment.
    ///
    /// # Errors
    /// The chip is not known, or a variable makes no sense.
    pub fn here(info: Option<&InstanceInfo>, visible_cores: u32) -> Result<Machine, MachineError> {
        let product = std::fs::read_to_string(PRODUCT).ok().map(|name| name.trim().to_owned());
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let target = target(info.map(|info| info.family), product.as_deref())?;
        let lnc = lnc(target, variable(LNC).as_deref())?;
        let core = core(visible_cores, variable(CORE).as_deref())?;
        let instance = product.filter(|name| target_named(name).is_some());
        Ok(Machine { target, instance, lnc, core })
    }

    /// Chips of the instance, where its type is one that AWS documents.
    pub fn chips(&self) -> Option<usize> {
        self.instance.as_deref().and_then(Instance::named).map(|instance| instance.chips)
    }

    /// Logical cores a chip.
    pub fn logical_cores_per_chip(&self) -> usize {
        self.target.cores_per_chip() / self.lnc as usize
    }

    /// The size of a logical core that a chip has unless told otherwise: two physical cores from the third generation
    /// on (aws-neuron-sdk at 81ce03a, `about-neuron/arch/neuron-features/logical-neuroncore-config.rst`).
    pub fn default_lnc(target: Target) -> u32 {
        match target.generation() {
            Generation::V2 => 1,
            Generation::V3 | Generation::V4 => 2,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} logical core of {} {}", self.target, self.lnc, self.target.generation())
    }
}

fn target(family: Option<u32>, product: Option<&str>) -> Result<Target, MachineError> {
    let (runtime, firmware) = (family.and_then(target_numbered), product.and_then(target_named));
    match (runtime, firmware) {
        (Some(runtime), Some(firmware)) if runtime != firmware => {
            Err(MachineError::Disagree { runtime, firmware, product: product.unwrap_or_default().into() })
        }
        (Some(target), _) | (None, Some(target)) => Ok(target),
        (None, None) => Err(MachineError::Unknown {
            family: family.map_or("nothing".into(), |family| family.to_string()),
            product: product.unwrap_or("nothing").into(),
        }),
    }
}

/// `NRT_INSTANCE_*` of `nrt.h` (SDK 2.32).
fn target_numbered(family: u32) -> Option<Target> {
    match family {
        2 => Some(Target::Trn1),
        3 => Some(Target::Trn1n),
        4 | 7 => Some(Target::Inf2),
        5 | 6 | 8..=13 => Some(Target::Trn2),
        14 | 15 => Some(Target::Trn3),
        _ => None,
    }
}

/// By an EC2 instance type: its family's name, and for UltraServers that with a letter more.
fn target_named(product: &str) -> Option<Target> {
    let (family, _) = product.split_once('.')?;
    family.parse().ok().or_else(|| family.strip_suffix('u')?.parse().ok())
}

fn lnc(target: Target, set: Option<&str>) -> Result<u32, MachineError> {
    let Some(value) = set else { return Ok(Machine::default_lnc(target)) };
    let most = if target.generation() == Generation::V2 { 1 } else { 2 };
    let good = value.parse().ok().filter(|lnc| (1..=most).contains(lnc));
    good.ok_or_else(|| MachineError::Variable {
        variable: LNC,
        value: value.into(),
        remedy: if most == 1 { format!("{target} takes 1 alone") } else { format!("{target} takes 1 or 2") },
    })
}

fn core(visible: u32, set: Option<&str>) -> Result<u32, MachineError> {
    let Some(value) = set else { return Ok(0) };
    let good = value.parse().ok().filter(|core| *core < visible);
    good.ok_or_else(|| MachineError::Variable {
        variable: CORE,
        value: value.into(),
        remedy: format!("{visible} logical cores are visible: give 0 to {}", visible.saturating_sub(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chip_is_told_by_runtime_or_firmware_and_by_neither_against_the_other() {
        assert_eq!(target(Some(5), Some("trn2.48xlarge")), Ok(Target::Trn2));
        assert_eq!(target(Some(9), Some("trn2u.48xlarge")), Ok(Target::Trn2));
        assert_eq!(target(None, Some("inf2.xlarge")), Ok(Target::Inf2));
        assert_eq!(target(Some(3), None), Ok(Target::Trn1n));
        let error = target(Some(5), Some("trn1.2xlarge")).expect_err("they disagree");
        assert!(error.to_string().contains("the runtime says trn2, the firmware trn1"), "{error}");
        let error = target(Some(99), Some("Standard PC")).expect_err("unknown");
        assert!(error.to_string().contains("family 99") && error.to_string().contains("Standard PC"), "{error}");
    }

    #[test]
    fn a_logical_core_is_two_from_the_third_generation_on_unless_told() {
        assert_eq!([lnc(Target::Inf2, None), lnc(Target::Trn2, None), lnc(Target::Trn2, Some("1"))], [1, 2, 1].map(Ok));
        assert!(lnc(Target::Trn1, Some("2")).is_err_and(|e| e.to_string().contains("trn1 takes 1 alone")));
        assert!(lnc(Target::Trn3, Some("two")).is_err_and(|e| e.to_string().contains("NEURON_LOGICAL_NC_CONFIG=two")));
        let machine = Machine { target: Target::Trn2, instance: Some("trn2.3xlarge".into()), lnc: 2, core: 0 };
        assert_eq!((machine.logical_cores_per_chip(), machine.chips()), (4, Some(1)));
    }

    #[test]
    fn a_core_that_is_not_visible_is_refused() {
        assert_eq!(core(4, Some("3")), Ok(3));
        assert!(core(4, Some("4")).is_err_and(|e| e.to_string().contains("give 0 to 3")));
    }
}
