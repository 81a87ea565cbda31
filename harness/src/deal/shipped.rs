//! The scenarios that come with the program: deals as announced or reported, each figure with its source.

/// The talks, and what came of them: what a back-test compares unless told otherwise.
pub const TALKS_AND_OUTCOME: (&str, &str) = ("openai-aws-2025-12", "openai-aws-2026-02");

/// Id and text of every shipped scenario: the talks and what came of them first, then by buyer and date.
pub fn scenarios() -> &'static [(&'static str, &'static str)] {
    macro_rules! shipped {
        ($($id:literal),+ $(,)?) => {
            &[$(($id, include_str!(concat!("../../catalogue/deals/", $id, ".toml")))),+]
        };
    }
    shipped![
        "openai-aws-2025-12",
        "openai-aws-2026-02",
        "openai-oracle-2025-09",
        "openai-nvidia-2025-09",
        "openai-amd-2025-10",
        "openai-broadcom-2025-10",
        "openai-microsoft-2025-10",
        "openai-aws-2025-11",
        "anthropic-google-2025-10",
        "anthropic-aws-2026-04",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::deal::model::Model;
    use crate::deal::scenario::{Closing, Scenario};
    use crate::units::Provenance;
    use std::collections::BTreeSet;

    /// The line that makes editors check a file while one types.
    const SCHEMA_LINE: &str = "#:schema scenario.schema.json\n";

    fn parsed(id: &str) -> Scenario {
        let (_, text) = scenarios().iter().find(|(known, _)| *known == id).expect("a shipped scenario");
        toml::from_str(text).unwrap_or_else(|error| panic!("{id}: {error}"))
    }

    fn all() -> impl Iterator<Item = Scenario> {
        scenarios().iter().map(|(id, _)| parsed(id))
    }

    #[test]
    fn every_file_of_the_folder_is_shipped_under_its_own_id() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/deals");
        let entries = std::fs::read_dir(folder).expect("the folder of the deals");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let files: BTreeSet<String> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        let ids: BTreeSet<String> = all().map(|scenario| scenario.id).collect();
        let listed: BTreeSet<String> = scenarios().iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(files, listed);
        assert_eq!(ids, listed);
        assert_eq!(listed.len(), scenarios().len(), "an id is listed twice");
    }

    #[test]
    fn every_file_names_its_schema_first() {
        for (id, text) in scenarios() {
            assert!(text.starts_with(SCHEMA_LINE), "{id}");
        }
    }

    #[test]
    fn no_file_has_a_finding() {
        let catalogue = Catalogue::embedded().expect("valid");
        let mut wrong = Vec::new();
        for scenario in all() {
            let findings = match Model::new(&scenario, &catalogue) {
                Ok((_, warnings)) => warnings,
                Err(findings) => findings,
            };
            wrong.extend(findings.0.iter().map(|finding| format!("{}: {finding}", scenario.id)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn nothing_of_a_deal_claims_to_be_measured_and_every_source_can_be_found() {
        for scenario in all() {
            for source in &scenario.source {
                assert_ne!(source.kind, Provenance::Measured, "{}: {}", scenario.id, source.id);
                assert!(source.title.len() > 20, "{}: {} is too short to find", scenario.id, source.id);
                let ours = source.kind == Provenance::Assumed;
                assert_eq!(source.title.starts_with("ours"), ours, "{}: {}", scenario.id, source.id);
            }
        }
    }

    #[test]
    fn december_and_february_name_the_same_terms_alike() {
        let terms = |scenario: &Scenario| -> Vec<String> {
            let vendors = scenario.vendor.iter().map(|vendor| format!("vendor.{}", vendor.id));
            let compute = scenario.compute.iter().map(|compute| format!("compute.{}", compute.id));
            let equity = scenario.equity.iter().map(|equity| format!("equity.{}", equity.id));
            let states = scenario.state.iter().map(|state| format!("state.{}", state.id));
            vendors.chain(compute).chain(equity).chain(states).collect()
        };
        let (december, february) = (parsed("openai-aws-2025-12"), parsed("openai-aws-2026-02"));
        assert_eq!(terms(&december), terms(&february));
        let workloads = |scenario: &Scenario| -> BTreeSet<String> {
            scenario.workload.iter().map(|workload| workload.id.clone()).collect()
        };
        assert!(workloads(&december).is_subset(&workloads(&february)));
        assert_eq!((december.start, december.quarters), (february.start, february.quarters));
        assert_eq!((december.outcome, february.outcome), (None, Some(Closing::Signed)));
    }
}
