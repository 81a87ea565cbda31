//! What the tests need of a machine beside Rust: a Vulkan device, or Mesa's software one in its place, and a Python with
//! NumPy for the worker that is tested with it and for the test double of NKI. When asked, a newer Mesa beside the system's.

mod device;
mod mesa;
mod numpy;

use std::process::Command;

use crate::command;
use device::Found;

pub(crate) use mesa::{Suite, Tree, mesa};
pub(crate) use numpy::numpy;

/// What is set up.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Instead of that: fetch the newer Mesa of a Debian release's backports into target/mesa-SUITE (64 MB; needs apt-get, and
    /// no rights); remove the folder to fetch anew
    #[arg(long, value_name = "SUITE")]
    mesa: Option<Suite>,
}

/// Sets up what is asked for; whether it is there.
pub(crate) fn run(options: &Options) -> bool {
    if let Some(suite) = options.mesa {
        return mesa(suite, Install::IfAllowed).is_ok();
    }
    let vulkan = vulkan(Install::IfAllowed).is_there();
    // Where NumPy is missing a worker and a test double go unused, which their suites count.
    let _ = numpy(Install::IfAllowed);
    vulkan
}

/// Debian's and Ubuntu's package of Mesa's Vulkan drivers, the software one among them; it brings the loader too.
const PACKAGE: &str = "mesa-vulkan-drivers";

/// Whether packages may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    /// Where root or sudo without a password allows it.
    IfAllowed,
    /// Not at all.
    Never,
}

/// What there is after the set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Vulkan {
    /// A device should be found.
    There,
    /// None will be; why, and what would help.
    Absent(String),
}

impl Vulkan {
    /// Whether a device should be found.
    pub(crate) fn is_there(&self) -> bool {
        *self == Vulkan::There
    }
}

/// Looks for a Vulkan device, installs the software one where there is none and it may, and says what it did.
pub(crate) fn vulkan(install: Install) -> Vulkan {
    if !cfg!(target_os = "linux") {
        println!("Vulkan: not looked for; this system brings its own GPU interface");
        return Vulkan::There;
    }
    let found = match device::find() {
        Found::Device(what) => Ok(what),
        Found::Hidden(why) => Err(why),
        Found::Nothing(missing) => mend(&missing, install),
    };
    match found {
        Ok(what) => {
            println!("Vulkan: {what}");
            Vulkan::There
        }
        Err(why) => {
            println!("Vulkan: {why}: the tests of the GPU backend will not run");
            Vulkan::Absent(why)
        }
    }
}

/// Installs what is missing where it may; what is there then, or what is not, why, and what would help.
fn mend(missing: &str, install: Install) -> Result<String, String> {
    println!("Vulkan: {missing}");
    let mended = match install {
        Install::Never => Err("told not to install".into()),
        Install::IfAllowed => fetch(),
    };
    let help = format!("install a Vulkan driver (Debian, Ubuntu: apt-get install {PACKAGE})");
    mended.map_err(|why| format!("{missing}; {why}; {help}"))
}

/// The words that start apt-get with the rights to install, or why nothing can be installed.
fn apt_get() -> Result<Vec<&'static str>, String> {
    if !command::says_yes(Command::new("apt-get").arg("--version")) {
        return Err("there is no apt-get".into());
    }
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"];
    if is_root() {
        return Ok(apt.to_vec());
    }
    if command::says_yes(Command::new("sudo").args(["-n", "true"])) {
        return Ok([&["sudo", "-n"][..], &apt].concat());
    }
    Err("neither root nor sudo without a password".into())
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs packages where root or sudo without a password allows it.
///
/// # Errors
/// Why they are not installed.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<(), String> {
    let apt = apt_get()?;
    println!("{what}: installing {}", packages.join(", "));
    // A broken third-party source fails the update and need not fail the installation.
    if let Err(why) = apply(&apt, &["update"]) {
        println!("{what}: {why}; trying to install all the same");
    }
    apply(&apt, &[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// Installs the package; what is there then, or what went wrong.
fn fetch() -> Result<String, String> {
    install("Vulkan", &[PACKAGE])?;
    match device::find() {
        Found::Device(what) => Ok(what),
        Found::Nothing(missing) | Found::Hidden(missing) => Err(format!("{PACKAGE} is installed, and yet: {missing}")),
    }
}

fn apply(apt: &[&str], arguments: &[&str]) -> Result<(), String> {
    let line = [apt, arguments].concat();
    println!("+ {}", line.join(" "));
    match command::stream(Command::new(line[0]).args(&line[1..]), |_| {}) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get {} failed ({status})", arguments[0])),
        Err(error) => Err(format!("{error:#}")),
    }
}
