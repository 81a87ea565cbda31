//! What Criterion was asked to do, which it does not tell: read from the same words by the same rules.

use super::SAMPLE_SIZE;

/// How the target was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    kind: Kind,
    sample_size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Benchmark,
    Test,
    List,
    Profile,
}

impl Mode {
    /// By Criterion's rule: without `--bench`, as `cargo test --benches` calls it, it is a test.
    pub(super) fn from_args(args: impl Iterator<Item = String>) -> Mode {
        let args: Vec<String> = args.collect();
        let has = |flag: &str| args.iter().any(|a| a == flag || a.starts_with(&format!("{flag}=")));
        let kind = match () {
            () if has("--list") => Kind::List,
            () if has("--test") || !has("--bench") => Kind::Test,
            () if has("--profile-time") => Kind::Profile,
            () => Kind::Benchmark,
        };
        let joined = args.iter().find_map(|a| a.strip_prefix("--sample-size="));
        let apart = args.windows(2).find(|w| w[0] == "--sample-size").map(|w| w[1].as_str());
        let sample_size = joined.or(apart).and_then(|n| n.parse().ok()).unwrap_or(SAMPLE_SIZE);
        Mode { kind, sample_size }
    }

    pub(super) fn is_test(&self) -> bool {
        self.kind == Kind::Test
    }

    pub(super) fn is_benchmark(&self) -> bool {
        self.kind == Kind::Benchmark
    }

    pub(super) fn is_list(&self) -> bool {
        self.kind == Kind::List
    }

    pub(super) fn sample_size(&self) -> usize {
        self.sample_size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(words: &str) -> Mode {
        Mode::from_args(words.split(' ').map(str::to_owned))
    }

    #[test]
    fn modes_follow_criterions_rules() {
        assert!(mode("farthing --bench matmul/cpu").is_benchmark());
        assert!(mode("farthing --bench --test").is_test());
        assert!(mode("farthing").is_test());
        assert!(mode("farthing --bench --list").is_list());
        assert_eq!(mode("farthing --profile-time 5 --bench").kind, Kind::Profile);
        assert_eq!(mode("farthing --bench --sample-size 30").sample_size(), 30);
        assert_eq!(mode("farthing --bench --sample-size=40").sample_size(), 40);
        assert_eq!(mode("farthing --bench").sample_size(), SAMPLE_SIZE);
    }
}
