//! What a run will do: which cases on which backends, in which order, and how long that may take.

use glob::Pattern;
use sha2::{Digest, Sha256};

use super::super::CliError;
use super::Chosen;
use crate::case::Case;
use crate::machine;
use crate::measure::Subject;
use crate::shard::Shard;

/// One case on backends that take turns.
#[derive(Clone)]
pub(in super::super) struct Cell<'f> {
    pub(in super::super) case: Case,
    pub(in super::super) group: Vec<Subject<'f>>,
}

impl Cell<'_> {
    /// What each of its rows is called.
    pub(in super::super) fn ids(&self) -> Vec<String> {
        self.group.iter().map(|s| self.case.id(s.name, s.backend.device().threads)).collect()
    }
}

/// The cells of a run.
pub(in super::super) struct Plan<'f> {
    pub(in super::super) cells: Vec<Cell<'f>>,
    /// Digest of all cells, those of other shards among them.
    pub(in super::super) digest: String,
    /// What all rows are called, those of other shards among them.
    pub(in super::super) ids: Vec<String>,
}

impl<'f> Plan<'f> {
    /// Every case on every group, of which `only` leaves those that a pattern matches (`!pattern` takes away), and `shard`
    /// its part.
    ///
    /// # Errors
    /// A pattern that is none, or patterns that leave nothing.
    pub(in super::super) fn new(
        cases: &[Case],
        chosen: &Chosen<'f>,
        only: &[String],
        shard: Option<Shard>,
    ) -> Result<Plan<'f>, CliError> {
        let only = Only::parse(only)?;
        let cell = |case: &Case, group: &[Subject<'f>]| Cell {
            case: case.clone(),
            group: chosen.taking(group, case.problem()),
        };
        let all = cases.iter().flat_map(|case| chosen.groups.iter().map(move |group| cell(case, group)));
        let cells: Vec<Cell<'f>> = all.filter(|cell| cell.ids().iter().any(|id| only.keeps(id))).collect();
        if cells.is_empty() && !cases.is_empty() {
            let example = chosen.all().first().map(|s| cases[0].id(s.name, s.backend.device().threads));
            return Err(CliError::Usage(format!(
                "--only leaves no case; a pattern matches the whole of a name such as {}",
                example.unwrap_or_default()
            )));
        }
        let ids: Vec<String> = cells.iter().flat_map(Cell::ids).collect();
        let digest = machine::hex(&Sha256::digest(ids.join("\n"))[..8]);
        let cells = match shard {
            None => cells,
            Some(shard) => shard.take(cells, |cell| cell.case.problem().flops() * cell.group.len() as f64),
        };
        Ok(Plan { cells, digest, ids })
    }
}

/// Patterns of names.
struct Only {
    with: Vec<Pattern>,
    without: Vec<Pattern>,
}

impl Only {
    fn parse(words: &[String]) -> Result<Only, CliError> {
        let pattern = |word: &str| {
            let refused = |error| CliError::Usage(format!("--only `{word}`: {error}; * stands for any text"));
            Pattern::new(word).map_err(refused)
        };
        let (without, with): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.starts_with('!'));
        Ok(Only {
            with: with.into_iter().map(|word| pattern(word)).collect::<Result<_, _>>()?,
            without: without.into_iter().map(|word| pattern(&word[1..])).collect::<Result<_, _>>()?,
        })
    }

    fn keeps(&self, id: &str) -> bool {
        let with = self.with.is_empty() || self.with.iter().any(|pattern| pattern.matches(id));
        with && !self.without.iter().any(|pattern| pattern.matches(id))
    }
}

#[cfg(test)]
mod tests {
    use super::Only;

    fn keeps(words: &[&str], id: &str) -> bool {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Only::parse(&words).unwrap_or_else(|error| panic!("{error}")).keeps(id)
    }

    #[test]
    fn patterns_add_and_take_away() {
        let id = "matmul/cpu/f32/64x64x64/kn/t1";
        assert!(keeps(&[], id) && keeps(&["matmul/*"], id) && keeps(&["*/f32/*"], id));
        assert!(!keeps(&["attention/*"], id) && !keeps(&["matmul"], id));
        assert!(keeps(&["*", "!*/bf16/*"], id) && !keeps(&["!*/f32/*"], id));
        assert!(Only::parse(&["a***".to_owned()]).is_err());
    }
}
