//! A field of a form: what is written in it, and what is wrong with that, beside it.

use maud::{Markup, html};

/// One field, by the key that it has in the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Key in the query.
    pub(super) key: String,
    /// As the user wrote it; empty where the field is not filled in.
    pub(super) written: String,
    /// Why it cannot be used: the field, the value, what to write instead.
    pub(super) problem: Option<String>,
}

/// How a field is presented.
pub(super) struct Look<'a> {
    /// Its name; without one, what names it stands elsewhere under the id `KEY-name`.
    pub(super) label: Option<&'a str>,
    /// Its unit, or what it counts.
    pub(super) unit: &'a str,
    /// What counts where it is left empty.
    pub(super) otherwise: String,
}

impl Field {
    /// A field that is not filled in.
    pub(super) fn new(key: impl Into<String>) -> Field {
        Field { key: key.into(), written: String::new(), problem: None }
    }

    /// Notes what is wrong; the first problem stays.
    pub(super) fn refuse(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert_with(|| problem.into());
    }

    /// A line to type in, with its problem below.
    pub(super) fn line(&self, look: &Look<'_>) -> Markup {
        let named_by = look.label.is_none().then(|| format!("{}-name", self.key));
        html! {
            div .field {
                @if let Some(label) = look.label { label for=(self.key) { (label) } }
                input #(self.key) name=(self.key) value=(self.written) placeholder=(look.otherwise)
                    inputmode="decimal" autocomplete="off" spellcheck="false" aria-labelledby=[named_by]
                    aria-invalid=[self.is_refused()] aria-describedby={ (self.key) "-unit " (self.key) "-problem" };
                " " span .small #{ (self.key) "-unit" } { (look.unit) }
                (self.told())
            }
        }
    }

    /// One of several words, with its problem below.
    pub(super) fn choice(&self, label: &str, options: &[(String, String)]) -> Markup {
        let known = |(word, _): &&(String, String)| *word == self.written;
        let odd = options.iter().find(known).is_none();
        html! {
            div .field {
                label for=(self.key) { (label) }
                select #(self.key) name=(self.key) autocomplete="off"
                    aria-invalid=[self.is_refused()] aria-describedby={ (self.key) "-problem" } {
                    @if odd { option value=(self.written) selected { (super::query::shown(&self.written)) } }
                    @for (word, name) in options { option value=(word) selected[*word == self.written] { (name) } }
                }
                (self.told())
            }
        }
    }

    /// Where the problem stands. It is there without one too, so that a script can fill it.
    pub(super) fn told(&self) -> Markup {
        html! {
            span .problem #{ (self.key) "-problem" } data-live { @if let Some(problem) = &self.problem { (problem) } }
        }
    }

    fn is_refused(&self) -> Option<&'static str> {
        self.problem.is_some().then_some("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stands_beside_its_field_and_is_tied_to_it() {
        let mut field = Field { written: "\"><script>".into(), ..Field::new("price") };
        field.refuse("price is `\"><script>`; give dollars above 0");
        field.refuse("and more");
        let look = Look { label: Some("Price"), unit: "USD", otherwise: "listed".into() };
        let html = field.line(&look).into_string();
        assert!(
            html.contains("aria-invalid=\"true\"") && html.contains("aria-describedby=\"price-unit price-problem\"")
        );
        assert!(
            html.contains("id=\"price-problem\"") && html.contains("give dollars above 0") && !html.contains("more")
        );
        assert!(!html.contains("<script>"), "{html}");
        assert!(!Field::new("price").line(&look).into_string().contains("aria-invalid"));
    }

    #[test]
    fn a_word_that_is_no_choice_stays_visible() {
        let field = Field { written: "gpt".into(), ..Field::new("model") };
        let html = field.choice("Model", &[("a".into(), "A".into())]).into_string();
        assert!(html.contains("<option value=\"gpt\" selected>gpt</option>"), "{html}");
    }
}
