//! The machine a run happened on: read once, at its start, from where the system says it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::record::Environment;

mod hardware;

/// Instruction sets that matter to a kernel, best first, as Linux spells them on x86-64 and on Arm.
const ISAS: [&str; 14] = [
    "amx_bf16",
    "avx512_bf16",
    "avx512_vnni",
    "avx512f",
    "avx_vnni",
    "avx2",
    "fma",
    "f16c",
    "sve2",
    "sve",
    "i8mm",
    "bf16",
    "asimdhp",
    "asimd",
];

/// Reads this machine. What cannot be read is null, never a guess.
pub fn environment() -> Environment {
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let meminfo = read("/proc/meminfo").unwrap_or_default();
    Environment {
        cpu: field(&cpuinfo, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        isa: isa(&cpuinfo),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        caches_bytes: caches(Path::new("/sys/devices/system/cpu/cpu0/cache")),
        memory_bytes: kib_field(&meminfo, "MemTotal"),
        os: os(),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").map(|s| s.trim().to_owned()),
        virtualised: flags(&cpuinfo).map(|flags| flags.split_whitespace().any(|f| f == "hypervisor")),
        load_before: load(),
        rustc: env!("FARTHING_RUSTC").to_owned(),
        rustflags: Some(env!("FARTHING_RUSTFLAGS").to_owned()),
        profile: Some(env!("FARTHING_PROFILE").to_owned()),
        commit: Some(env!("FARTHING_COMMIT")).filter(|c| !c.is_empty()).map(str::to_owned),
        dirty: DIRTY.parse().ok(),
        binary: (DIRTY != "false").then(binary).flatten(),
        hardware: hardware::hardware(&cpuinfo),
    }
}

/// Whether the checkout had uncommitted changes when this binary was built; neither `true` nor `false` where unknown.
const DIRTY: &str = env!("FARTHING_DIRTY");

/// Digest of the binary that runs.
fn binary() -> Option<String> {
    let mut hash = Sha256::new();
    let mut file = fs::File::open(std::env::current_exe().ok()?).ok()?;
    std::io::copy(&mut file, &mut hash).ok()?;
    Some(hex(&hash.finalize()[..8]))
}

/// One-minute load average; none where it cannot be read.
pub fn load() -> Option<f64> {
    loadavg(&read("/proc/loadavg")?)
}

/// Memory that a process can still take without pushing others out; none where it cannot be read.
pub fn available_bytes() -> Option<u64> {
    kib_field(&read("/proc/meminfo")?, "MemAvailable")
}

/// Six hexadecimal digits that are equal for equal hardware: part of run names, and what `compare` goes by.
pub fn fingerprint(environment: &Environment) -> String {
    // Memory in whole GiB: the kernel keeps a few MiB more or less from boot to boot.
    let gib = environment.memory_bytes.map(|b| b >> 30);
    let words = format!("{}|{}|{:?}|{gib:?}", environment.cpu, environment.cpus, environment.caches_bytes);
    hex(&Sha256::digest(words)[..3])
}

/// Lower-case hexadecimal digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next()
}

fn kib_field(meminfo: &str, name: &str) -> Option<u64> {
    let value = field(meminfo, name)?;
    value.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn flags(cpuinfo: &str) -> Option<String> {
    field(cpuinfo, "flags").or_else(|| field(cpuinfo, "Features"))
}

fn isa(cpuinfo: &str) -> String {
    let flags = flags(cpuinfo).unwrap_or_default();
    let found: Vec<&str> = ISAS.into_iter().filter(|isa| flags.split_whitespace().any(|f| f == *isa)).collect();
    if found.is_empty() { std::env::consts::ARCH.to_owned() } else { found.join(" ") }
}

fn loadavg(loadavg: &str) -> Option<f64> {
    loadavg.split_whitespace().next()?.parse().ok()
}

fn os() -> String {
    let release = read("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", name.unwrap_or(std::env::consts::OS), kernel.trim()).trim().to_owned()
}

/// Data and unified caches of one CPU by level: `L1d`, `L2`, `L3`.
fn caches(dir: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for index in 0..8 {
        let at = dir.join(format!("index{index}"));
        let text = |name: &str| fs::read_to_string(at.join(name)).ok().map(|s| s.trim().to_owned());
        let (Some(level), Some(kind), Some(size)) = (text("level"), text("type"), text("size")) else { continue };
        let suffix = match kind.as_str() {
            "Data" => "d",
            "Unified" => "",
            _ => continue,
        };
        if let Some(bytes) = size_bytes(&size) {
            found.insert(format!("L{level}{suffix}"), bytes);
        }
    }
    found
}

/// `32K`, `16M` as the kernel writes them.
fn size_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUINFO: &str =
        "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu fma avx2 avx512f hypervisor avx512_bf16\n";

    #[test]
    fn a_cpu_is_read_from_its_text() {
        assert_eq!(field(CPUINFO, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(isa(CPUINFO), "avx512_bf16 avx512f avx2 fma");
        assert_eq!(isa(""), std::env::consts::ARCH);
    }

    #[test]
    fn sizes_are_bytes_and_nonsense_is_nothing() {
        assert_eq!([size_bytes("32K"), size_bytes("32768K"), size_bytes("7")], [Some(32768), Some(32 << 20), Some(7)]);
        assert_eq!([size_bytes("lots"), size_bytes(""), size_bytes("99999999999999999999K")], [None, None, None]);
        assert_eq!(kib_field("MemTotal:       2 kB\n", "MemTotal"), Some(2048));
        assert_eq!(loadavg("0.35 0.58 0.67 1/99 7"), Some(0.35));
    }

    #[test]
    fn caches_come_by_level_and_instruction_caches_are_left_out() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (index, level, kind, size) in
            [(0, "1", "Data", "32K"), (1, "1", "Instruction", "32K"), (2, "2", "Unified", "1M")]
        {
            let at = dir.path().join(format!("index{index}"));
            fs::create_dir(&at).expect("a folder");
            for (name, text) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(at.join(name), format!("{text}\n")).expect("a file");
            }
        }
        let found = caches(dir.path());
        assert_eq!(found, BTreeMap::from([("L1d".into(), 32 << 10), ("L2".into(), 1 << 20)]));
    }

    #[test]
    fn equal_hardware_has_equal_fingerprints() {
        let here = environment();
        let rebooted = Environment { memory_bytes: here.memory_bytes, load_before: Some(9.0), ..here.clone() };
        assert_eq!(fingerprint(&here), fingerprint(&rebooted));
        let other = Environment { cpus: here.cpus + 1, ..here.clone() };
        assert_ne!(fingerprint(&here), fingerprint(&other));
        assert_eq!(fingerprint(&here).len(), 6);
    }
}
