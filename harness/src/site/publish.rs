//! Writing a site to a folder, whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use super::{Site, SiteError};

/// A file that marks a folder as ours to replace.
const MARK: &str = ".farthing-site";

/// Writes the site: a folder of that name is there as it was or as it is to be, at any moment but the one between two
/// renames. A folder that holds anything else is left alone.
///
/// # Errors
/// The folder is someone else's, or cannot be written.
pub fn publish(site: &Site, out: &Path) -> Result<(), SiteError> {
    let failed = |source| SiteError::Write { path: out.to_path_buf(), source };
    if !is_ours(out).map_err(failed)? {
        return Err(SiteError::Foreign { path: out.to_path_buf() });
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let built = tempfile::Builder::new().prefix(".farthing-site-").tempdir_in(parent).map_err(failed)?;
    write(site, built.path()).map_err(failed)?;
    let old = out.exists().then(|| aside(parent)).transpose().map_err(failed)?;
    if let Some(old) = &old {
        std::fs::rename(out, old.path().join("old")).map_err(failed)?;
    }
    std::fs::rename(built.keep(), out).map_err(failed)
}

/// A new, an empty or an earlier folder of ours.
fn is_ours(out: &Path) -> io::Result<bool> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => Ok(out.join(MARK).is_file() || entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A place for what is replaced, which goes when the value is dropped.
fn aside(parent: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".farthing-old-").tempdir_in(parent)
}

fn write(site: &Site, dir: &Path) -> io::Result<()> {
    readable(dir)?;
    std::fs::write(dir.join(MARK), "A site of farthing: replaced as a whole by the next `farthing publish`.\n")?;
    let mut made: Vec<PathBuf> = Vec::new();
    for (path, file) in &site.files {
        let path = dir.join(path);
        if let Some(folder) = path.parent().filter(|folder| !made.iter().any(|known| known == folder)) {
            std::fs::create_dir_all(folder)?;
            made.push(folder.to_path_buf());
        }
        std::fs::write(&path, &file.bytes)?;
    }
    Ok(())
}

/// A temporary folder is private; a site is meant to be served.
#[cfg(unix)]
fn readable(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::File;

    fn site(text: &str) -> Site {
        let file = File { media: "text/html; charset=utf-8", bytes: text.into() };
        Site { files: [("index.html".to_string(), file.clone()), ("rows/a/b.html".to_string(), file)].into() }
    }

    #[test]
    fn a_site_replaces_an_earlier_one_as_a_whole_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("deep/site");
        publish(&site("one"), &out).expect("a new folder");
        std::fs::write(out.join("stale.html"), "old").expect("written");
        publish(&site("two"), &out).expect("our folder");
        assert_eq!(std::fs::read_to_string(out.join("rows/a/b.html")).expect("there"), "two");
        assert!(!out.join("stale.html").exists());
        let left: Vec<_> = std::fs::read_dir(dir.path().join("deep")).expect("there").flatten().collect();
        assert_eq!(left.len(), 1, "temporary folders are gone: {left:?}");

        let other = dir.path().join("other");
        std::fs::create_dir(&other).expect("made");
        publish(&site("one"), &other).expect("an empty folder");
        std::fs::remove_file(other.join(MARK)).expect("removed");
        let error = publish(&site("two"), &other).expect_err("someone else's").to_string();
        assert!(error.contains("no site of ours") && error.contains("--out"), "{error}");
        assert_eq!(std::fs::read_to_string(other.join("index.html")).expect("there"), "one");
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error_and_stays() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("site");
        std::fs::write(&out, "mine").expect("written");
        let error = publish(&site("one"), &out).expect_err("a file").to_string();
        assert!(error.contains("cannot write the site"), "{error}");
        assert_eq!(std::fs::read_to_string(&out).expect("there"), "mine");
    }
}
