//! Joules, where something counts them: RAPL of the CPU's packages, NVML of an NVIDIA board.

use std::fs;
use std::path::{Path, PathBuf};

use farthing_kernels::backend::DeviceInfo;
use nvml_wrapper::Nvml;

/// Where Linux shows RAPL; AMD's counters lie there too.
const POWERCAP: &str = "/sys/class/powercap";

/// A counter of a device's energy.
pub(super) enum Meter {
    /// Packages of the CPU.
    Rapl(Vec<Package>),
    /// One board.
    Nvml {
        /// The library, opened.
        library: Box<Nvml>,
        /// Number of the board.
        index: u32,
    },
}

/// One package's counter.
#[derive(Debug)]
pub(super) struct Package {
    energy: PathBuf,
    range_uj: u64,
}

/// What a counter showed.
#[derive(Clone, Debug)]
pub(super) struct Reading(Vec<u64>);

impl Meter {
    /// The counter of a device; why there is none, where there is none. `cpu` is the host's model name.
    pub(super) fn of(device: &DeviceInfo, cpu: &str) -> Result<Meter, String> {
        if device.device == cpu {
            return packages(Path::new(POWERCAP)).map(Meter::Rapl);
        }
        if !device.device.to_lowercase().contains("nvidia") {
            return Err(format!("no energy counter is known for {}", device.device));
        }
        let library = Nvml::init().map_err(|error| format!("NVML: {error}"))?;
        let index = board(&library, &device.device)?;
        Ok(Meter::Nvml { library: Box::new(library), index })
    }

    /// What it is called in a record.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Meter::Rapl(_) => "RAPL, all packages",
            Meter::Nvml { .. } => "NVML, the whole board",
        }
    }

    /// Reads it now.
    pub(super) fn read(&self) -> Result<Reading, String> {
        match self {
            Meter::Rapl(packages) => packages.iter().map(|package| number(&package.energy)).collect::<Result<_, _>>(),
            Meter::Nvml { library, index } => {
                let board = library.device_by_index(*index);
                let millijoules = board.and_then(|board| board.total_energy_consumption());
                millijoules.map(|mj| vec![mj]).map_err(|error| format!("NVML: {error}"))
            }
        }
        .map(Reading)
    }

    /// Joules between two readings.
    pub(super) fn joules(&self, before: &Reading, after: &Reading) -> f64 {
        let pairs = before.0.iter().zip(&after.0);
        match self {
            Meter::Rapl(packages) => {
                let each = packages.iter().zip(pairs);
                each.map(|(package, (b, a))| wrapped(*b, *a, package.range_uj) as f64 * 1e-6).sum()
            }
            Meter::Nvml { .. } => pairs.map(|(b, a)| a.saturating_sub(*b) as f64 * 1e-3).sum(),
        }
    }
}

/// A counter that starts again at its range.
fn wrapped(before: u64, after: u64, range: u64) -> u64 {
    if after >= before { after - before } else { (range - before).saturating_add(after) }
}

fn packages(dir: &Path) -> Result<Vec<Package>, String> {
    let entries = fs::read_dir(dir).map_err(|_| format!("no RAPL: {} is not there", dir.display()))?;
    let is_package = |path: &PathBuf| {
        let name = fs::read_to_string(path.join("name")).unwrap_or_default();
        name.trim().starts_with("package-")
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()).filter(is_package) {
        let energy = path.join("energy_uj");
        let range_uj = number(&path.join("max_energy_range_uj"))?;
        number(&energy)?;
        found.push(Package { energy, range_uj });
    }
    if found.is_empty() { Err(format!("no RAPL: no package in {}", dir.display())) } else { Ok(found) }
}

fn number(path: &Path) -> Result<u64, String> {
    let unreadable = |why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    text.trim().parse().map_err(|error| unreadable(&error))
}

/// The only board of this name: of two alike it cannot be told which one worked.
fn board(library: &Nvml, device: &str) -> Result<u32, String> {
    let count = library.device_count().map_err(|error| format!("NVML: {error}"))?;
    let named = |index: &u32| {
        library.device_by_index(*index).and_then(|b| b.name()).is_ok_and(|n| device.contains(&n) || n.contains(device))
    };
    match (0..count).filter(named).collect::<Vec<_>>()[..] {
        [one] => Ok(one),
        [] => Err(format!("NVML has no board named {device}")),
        _ => Err(format!("NVML has several boards named {device}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn powercap(packages: &[(&str, &str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (i, (name, energy, range)) in packages.iter().enumerate() {
            let at = dir.path().join(format!("intel-rapl:{i}"));
            fs::create_dir(&at).expect("a folder");
            for (file, text) in [("name", name), ("energy_uj", energy), ("max_energy_range_uj", range)] {
                fs::write(at.join(file), format!("{text}\n")).expect("a file");
            }
        }
        dir
    }

    #[test]
    fn packages_add_up_over_a_wrap_and_parts_of_them_do_not_count_twice() {
        let dir = powercap(&[("package-0", "900", "1000"), ("core", "5", "1000"), ("package-1", "10", "1000")]);
        let meter = Meter::Rapl(packages(dir.path()).expect("two packages"));
        let before = meter.read().expect("readable");
        for (i, energy) in [(0, "100"), (2, "2000010")] {
            fs::write(dir.path().join(format!("intel-rapl:{i}/energy_uj")), energy).expect("a file");
        }
        // 1000 − 900 + 100 = 200 µJ and 2 J.
        let joules = meter.joules(&before, &meter.read().expect("readable"));
        assert!((joules - 2.0002).abs() < 1e-12, "{joules}");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let none = tempfile::tempdir().expect("a temporary folder");
        assert!(packages(none.path()).expect_err("empty").contains("no package"));
        assert!(packages(&none.path().join("x")).expect_err("no folder").contains("is not there"));
        let text = powercap(&[("package-0", "lots", "1000")]);
        assert!(packages(text.path()).expect_err("no number").contains("energy_uj cannot be read"));
    }
}
