//! What of a machine matters to a time and is not always to be read.

use std::collections::BTreeSet;
use std::path::Path;

use super::{field, read};
use crate::record::Hardware;

/// Reads this machine.
pub(super) fn hardware(cpuinfo: &str) -> Hardware {
    let (sockets, cores) = topology(cpuinfo);
    let yes = |path: &str| read(path).and_then(|text| flag(&text));
    Hardware {
        microcode: field(cpuinfo, "microcode"),
        cores,
        sockets,
        numa_nodes: numa_nodes(Path::new("/sys/devices/system/node")),
        smt: yes("/sys/devices/system/cpu/smt/active"),
        boost: yes("/sys/devices/system/cpu/cpufreq/boost")
            .or_else(|| yes("/sys/devices/system/cpu/intel_pstate/no_turbo").map(|off| !off)),
        huge_pages: read("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| chosen(&text)),
        cpu_quota: read("/sys/fs/cgroup/cpu.max").and_then(|text| quota(&text)),
        product: product(),
    }
}

/// Distinct sockets, and distinct cores of them.
fn topology(cpuinfo: &str) -> (Option<usize>, Option<usize>) {
    let mut cores = BTreeSet::new();
    for cpu in cpuinfo.split("\n\n") {
        if let Some(at) = field(cpu, "physical id").zip(field(cpu, "core id")) {
            cores.insert(at);
        }
    }
    let sockets: BTreeSet<&String> = cores.iter().map(|(socket, _)| socket).collect();
    let count = |n: usize| Some(n).filter(|n| *n > 0);
    (count(sockets.len()), count(cores.len()))
}

fn numa_nodes(dir: &Path) -> Option<usize> {
    let is_node = |name: &str| name.strip_prefix("node").is_some_and(|n| n.parse::<usize>().is_ok());
    let entries = std::fs::read_dir(dir).ok()?.flatten();
    Some(entries.filter(|entry| entry.file_name().to_str().is_some_and(is_node)).count()).filter(|n| *n > 0)
}

fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// The word in brackets: `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

/// `max 100000` or `150000 100000`: microseconds of each period.
fn quota(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let cpus = quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?;
    Some(cpus).filter(|cpus| cpus.is_finite())
}

fn product() -> Option<String> {
    let words = ["sys_vendor", "product_name"].map(|name| read(&format!("/sys/class/dmi/id/{name}")));
    let words: Vec<String> = words.into_iter().flatten().map(|word| word.trim().to_owned()).collect();
    Some(words.join(" ")).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_counted_once_a_socket() {
        let cpu = |socket, core| format!("processor : 0\nphysical id\t: {socket}\ncore id\t\t: {core}\n");
        let text = [cpu(0, 0), cpu(0, 0), cpu(0, 1), cpu(1, 0)].join("\n");
        assert_eq!(topology(&text), (Some(2), Some(3)));
        assert_eq!(topology("processor : 0\n"), (None, None));
    }

    #[test]
    fn settings_are_read_from_their_text_and_nonsense_is_nothing() {
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        assert_eq!((flag("1\n"), flag("0"), flag("forceoff")), (Some(true), Some(false), None));
        assert_eq!((quota("150000 100000\n"), quota("max 100000"), quota("1 0")), (Some(1.5), None, None));
        assert_eq!(chosen(""), None);
    }
}
