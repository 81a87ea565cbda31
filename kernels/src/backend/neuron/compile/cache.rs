//! Compiled files by what decides them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Neff;
use crate::backend::DeviceError;

/// A folder of NEFFs, each named by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeffCache {
    folder: PathBuf,
}

/// Lower-case hexadecimal SHA-256.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl NeffCache {
    /// The user's: `FARTHING_NEFF_CACHE`, or `farthing/neff` in the cache folder of the system's convention.
    pub fn of_user() -> NeffCache {
        let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let own = variable("FARTHING_NEFF_CACHE");
        let shared = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        let below = |folder: PathBuf| folder.join("farthing").join("neff");
        NeffCache { folder: own.unwrap_or_else(|| below(shared().unwrap_or_else(std::env::temp_dir))) }
    }

    /// A folder of the caller's choice; made when first written to.
    pub fn in_folder(folder: &Path) -> NeffCache {
        NeffCache { folder: folder.to_owned() }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key of what these words decide: each counts, and so does where one ends.
    pub fn key(words: &[&str]) -> String {
        let mut hash = Sha256::new();
        for word in words {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The file of a key, made by `compile` where it is not there.
    ///
    /// # Errors
    /// `compile` failed, or the folder cannot be read or written.
    pub fn get(&self, key: &str, compile: impl FnOnce() -> Result<Vec<u8>, DeviceError>) -> Result<Neff, DeviceError> {
        let path = self.folder.join(format!("{key}.neff"));
        match std::fs::read(&path) {
            Ok(bytes) if !bytes.is_empty() => return Ok(Neff { bytes, cached: true }),
            // An empty file is none: a disk that was full leaves one.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.failed(&error)),
        }
        let bytes = compile()?;
        self.keep(&path, &bytes).map_err(|error| self.failed(&error))?;
        Ok(Neff { bytes, cached: false })
    }

    /// Writes under a temporary name, syncs, renames: a reader finds the whole file or none.
    fn keep(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> DeviceError {
        let folder = self.folder.display();
        DeviceError::Driver(format!("the NEFF cache {folder}: {error}; name another folder in FARTHING_NEFF_CACHE"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compiled_once_and_a_failure_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cache = NeffCache::in_folder(&folder.path().join("new"));
        let failure = cache.get("k", || Err(DeviceError::Driver("no".into())));
        assert!(failure.is_err() && !cache.folder().exists());
        let first = cache.get("k", || Ok(vec![1, 2])).expect("compiled");
        let second = cache.get("k", || panic!("it is there")).expect("found");
        assert_eq!((first.bytes == second.bytes, first.cached, second.cached), (true, false, true));
        std::fs::write(cache.folder().join("k.neff"), []).expect("emptied");
        assert!(!cache.get("k", || Ok(vec![3])).expect("compiled again").cached);
        assert_eq!(std::fs::read_dir(cache.folder()).expect("readable").count(), 1, "no temporary file stays");
    }

    #[test]
    fn every_word_of_a_key_counts_and_so_does_its_end() {
        let keys = [&["ab", "c"][..], &["a", "bc"], &["abc"], &["ab", "c", ""], &["ab", "d"]].map(NeffCache::key);
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!((distinct.len(), keys[0].len()), (keys.len(), 64));
    }

    #[test]
    fn the_hash_of_a_neff_is_sha256() {
        let neff = Neff { bytes: b"abc".to_vec(), cached: false };
        assert!(neff.sha256().starts_with("ba7816bf8f01cfea")); // FIPS 180-2, appendix B.1.
    }
}
