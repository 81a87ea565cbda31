//! What is made from the results folder, kept until another run is there or one has grown.

use crate::store::{Results, StoreError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Run files with their lengths. They are only ever added and extended, so these tell whether anything has changed.
type Stamp = Vec<(PathBuf, u64)>;

/// A value and the folder's state that it was made from.
pub(super) struct Kept<T>(Mutex<Option<(Stamp, Arc<T>)>>);

impl<T> Kept<T> {
    /// Nothing made yet.
    pub(super) fn nothing() -> Kept<T> {
        Kept(Mutex::new(None))
    }

    /// The value for the folder as it is now. Who asks while it is being made waits for it.
    ///
    /// # Errors
    /// The folder cannot be listed, or what `make` says.
    pub(super) fn get<E: From<StoreError>>(
        &self,
        results: &Results,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let stamp = stamp(results)?;
        // A panic in `make` leaves what was kept before.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = kept.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(make()?);
        *kept = Some((stamp, Arc::clone(&value)));
        Ok(value)
    }
}

fn stamp(results: &Results) -> Result<Stamp, StoreError> {
    // A file that goes between the listing and this has no length, and another stamp the next time.
    let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let files = results.run_files()?;
    let lengths: Vec<u64> = files.iter().map(length).collect();
    Ok(files.into_iter().zip(lengths).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_value_is_made_anew_only_when_a_run_came_or_grew() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let results = Results::at(dir.path());
        std::fs::create_dir_all(results.runs_dir()).expect("made");
        let (kept, n_made) = (Kept::nothing(), Cell::new(0));
        let get = || {
            let made = || -> Result<u32, StoreError> { Ok(n_made.replace(n_made.get() + 1) + 1) };
            *kept.get(&results, made).expect("made")
        };
        assert_eq!([get(), get()], [1, 1]);
        let run = results.runs_dir().join("20260101T000000Z-aaaaaa.jsonl");
        std::fs::write(&run, "a\n").expect("written");
        assert_eq!([get(), get()], [2, 2]);
        std::fs::write(&run, "a\nb\n").expect("written");
        assert_eq!([get(), get()], [3, 3]);
    }
}
