//! How many tests ran, read from what test programs print.

use std::fmt;
use std::ops::AddAssign;

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ran, and were right.
    pub(crate) passed: usize,
    /// Ran, and were wrong.
    pub(crate) failed: usize,
    /// Did not run: ignored, unsupported or absent.
    pub(crate) skipped: usize,
}

impl Counts {
    /// The counts in a line that closes a test program: libtest's `test result: …`, or `N passed, N failed, N skipped`.
    pub(crate) fn in_line(line: &str) -> Option<Counts> {
        let line = line.trim();
        match line.strip_prefix("test result: ") {
            Some(result) => {
                let counts = result.split_once(". ")?.1;
                let mut fields = counts.split("; ");
                let mut next = |word| number(fields.next()?, word);
                Some(Counts { passed: next("passed")?, failed: next("failed")?, skipped: next("ignored")? })
            }
            None => {
                let mut fields = line.split(", ");
                let mut next = |word| number(fields.next()?, word);
                let counts = Counts { passed: next("passed")?, failed: next("failed")?, skipped: next("skipped")? };
                fields.next().is_none().then_some(counts)
            }
        }
    }

    /// Tests of any outcome.
    pub(crate) fn total(self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

/// `12` of `12 passed`.
fn number(field: &str, word: &str) -> Option<usize> {
    field.strip_suffix(word)?.strip_suffix(' ')?.parse().ok()
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn check(line: &str, expected: Option<[usize; 3]>) {
        let expected = expected.map(|[passed, failed, skipped]| Counts { passed, failed, skipped });
        assert_eq!(Counts::in_line(line), expected, "{line}");
    }

    #[test]
    fn closing_lines_of_libtest_count_ignored_tests_as_skipped() {
        let rest = "0 measured; 4 filtered out; finished in 0.01s";
        check(&format!("test result: ok. 12 passed; 0 failed; 3 ignored; {rest}"), Some([12, 0, 3]));
        check(&format!("test result: FAILED. 1 passed; 2 failed; 0 ignored; {rest}\r"), Some([1, 2, 0]));
    }

    #[test]
    fn closing_lines_of_the_conformance_suite_are_read_whole() {
        check("310 passed, 0 failed, 7 skipped", Some([310, 0, 7]));
        check("cpu: 310 passed, 0 failed, 7 skipped", None);
        check("310 passed, 0 failed", None);
        check("310 passed, 0 failed, 7 skipped, 1 odd", None);
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "test result: ok", "test result: ok. many passed; 0 failed; 0 ignored", "test a ... ok"] {
            check(line, None);
        }
    }

    #[test]
    fn the_summary_reads_back_as_itself() {
        let counts = Counts { passed: 5, failed: 1, skipped: 2 };
        assert_eq!((Counts::in_line(&counts.to_string()), counts.total()), (Some(counts), 8));
    }
}
