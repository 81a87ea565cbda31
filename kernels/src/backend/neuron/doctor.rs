//! What a machine needs to run on its NeuronCores, item by item, and what would help where one is missing.

use std::path::Path;

use super::compile::{NeffCache, NeuronxCc, NkiCompiler};
use super::machine::Machine;
use super::nrt::Runtime;

/// The driver's version, while it is loaded.
const DRIVER_VERSION: &str = "/sys/module/neuron/version";
/// The runtime's variables that say which cores it takes; where one is set, fewer than all are right.
const CHOOSES_CORES: [&str; 2] = ["NEURON_RT_VISIBLE_CORES", "NEURON_RT_NUM_CORES"];
/// An older name of `NEURON_LOGICAL_NC_CONFIG`.
const OLDER_LNC: &str = "NEURON_RT_VIRTUAL_CORE_SIZE";

/// One thing that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub what: &'static str,
    /// What is there, or why it is not and what would help.
    pub state: Result<String, String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Each thing needed, in the order in which to mend them.
    pub items: Vec<Item>,
    /// The machine, where it could be told.
    pub machine: Option<Machine>,
}

impl Findings {
    /// Whether nothing is missing.
    pub fn is_ready(&self) -> bool {
        self.items.iter().all(|item| item.state.is_ok())
    }
}

/// Looks at this machine. Starts the process's runtime where there is one.
pub fn examine() -> Findings {
    let mut items = vec![item("host", host()), item("driver", driver())];
    let runtime = Runtime::shared();
    let library = runtime.as_ref().map(|runtime| {
        let version = runtime.version();
        let words = [&version.number, &version.git_hash, &version.detail].map(|word| word.as_str());
        let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("libnrt {} at {}", said.join(", "), runtime.path())
    });
    if runtime.as_ref().is_ok_and(|runtime| runtime.version().is_fake()) {
        // A double needs no driver, and says so itself.
        items.retain(|item| item.what != "driver");
    }
    items.push(item("runtime", library.map_err(ToString::to_string)));
    let machine = match &runtime {
        Ok(runtime) => Machine::here(runtime.instance(), runtime.visible_cores()).map_err(|error| error.to_string()),
        Err(_) => Err("not known without a runtime".to_owned()),
    };
    items.push(item("chip", machine.as_ref().map(chip).map_err(Clone::clone)));
    if let (Ok(runtime), Ok(machine)) = (&runtime, &machine) {
        items.push(item("cores", cores(machine, runtime.visible_cores())));
        items.push(item("logical core", agreement(machine, set(OLDER_LNC).as_deref())));
    }
    let found = NkiCompiler::find().map(|nki| format!("{} in {}", nki.version(), nki.python().display()));
    items.push(item("nki", found.map_err(|missing| missing.to_string())));
    let found = NeuronxCc::find().map(|cc| format!("{} at {}", cc.version(), cc.command().display()));
    items.push(item("neuronx-cc", found.map_err(|missing| missing.to_string())));
    items.push(item("NEFF cache", cache(&NeffCache::of_user())));
    Findings { items, machine: machine.ok() }
}

fn item(what: &'static str, state: Result<String, String>) -> Item {
    Item { what, state }
}

fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn host() -> Result<String, String> {
    let here = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        Ok(here)
    } else {
        Err(format!("{here}: the Neuron runtime is for Linux; start an EC2 instance of trn1, trn2, trn3 or inf2"))
    }
}

fn driver() -> Result<String, String> {
    let devices = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let is_device = |name: &str| name.strip_prefix("neuron").is_some_and(|n| n.parse::<u32>().is_ok());
    let n = devices.filter(|entry| is_device(&entry.file_name().to_string_lossy())).count();
    if n == 0 {
        return Err("no /dev/neuron0: on a Neuron instance install aws-neuronx-dkms and `modprobe neuron`".into());
    }
    let version = std::fs::read_to_string(DRIVER_VERSION).map_or("unknown".into(), |text| text.trim().to_owned());
    Ok(format!("version {version}, {n} devices"))
}

fn chip(machine: &Machine) -> String {
    let instance = machine.instance.as_deref().unwrap_or("the instance type is not told");
    match machine.chips() {
        Some(chips) => format!("{} ({instance}, {chips} chips)", machine.target),
        None => format!("{} ({instance})", machine.target),
    }
}

/// Cores that the process sees against those that the instance has.
fn cores(machine: &Machine, visible: u32) -> Result<String, String> {
    let chosen = CHOOSES_CORES.iter().find(|name| set(name).is_some());
    let all = machine.chips().map(|chips| chips * machine.logical_cores_per_chip());
    match (all, chosen) {
        (Some(all), None) if all != visible as usize => Err(format!(
            "{visible} logical cores are visible where {all} of {} physical ones would be: another process holds some, or \
             NEURON_LOGICAL_NC_CONFIG differs from what the runtime takes",
            machine.lnc
        )),
        (_, Some(name)) => Ok(format!("{visible} visible by {name}; core {} is used", machine.core)),
        (_, None) => Ok(format!("{visible} visible; core {} is used", machine.core)),
    }
}

/// Whether every variable that sets the size of a logical core says the same.
fn agreement(machine: &Machine, older: Option<&str>) -> Result<String, String> {
    let lnc = machine.lnc.to_string();
    match older {
        Some(older) if older != lnc => Err(format!(
            "{OLDER_LNC}={older} against {lnc} for the compiler: unset it, and set NEURON_LOGICAL_NC_CONFIG alone"
        )),
        _ => Ok(format!("{lnc} physical cores, for compiler and runtime")),
    }
}

fn cache(cache: &NeffCache) -> Result<String, String> {
    let folder = cache.folder();
    let kept = |folder: &Path| std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    let help = "name a folder that can be written in FARTHING_NEFF_CACHE";
    kept(folder).map(|_| folder.display().to_string()).map_err(|error| format!("{}: {error}; {help}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::neuron::Target;

    #[test]
    fn sizes_of_a_logical_core_must_agree() {
        let machine = Machine { target: Target::Trn2, instance: None, lnc: 2, core: 0 };
        assert!(agreement(&machine, None).is_ok() && agreement(&machine, Some("2")).is_ok());
        assert!(agreement(&machine, Some("1")).is_err_and(|e| e.contains("NEURON_RT_VIRTUAL_CORE_SIZE=1 against 2")));
    }

    #[test]
    fn fewer_cores_than_the_instance_has_are_told() {
        let machine = Machine { target: Target::Trn2, instance: Some("trn2.3xlarge".into()), lnc: 2, core: 0 };
        assert!(cores(&machine, 4).is_ok());
        if CHOOSES_CORES.iter().all(|name| set(name).is_none()) {
            assert!(cores(&machine, 3).is_err_and(|e| e.contains("3 logical cores are visible where 4")));
        }
    }

    /// On any machine each item says something, and what is missing names a remedy.
    #[test]
    fn an_examination_tells_of_each_item() {
        let findings = examine();
        let names: Vec<&str> = findings.items.iter().map(|item| item.what).collect();
        for what in ["host", "runtime", "chip", "nki", "neuronx-cc", "NEFF cache"] {
            assert!(names.contains(&what), "{what}: {names:?}");
        }
        assert!(findings.items.iter().all(|item| item.state.as_ref().map_or_else(|e| e.len(), |s| s.len()) > 0));
    }
}
