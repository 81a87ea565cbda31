//! What a reader should know before quoting a number, as a value that programs can go by.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A doubt about a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Spelling")]
pub struct Warning {
    /// What kind of doubt.
    pub doubt: Doubt,
    /// One sentence for people.
    pub text: String,
}

/// Kinds of doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Samples scatter, or many are outliers.
    Noise,
    /// The interval of the median is missing or wide.
    Interval,
    /// Other processes or other virtual machines took part of the CPUs.
    Load,
    /// The clock fell while samples were taken, or since the run began.
    Throttling,
    /// Faster than the measured limit allows.
    AboveLimit,
    /// The binary was not built as it should be for timing.
    Build,
    /// Operands did not lie where the case wants them.
    Operands,
    /// What the device says of itself.
    Device,
    /// A text from before schema 2, or a kind that this version does not know.
    #[serde(other)]
    Other,
}

impl Warning {
    /// A warning.
    pub fn new(doubt: Doubt, text: impl Into<String>) -> Warning {
        Warning { doubt, text: text.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How files spell it: a text until schema 1.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Spelling {
    Text(String),
    Kind { doubt: Doubt, text: String },
}

impl From<Spelling> for Warning {
    fn from(spelling: Spelling) -> Warning {
        match spelling {
            Spelling::Text(text) => Warning::new(of_schema_1(&text), text),
            Spelling::Kind { doubt, text } => Warning { doubt, text },
        }
    }
}

/// What kind of doubt a text of schema 1 is: it had these and no others.
fn of_schema_1(text: &str) -> Doubt {
    let has = |part: &str| text.contains(part);
    match () {
        () if has("noisy: samples deviate") || has("of the samples are outliers") => Doubt::Noise,
        () if has("samples give no 95 % interval") => Doubt::Interval,
        () if has("the machine was busy") => Doubt::Load,
        () if has("faster than the measured") => Doubt::AboveLimit,
        () if has("measured hot") => Doubt::Operands,
        () => Doubt::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, Warning};

    #[test]
    fn a_text_and_an_unknown_kind_are_still_read() {
        let read = |json: &str| serde_json::from_str::<Warning>(json).expect("a warning");
        assert_eq!(read("\"not yet run\""), Warning::new(Doubt::Other, "not yet run"));
        let noisy = "noisy: samples deviate by more than 5 % of the median";
        assert_eq!(read(&format!("\"{noisy}\"")), Warning::new(Doubt::Noise, noisy));
        assert_eq!(read(r#"{"doubt":"noise","text":"t"}"#), Warning::new(Doubt::Noise, "t"));
        assert_eq!(read(r#"{"doubt":"moonlight","text":"t"}"#), Warning::new(Doubt::Other, "t"));
        let written = serde_json::to_string(&Warning::new(Doubt::Load, "t")).expect("plain data");
        assert_eq!(written, r#"{"doubt":"load","text":"t"}"#);
    }
}
