//! A newer Mesa than the system's, in a folder of its own: a software device with cooperative matrices, and drivers of GPUs
//! that are not there behind a fake kernel interface.
//!
//! Debian's packages are fetched by apt-get with state and cache in that folder and unpacked there: nothing of the system
//! changes, and no rights are needed. Programs run there through the folder's own dynamic loader, since its C library is
//! newer too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Install, apply};
use crate::command::{self, target_dir};

/// A release of Debian whose backports have a newer Mesa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    /// Debian 13, with Mesa 26 in its backports
    Trixie,
}

/// The drivers, the fake kernel interfaces, and the loader that finds both. What they depend on comes with them.
const PACKAGES: [&str; 3] = ["mesa-vulkan-drivers", "mesa-drm-shim", "libvulkan1"];
/// Keys of Debian's archive, for all its releases. Of the package with the same name, on every Debian.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Names a mirror where the system is no Debian.
const MIRROR: &str = "FARTHING_DEBIAN_MIRROR";
/// What fetching takes, for the message of a full disk: 201 MB of lists, caches and packages, which go again, and 309 MB
/// unpacked (Mesa 26.1.6, 2026-11-26).
const SIZE: &str = "520 MB";

/// The unpacked packages.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The words before a program's own that run it on this tree's libraries.
    pub(crate) fn runner(&self) -> [PathBuf; 3] {
        [self.libraries().join("ld-linux-x86-64.so.2"), "--library-path".into(), self.libraries()]
    }

    /// Variables that leave the tree's Vulkan one driver: `lvp`, `radeon`, `nouveau`.
    pub(crate) fn driver(&self, name: &str) -> [(&'static str, PathBuf); 3] {
        let manifest = self.root.join(format!("usr/share/vulkan/icd.d/{name}_icd.json"));
        // The second name is that of older loaders. Layers of the system were built for its own libraries.
        [
            ("VK_DRIVER_FILES", manifest.clone()),
            ("VK_ICD_FILENAMES", manifest),
            ("VK_LOADER_LAYERS_DISABLE", "~implicit~".into()),
        ]
    }

    /// A program on this tree's libraries, on a GPU that is not there: `amdgpu` or `nouveau` is the kernel's part of it.
    pub(crate) fn on_fake(&self, kernel: &str, program: &Path) -> Command {
        let [loader, option, libraries] = self.runner();
        let mut command = Command::new(loader);
        command.arg(option).arg(libraries).arg("--preload");
        command.arg(self.libraries().join(format!("lib{kernel}_noop_drm_shim.so"))).arg(program);
        command
    }

    fn libraries(&self) -> PathBuf {
        self.root.join("usr/lib/x86_64-linux-gnu")
    }
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Trixie => "trixie",
        }
    }
}

/// The tree of a suite, fetched where it is missing and may be; and why there is none.
pub(crate) fn mesa(suite: Suite, install: Install) -> Result<Tree, String> {
    let found = find_or_fetch(suite, install);
    match &found {
        Ok(tree) => println!("Mesa of {}: {}", suite.name(), tree.root.display()),
        Err(why) => println!("Mesa of {}: {why}", suite.name()),
    }
    found
}

fn find_or_fetch(suite: Suite, install: Install) -> Result<Tree, String> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err("only on x86-64 Linux".into());
    }
    let here = std::env::current_dir().map_err(|error| format!("the working folder: {error}"))?;
    let root = here.join(target_dir()).join(format!("mesa-{}", suite.name()));
    if !root.exists() {
        if install == Install::Never {
            return Err(format!("not there; `cargo xtask setup --mesa {}` fetches it", suite.name()));
        }
        fetch(suite, &root)?;
    }
    Ok(Tree { root })
}

/// Fetches into a folder beside the tree, which is renamed when it is whole. A fetch that was killed is continued.
fn fetch(suite: Suite, root: &Path) -> Result<(), String> {
    let part = root.with_extension("part");
    let apt = Apt::new(suite, &part)?;
    apt.run(&["update", "--error-on=any"])?;
    let backports = format!("{}-backports", suite.name());
    apt.run(&[&["install", "--yes", "--download-only", "--target-release", &backports], &PACKAGES[..]].concat())?;
    // Of a fetch that was killed weeks ago.
    apt.run(&["autoclean"])?;
    let unpacked = part.join("tree");
    let _ = fs::remove_dir_all(&unpacked);
    let in_part = |error: std::io::Error| format!("{}: {error}", part.display());
    fs::create_dir_all(&unpacked).map_err(in_part)?;
    for entry in fs::read_dir(part.join("cache/archives")).map_err(in_part)? {
        let package = entry.map_err(in_part)?.path();
        if package.extension().is_some_and(|ending| ending == "deb") {
            unpack(&package, &unpacked)?;
        }
    }
    fs::rename(&unpacked, root).map_err(|error| format!("{}: {error}", root.display()))?;
    // What is left over harms nobody.
    let _ = fs::remove_dir_all(&part);
    Ok(())
}

fn unpack(package: &Path, into: &Path) -> Result<(), String> {
    match Command::new("dpkg-deb").arg("--extract").arg(package).arg(into).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "dpkg-deb cannot unpack {} ({status}); is {SIZE} free there? mend it and run this again",
            package.display()
        )),
        Err(error) => Err(format!("dpkg-deb: {error}; it comes with Debian and Ubuntu")),
    }
}

/// apt-get with lists, state and cache of its own. The system's settings stay, such as a proxy.
struct Apt {
    words: Vec<String>,
}

impl Apt {
    fn new(suite: Suite, part: &Path) -> Result<Apt, String> {
        if !command::says_yes(Command::new("apt-get").arg("--version")) {
            return Err("there is no apt-get".into());
        }
        if !Path::new(KEYS).exists() {
            return Err(format!("no {KEYS}, which proves what is fetched; install debian-archive-keyring"));
        }
        let make = || {
            for folder in ["state/lists/partial", "cache/archives/partial"] {
                fs::create_dir_all(part.join(folder))?;
            }
            fs::write(part.join("state/status"), "")?; // No package is installed: all that is needed comes along.
            fs::write(part.join("sources.list"), sources_list(suite, &mirror().map_err(std::io::Error::other)?))
        };
        make().map_err(|error| format!("cannot prepare {}: {error}", part.display()))?;
        let words = ["apt-get", "--quiet"].into_iter().map(str::to_owned);
        let options = settings(part).into_iter().flat_map(|setting| ["-o".to_owned(), setting]);
        Ok(Apt { words: words.chain(options).collect() })
    }

    fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let help = format!(
            "its own words are above; it needs {SIZE} of disk and a mirror of Debian; mend it and run this again"
        );
        apply(&words, arguments).map_err(|why| format!("{why}; {help}"))
    }
}

fn settings(part: &Path) -> [String; 12] {
    let own = |name, file| format!("{name}={}", part.join(file).display());
    [
        own("Dir::State", "state"),
        own("Dir::State::Status", "state/status"),
        own("Dir::Cache", "cache"),
        own("Dir::Etc::SourceList", "sources.list"),
        "Dir::Etc::SourceParts=/dev/null".into(),
        "Dir::Etc::Preferences=/dev/null".into(),
        "Dir::Etc::PreferencesParts=/dev/null".into(),
        "APT::Architecture=amd64".into(),
        "APT::Architectures=amd64".into(),
        "APT::Install-Recommends=false".into(),
        "Acquire::Languages=none".into(),
        // Another user could not write into this folder.
        "APT::Sandbox::User=".into(),
    ]
}

fn sources_list(suite: Suite, mirror: &str) -> String {
    let line = |pocket| format!("deb [signed-by={KEYS}] {mirror} {}{pocket} main\n", suite.name());
    ["", "-backports"].map(line).concat()
}

/// The mirror that this system's apt has its own release from.
fn mirror() -> Result<String, String> {
    if let Ok(named) = std::env::var(MIRROR) {
        return Ok(named);
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let asked = ["indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"];
    let targets = Command::new("apt-get").args(asked).output().map_err(|error| format!("apt-get: {error}"))?;
    own_mirror(&release, &String::from_utf8_lossy(&targets.stdout))
        .ok_or_else(|| format!("apt-get knows no mirror of Debian; name one in {MIRROR}"))
}

/// The mirror of a Debian's own release among apt's targets.
fn own_mirror(os_release: &str, targets: &str) -> Option<String> {
    let field = |name| os_release.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_matches('"'));
    let own = field("VERSION_CODENAME=").filter(|_| field("ID=") == Some("debian"))?;
    let mut lines = targets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.find_map(|words| match words[..] {
        [release, "main", uri] if release == own => Some(uri.to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Suite, own_mirror, sources_list};

    const TARGETS: &str = "cloud-sdk main http://other/apt/\nbookworm-updates main http://a/debian/\n\
                           bookworm main http://b/debian/\nbookworm contrib http://c/debian/\n";

    fn check(os_release: &str, expected: Option<&str>) {
        assert_eq!(own_mirror(os_release, TARGETS).as_deref(), expected, "{os_release}");
    }

    #[test]
    fn the_mirror_is_that_of_the_systems_own_release() {
        check("ID=debian\nVERSION_CODENAME=bookworm\n", Some("http://b/debian/"));
        check("VERSION_CODENAME=\"bookworm\"\nID=\"debian\"\n", Some("http://b/debian/"));
    }

    #[test]
    fn a_system_that_is_no_debian_has_no_mirror_of_it() {
        check("ID=ubuntu\nVERSION_CODENAME=bookworm\n", None);
        check("ID=debian\nVERSION_CODENAME=sid\n", None);
        check("", None);
    }

    #[test]
    fn both_pockets_are_asked_with_debians_keys() {
        let list = sources_list(Suite::Trixie, "http://b/debian/");
        assert!(list.lines().all(|line| line.starts_with("deb [signed-by=/usr/share/keyrings/debian-")), "{list}");
        let pockets: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
        assert_eq!(pockets, ["trixie", "trixie-backports"]);
    }
}
