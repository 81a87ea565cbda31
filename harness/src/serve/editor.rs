//! The editor of a deal: every figure of its scenario as a field, and what the deal comes to under the edited terms.
//!
//! An edit is an assignment `KEY=VALUE`, as `farthing deal ID --set` takes it; the query holds them and nothing else.

mod view;

use super::field::Field;
use super::query::{Query, shown};
use crate::catalogue::Catalogue;
use crate::deal::{
    self, Assignment, CentralLine, Figure, Finding, LoadError, Model, Scenario, Severity, central_answers,
};
use crate::measure::sampler::HostClock;
use crate::nearest;
use crate::site::layout::Frame;

/// Seed of the share price paths in the central case: that of the published pages.
const SEED: u64 = 1;

/// A scenario under edit.
pub(super) struct Edited {
    id: &'static str,
    /// The scenario as shipped.
    shipped: Scenario,
    /// Each figure with its field.
    fields: Vec<(Figure, Field)>,
    /// What is wrong and belongs to no field.
    problems: Vec<String>,
    /// What a reader should know, though the deal can be computed.
    warnings: Vec<String>,
    set: Vec<Assignment>,
    answers: Option<Vec<CentralLine>>,
    /// Seconds that reading the fields and computing took.
    seconds: f64,
}

impl Edited {
    /// Reads the fields of a shipped scenario, checks it and answers; nothing where no scenario has that id.
    ///
    /// # Errors
    /// A shipped scenario is broken.
    pub(super) fn new(id: &str, query: &Query, catalogue: &Catalogue) -> Option<Result<Edited, LoadError>> {
        let (id, text) = deal::scenarios().iter().find(|(known, _)| *known == id)?;
        Some(Edited::of(id, text, query, catalogue))
    }

    fn of(id: &'static str, text: &str, query: &Query, catalogue: &Catalogue) -> Result<Edited, LoadError> {
        let clock = HostClock::start();
        let shipped = deal::parse(id, text, &[])?;
        let fields = deal::figures(id, text)?.into_iter().map(|figure| (figure.clone(), Field::new(figure.key)));
        let mut edited = Edited {
            id,
            shipped,
            fields: fields.collect(),
            problems: Vec::new(),
            warnings: Vec::new(),
            set: Vec::new(),
            answers: None,
            seconds: 0.0,
        };
        edited.read(query);
        let scenario = edited.assigned(text);
        edited.answers = scenario.and_then(|scenario| edited.answered(&scenario, catalogue));
        edited.seconds = clock.seconds();
        Ok(edited)
    }

    /// Takes the values of a query over.
    fn read(&mut self, query: &Query) {
        for (key, value) in query.pairs() {
            let Some((_, field)) = self.fields.iter_mut().find(|(figure, _)| figure.key == key) else {
                let keys: Vec<&str> = self.fields.iter().map(|(figure, _)| figure.key.as_str()).collect();
                let near = nearest::nearest(&shown(key), keys)
                    .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                self.problems.push(format!("the scenario has no figure `{}`{near}", shown(key)));
                continue;
            };
            if !field.written.is_empty() {
                field.refuse(format!("{key} is given twice, as `{}` too; give one", shown(value)));
                continue;
            }
            field.written = value.to_string();
            self.set.push(Assignment { key: key.to_string(), value: value.to_string() });
        }
    }

    /// The scenario with every value set; where one cannot be, each that cannot is told beside its field.
    fn assigned(&mut self, text: &str) -> Option<Scenario> {
        match deal::parse(self.id, text, &self.set) {
            Ok(scenario) => Some(scenario),
            Err(error) => {
                for (figure, field) in self.fields.iter_mut().filter(|(_, field)| !field.written.is_empty()) {
                    let alone = Assignment { key: figure.key.clone(), value: field.written.clone() };
                    if let Err(error) = deal::parse(self.id, text, &[alone]) {
                        field.refuse(told(&figure.key, &field.written, error));
                    }
                }
                if self.n_problems() == 0 {
                    self.problems.push(error.to_string());
                }
                None
            }
        }
    }

    /// Checks the scenario, and answers where nothing keeps it from being computed.
    fn answered(&mut self, scenario: &Scenario, catalogue: &Catalogue) -> Option<Vec<CentralLine>> {
        match Model::new(scenario, catalogue) {
            Ok((model, warnings)) => {
                warnings.0.iter().for_each(|finding| self.find(finding));
                (self.n_problems() == 0).then(|| central_answers(&model, SEED))
            }
            Err(findings) => {
                findings.0.iter().for_each(|finding| self.find(finding));
                None
            }
        }
    }

    /// Puts an error beside the field that it names, or on top; warnings stand on top.
    fn find(&mut self, finding: &Finding) {
        if finding.severity == Severity::Warning {
            self.warnings.push(finding.to_string());
            return;
        }
        let within = |figure: &Figure| {
            let rest = finding.path.strip_prefix(&figure.key);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match self.fields.iter_mut().find(|(figure, _)| within(figure)) {
            Some((_, field)) => field.refuse(finding.to_string()),
            None => self.problems.push(finding.to_string()),
        }
    }

    /// Fields that need another value, and what else is wrong.
    fn n_problems(&self) -> usize {
        self.fields.iter().filter(|(_, field)| field.problem.is_some()).count() + self.problems.len()
    }

    /// Id of the scenario.
    pub(super) fn id(&self) -> &'static str {
        self.id
    }

    /// The page.
    pub(super) fn page(&self, frame: &Frame, written: &[CentralLine]) -> String {
        view::page(self, frame, written)
    }

    /// Its answers, where there are any.
    pub(super) fn into_answers(self) -> Vec<CentralLine> {
        self.answers.unwrap_or_default()
    }

    /// The edited scenario as a file that `farthing deal` reads.
    ///
    /// # Errors
    /// Every problem, a line each, where nothing can be computed from it.
    pub(super) fn file(&self) -> Result<String, String> {
        let problems = self.fields.iter().filter_map(|(_, field)| field.problem.as_ref()).chain(&self.problems);
        if self.answers.is_none() {
            return Err(problems.map(|problem| format!("{problem}\n")).collect());
        }
        let text = deal::text(self.id).map_err(|error| error.to_string())?;
        let edited = deal::edited(self.id, &text, &self.set).map_err(|error| error.to_string())?;
        let set: String = self.set.iter().map(|set| format!("# {} = {}\n", set.key, set.value)).collect();
        Ok(format!("# {}, edited; comments of the original are left out. Set here:\n{set}{edited}", self.id))
    }
}

/// Why a value cannot be set: the figure, the value, what to write.
fn told(key: &str, value: &str, error: LoadError) -> String {
    match error {
        LoadError::Set { problem, .. } => format!("{key}: {}", crate::report::clipped(&problem, 200)),
        // The parser names a line of the whole file, which nobody sees here.
        _ => format!(
            "{key} is `{}`, which the scenario cannot hold; give a number of the kind that is written",
            shown(value)
        ),
    }
}

#[cfg(test)]
mod tests;
