//! The fields of the explorer, and the request that they make.

use crate::catalogue::{Catalogue, Precision};
use crate::cost::serving::Deployment;
use crate::cost::{
    CostError, CostRequest, Drafts, Floor, Layout, Machine, Slo, Speculation, Terms, TrafficPattern, Workload,
};
use crate::nearest;
use crate::serve::field::Field;
use crate::serve::query::{Query, shown};
use crate::units::{ChipHours, Share, Usd, UsdPerHour};
use std::str::FromStr;

/// Key of the targets, which may be given often.
pub(super) const CHIP: &str = "chip";
/// The model where none is chosen.
const MODEL: &str = "llama-3.1-8b";
/// Keys of fields with one value: those of `farthing cost`, with underscores.
pub(super) const KEYS: [&str; 23] = [
    "model",
    "precision",
    "workload",
    "input_tokens",
    "output_tokens",
    "concurrency",
    "cached",
    "utilisation",
    "availability",
    "price",
    "discount",
    "floor_usd",
    "floor_hours",
    "take_or_pay",
    "replicas",
    "slo",
    "engine",
    "tensor",
    "expert",
    "attention_data",
    "redundant_experts",
    "prompts_on",
    "speculate",
];

/// What to write in fields of numbers.
const COUNT: &str = "a whole number above 0, as in 1024";
const SHARE: &str = "a share, as in 0.5";
const DOLLARS: &str = "dollars, as in 2.5";

/// The form as it was sent.
pub(super) struct Form {
    /// In the order of [`KEYS`], then the chips.
    fields: Vec<Field>,
    /// Targets that are ticked; none means all.
    pub(super) chips: Vec<String>,
    /// What is wrong and belongs to no field.
    pub(super) problems: Vec<String>,
}

impl Form {
    /// Takes the values of a query over.
    pub(super) fn read(query: &Query) -> Form {
        let fields = KEYS.iter().chain([&CHIP]).map(|key| Field::new(*key)).collect();
        let chips = query.all(CHIP).map(str::to_string).collect();
        let mut form = Form { fields, chips, problems: Vec::new() };
        for (key, value) in query.pairs().filter(|(key, _)| *key != CHIP) {
            if !KEYS.contains(&key) {
                form.problems.push(nearest::unknown("field", &shown(key), &KEYS));
                continue;
            }
            let field = form.field_mut(key);
            if field.written.is_empty() {
                field.written = value.to_string();
            } else {
                field.refuse(format!("{key} is given twice, as `{}` too; give one", shown(value)));
            }
        }
        for (key, usual) in [("model", MODEL), ("precision", "bf16")] {
            let field = form.field_mut(key);
            if field.written.is_empty() {
                field.written = usual.into();
            }
        }
        form
    }

    /// A field by its key.
    pub(super) fn field(&self, key: &str) -> &Field {
        self.fields.iter().find(|field| field.key == key).expect("keys are those of the form")
    }

    fn field_mut(&mut self, key: &str) -> &mut Field {
        self.fields.iter_mut().find(|field| field.key == key).expect("keys are those of the form")
    }

    /// Fields with a problem, and problems without a field.
    pub(super) fn n_problems(&self) -> usize {
        self.all_problems().count()
    }

    /// Every problem there is.
    pub(super) fn all_problems(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter_map(|field| field.problem.as_deref()).chain(self.problems.iter().map(String::as_str))
    }

    /// Notes why nothing could be computed, beside the field that it concerns where the form has one.
    pub(super) fn refuse(&mut self, error: &CostError) {
        match error {
            CostError::Invalid { field, .. } => {
                let key = match *field {
                    "tokens drafted" | "acceptance" => "speculate".to_string(),
                    other => other.replace(' ', "_"),
                };
                match self.fields.iter_mut().find(|field| field.key == key) {
                    Some(field) => field.refuse(error.to_string()),
                    None => self.problems.push(error.to_string()),
                }
            }
            CostError::Unknown(_) => self.field_mut(CHIP).refuse(error.to_string()),
            other => self.problems.push(other.to_string()),
        }
    }

    /// The traffic that named values, or none, stand for: what counts where a field is left empty.
    pub(super) fn pattern(&self) -> TrafficPattern {
        let named = TrafficPattern::named().iter().find(|(name, _)| *name == self.field("workload").written);
        named.map_or_else(TrafficPattern::default, |(_, pattern)| *pattern)
    }

    /// The request that the fields make; `None`, and the problems beside the fields, where they make none.
    pub(super) fn request(&mut self, catalogue: &Catalogue, machine: Option<Machine>) -> Option<CostRequest> {
        let request = self.filled(catalogue, machine);
        if let Some(request) = &request {
            request.invalid().iter().for_each(|error| self.refuse(error));
        }
        request.filter(|_| self.n_problems() == 0)
    }

    fn filled(&mut self, catalogue: &Catalogue, machine: Option<Machine>) -> Option<CostRequest> {
        let models: Vec<&str> = catalogue.models.iter().map(|model| model.id.as_str()).collect();
        let model = catalogue.model(&self.field("model").written).cloned();
        if model.is_none() {
            let problem = nearest::unknown("model", &shown(&self.field("model").written), &models);
            self.field_mut("model").refuse(problem);
        }
        let (workload, terms) = (self.workload(), self.terms());
        let price = self.number("price", DOLLARS).map(UsdPerHour);
        let utilisation = self.number("utilisation", SHARE).map_or(CostRequest::UTILISATION, Share);
        let availability = self.number("availability", SHARE).map_or(CostRequest::AVAILABILITY, Share);
        let (deployment, speculation) = (self.deployment(), self.speculation(catalogue));
        let prompts_on = self.worded::<Layout>("prompts_on").map(|layout| layout.0);
        let slo: Option<Slo> = self.worded("slo");
        if slo.is_some() && (deployment.is_some() || prompts_on.is_some()) {
            self.field_mut("slo").refuse("slo is given beside a deployment; give one of the two");
        }
        let engine = Some(self.field("engine").written.clone()).filter(|name| !name.is_empty());
        self.check_engine(catalogue, engine.as_deref());
        let usual = CostRequest::usual(model?, workload?);
        let targets = self.chips.clone();
        let serving = CostRequest { deployment, prompts_on, speculation, slo, engine, ..usual };
        Some(CostRequest { targets, price, utilisation, availability, machine, terms, ..serving })
    }

    fn deployment(&mut self) -> Option<Deployment> {
        let degrees = ["tensor", "expert", "attention_data", "redundant_experts"];
        let degrees: [Option<u32>; 4] = degrees.map(|key| self.number(key, COUNT));
        degrees.iter().any(Option::is_some).then(|| {
            let [tensor, expert, attention_data, redundant] = degrees;
            Deployment {
                expert: expert.unwrap_or(1),
                attention_data: attention_data.unwrap_or(1),
                redundant: redundant.unwrap_or(0),
                ..Deployment::tensor_parallel(tensor.unwrap_or(1))
            }
        })
    }

    fn speculation(&mut self, catalogue: &Catalogue) -> Option<Speculation> {
        let drafts: Drafts = self.worded("speculate")?;
        // A page opens no file, whatever its address says.
        let who = drafts.drafter();
        if !["layer", "lookup"].contains(&who) && catalogue.model(who).is_none() {
            let known: Vec<&str> = catalogue.models.iter().map(|model| model.id.as_str()).collect();
            self.field_mut("speculate").refuse(nearest::unknown("model", &shown(who), &known));
            return None;
        }
        drafts.resolve(catalogue).ok()
    }

    fn check_engine(&mut self, catalogue: &Catalogue, engine: Option<&str>) {
        let known: Vec<&str> = catalogue.profiles.iter().map(|profile| profile.id.as_str()).collect();
        if let Some(name) = engine.filter(|name| !known.contains(name)) {
            self.field_mut("engine").refuse(nearest::unknown("engine", &shown(name), &known));
        }
    }

    /// The words in a field; nothing where it is empty, or holds none, which then is its problem.
    fn worded<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<T> {
        if self.field(key).written.is_empty() { None } else { self.parsed(key) }
    }

    fn workload(&mut self) -> Option<Workload> {
        let names: Vec<&str> = TrafficPattern::named().iter().map(|(name, _)| *name).collect();
        let name = self.field("workload").written.clone();
        if !name.is_empty() && !names.contains(&name.as_str()) {
            self.field_mut("workload").refuse(nearest::unknown("workload", &shown(&name), &names));
        }
        let pattern = self.pattern();
        let [input_tokens, output_tokens, concurrency] =
            ["input_tokens", "output_tokens", "concurrency"].map(|key| self.number(key, COUNT));
        let cached = self.number("cached", SHARE);
        let weights: Precision = self.parsed("precision")?;
        let pattern = TrafficPattern {
            input_tokens: input_tokens.unwrap_or(pattern.input_tokens),
            output_tokens: output_tokens.unwrap_or(pattern.output_tokens),
            concurrency: concurrency.unwrap_or(pattern.concurrency),
            cached: cached.unwrap_or(pattern.cached),
            spread: pattern.spread,
        };
        Some(Workload::of(&pattern, weights))
    }

    fn terms(&mut self) -> Terms {
        let percent: Option<f64> = self.number("discount", "percent, as in 20");
        let usd: Option<f64> = self.number("floor_usd", "dollars a month, as in 100000");
        let hours: Option<f64> = self.number("floor_hours", "hours a month, as in 5000");
        if usd.is_some() && hours.is_some() {
            self.field_mut("floor_hours").refuse("floor_hours is given beside floor_usd; give one of the two");
        }
        Terms {
            discount: percent.map_or(Terms::LISTED.discount, |percent| Share(percent / 100.0)),
            floor: usd.map(|usd| Floor::Usd(Usd(usd))).or(hours.map(|hours| Floor::Hours(ChipHours(hours)))),
            take_or_pay: self.number("take_or_pay", SHARE).map_or(Terms::LISTED.take_or_pay, Share),
            replicas: self.number("replicas", COUNT).unwrap_or(Terms::LISTED.replicas),
        }
    }

    /// The number in a field; nothing where it is empty, or holds none, which then is its problem.
    fn number<T: FromStr>(&mut self, key: &str, remedy: &str) -> Option<T> {
        let field = self.field_mut(key);
        if field.written.is_empty() {
            return None;
        }
        let number = field.written.parse().ok();
        if number.is_none() {
            field.refuse(format!("{key} is `{}`; give {remedy}", shown(&field.written)));
        }
        number
    }

    /// The word in a field.
    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<T> {
        let field = self.field_mut(key);
        field.written.parse().map_err(|error: T::Err| field.refuse(shown_error(&error))).ok()
    }
}

/// An error that may quote a long value.
fn shown_error(error: &impl std::fmt::Display) -> String {
    crate::report::clipped(&error.to_string(), 300)
}
