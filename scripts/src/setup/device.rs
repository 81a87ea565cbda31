//! Whether Vulkan would find a device, told from files: the loader, the drivers' manifests, and device nodes.
//!
//! Asking Vulkan itself would take a library and unsafe code; and a wrong answer here is mended by the conformance
//! suite, which opens the device and says when there is none.

use std::path::{Path, PathBuf};

/// What the files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A driver with something to drive.
    Device(String),
    /// What is not there.
    Nothing(String),
    /// A variable that hides whatever is there, or would be installed.
    Hidden(String),
}

/// Looks at this machine.
pub(super) fn find() -> Found {
    if !has_loader() {
        return Found::Nothing("no Vulkan loader (libvulkan.so.1)".into());
    }
    match named() {
        None => choose(&installed(), has_hardware()),
        Some((name, manifests)) => match choose(&manifests, has_hardware()) {
            Found::Nothing(_) => Found::Hidden(format!("{name} names no driver that has a device here; unset it")),
            found => found,
        },
    }
}

/// A software driver always has a device; the others need hardware.
fn choose(manifests: &[PathBuf], has_hardware: bool) -> Found {
    let usable = |path: &&PathBuf| has_hardware || is_software(path);
    match manifests.iter().find(usable) {
        Some(path) => Found::Device(path.display().to_string()),
        None if manifests.is_empty() => Found::Nothing("no Vulkan driver is installed".into()),
        None => Found::Nothing("drivers for hardware, but no such device (/dev/dri, /dev/nvidia*, /dev/dxg)".into()),
    }
}

/// lavapipe (`lvp_icd.json`) and SwiftShader (`vk_swiftshader_icd.json`).
fn is_software(manifest: &Path) -> bool {
    let name = manifest.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("lvp_") || name.contains("swiftshader")
}

fn has_loader() -> bool {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let fixed = ["/lib", "/usr/lib", "/usr/lib64", "/lib64", "/usr/local/lib"].map(PathBuf::from);
    let added = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = fixed.iter().flat_map(|lib| [lib.clone(), lib.join(&multiarch)]).chain(std::env::split_paths(&added));
    folders.into_iter().any(|folder| folder.join("libvulkan.so.1").exists())
}

fn has_hardware() -> bool {
    let renders = files_in(Path::new("/dev/dri")).iter().any(|path| path.to_string_lossy().contains("renderD"));
    renders || ["/dev/nvidiactl", "/dev/dxg", "/dev/mali0", "/dev/kgsl-3d0"].iter().any(|node| Path::new(node).exists())
}

/// Manifests that a variable lists, and its name: the loader looks at no others then.
/// (Vulkan-Loader, LoaderDriverInterface.md, "Overriding the Default Driver Discovery".)
fn named() -> Option<(&'static str, Vec<PathBuf>)> {
    let set = |name| Some((name, std::env::var_os(name).filter(|listed| !listed.is_empty())?));
    let (name, listed) = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].into_iter().find_map(set)?;
    let paths = std::env::split_paths(&listed);
    let paths = paths.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] });
    Some((name, paths.filter(|path| is_manifest(path)).collect()))
}

/// Manifests in the folders where the loader looks.
/// (Vulkan-Loader, LoaderDriverInterface.md, "Driver Discovery on Linux".)
fn installed() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let shared = ["/etc", "/usr/local/etc", "/usr/share", "/usr/local/share"].map(PathBuf::from);
    let extra = ["XDG_CONFIG_DIRS", "XDG_DATA_DIRS"].map(|name| std::env::var_os(name).unwrap_or_default());
    let extra = extra.iter().flat_map(std::env::split_paths);
    let folders = home.into_iter().chain(shared).chain(extra);
    folders.flat_map(|folder| files_in(&folder.join("vulkan/icd.d"))).filter(|path| is_manifest(path)).collect()
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json") && path.is_file()
}

/// Sorted, so that the same machine gives the same answer; empty where the folder cannot be read.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::{Found, choose};

    fn check(manifests: &[&str], has_hardware: bool, expected: Option<&str>) {
        let paths: Vec<_> = manifests.iter().map(Into::into).collect();
        let found = match choose(&paths, has_hardware) {
            Found::Device(what) => Some(what),
            Found::Nothing(_) | Found::Hidden(_) => None,
        };
        assert_eq!(found.as_deref(), expected, "{manifests:?} {has_hardware}");
    }

    #[test]
    fn a_driver_for_hardware_that_is_not_there_gives_no_device() {
        check(&["d/nvidia_icd.json"], false, None);
        check(&["d/nvidia_icd.json"], true, Some("d/nvidia_icd.json"));
        check(&[], true, None);
    }

    #[test]
    fn a_software_driver_needs_no_hardware() {
        check(&["d/intel_icd.x86_64.json", "d/lvp_icd.x86_64.json"], false, Some("d/lvp_icd.x86_64.json"));
        check(&["d/vk_swiftshader_icd.json"], false, Some("d/vk_swiftshader_icd.json"));
    }
}
