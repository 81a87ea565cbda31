//! "Did you mean": the known word nearest to an unknown one.

/// The word of `known` with the fewest edits to `word`, when at most a third of its letters (and at least one) differ.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let close = |candidate: &&str| edits(word, candidate) <= (candidate.chars().count() / 3).max(1);
    known.into_iter().filter(close).min_by_key(|candidate| edits(word, candidate))
}

/// `unknown WHAT `word`; known: a, b` and the nearest, where one is near.
pub fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let hint = nearest(word, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    format!("unknown {what} `{word}`; known: {}{hint}", known.join(", "))
}

/// Insertions, deletions and substitutions that turn `a` into `b` (Levenshtein 1966), one row of the table at a time.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        assert_eq!([edits("kitten", "sitting"), edits("", "abc"), edits("gpu", "gpu")], [3, 3, 0]);
    }

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        assert_eq!(nearest("matmull", ["matmul", "attention"]), Some("matmul"));
        assert_eq!(nearest("softmax", ["matmul", "attention"]), None);
        assert_eq!(
            unknown("op", "atention", &["matmul", "attention"]),
            "unknown op `atention`; known: matmul, attention; did you mean `attention`?"
        );
    }
}
