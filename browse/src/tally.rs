//! What was checked, and what of it was wrong.

/// Checks by outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Counts a check; one that failed is printed with the page, what was asked and what was found.
    pub(crate) fn check(&mut self, page: &str, asked: &str, found: Result<(), String>) {
        match found {
            Ok(()) => self.passed += 1,
            Err(found) => {
                self.failed += 1;
                println!("FAILED {page}: {asked}: {found}");
            }
        }
    }

    /// Prints the counts as the last line. A run in which nothing could be checked is a failure.
    pub(crate) fn close(&self) -> bool {
        println!("{} checks passed, {} failed", self.passed, self.failed);
        self.failed == 0 && self.passed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn nothing_checked_and_one_wrong_are_failures() {
        assert!(!Tally::default().close());
        let mut tally = Tally::default();
        tally.check("p", "a", Ok(()));
        assert!(tally.close());
        tally.check("p", "b", Err("not so".into()));
        assert!(!tally.close());
    }
}
