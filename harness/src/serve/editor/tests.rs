use super::*;

const ID: &str = "openai-aws-2026-02";
const KEY: &str = "vendor.trn3-aws.power";

fn edited(query: &str) -> Edited {
    let catalogue = Catalogue::embedded().expect("valid");
    Edited::new(ID, &Query::parse(query), &catalogue).expect("shipped").expect("valid")
}

fn page(query: &str) -> String {
    edited(query).page(&Frame { live: true, edition: String::new() }, &edited("").into_answers())
}

fn expected(set: &[(&str, &str)]) -> Vec<CentralLine> {
    let set: Vec<Assignment> =
        set.iter().map(|(key, value)| Assignment { key: (*key).into(), value: (*value).into() }).collect();
    let scenario = deal::load(ID, &set).expect("valid");
    let (model, _) = Model::new(&scenario, &Catalogue::embedded().expect("valid")).expect("valid");
    central_answers(&model, SEED)
}

#[test]
fn answers_are_those_of_the_scenario_with_the_values_set() {
    assert_eq!(edited("").answers.expect("as shipped"), expected(&[]));
    let changed = edited(&format!("{KEY}=2&discount_rate=12")).answers.expect("valid");
    assert_eq!(changed, expected(&[(KEY, "2"), ("discount_rate", "12")]));
    assert_ne!(changed, expected(&[]), "two terms that matter");
}

#[test]
fn what_is_wrong_is_told_beside_the_field_that_it_names() {
    for (query, key, part) in [
        (format!("{KEY}=much"), KEY, "`much` is no number (in kW)"),
        (format!("{KEY}=-1"), KEY, "give 0 or more"),
        ("quarters=0".into(), "quarters", "give 1 to"),
        ("quarters=-3".into(), "quarters", "quarters"),
        ("utilisation=1.5".into(), "utilisation", "give 0 to 1"),
        (format!("{KEY}=1&{KEY}=2"), KEY, "given twice"),
    ] {
        let edited = edited(&query);
        assert!(edited.answers.is_none(), "{query} was computed");
        let (_, field) = edited.fields.iter().find(|(figure, _)| figure.key == key).expect("a figure");
        let problem = field.problem.as_ref().unwrap_or_else(|| panic!("{query}: no problem at {key}"));
        assert!(problem.contains(part), "{query}: {problem}");
        let html = page(&query);
        assert!(html.contains(&format!("href=\"#{key}\"")) && html.contains("aria-invalid"), "{query}");
    }
}

#[test]
fn what_belongs_to_no_field_stands_on_top() {
    let edited = edited("vendor.trn3-aws.pover=1");
    assert!(edited.problems[0].contains("did you mean `vendor.trn3-aws.power`?"), "{:?}", edited.problems);
    // Priors that do not sum to 1 are wrong together: no one field is to blame.
    let html = page("state.signed.prior=0.1");
    assert!(html.contains("Nothing was computed"), "priors that do not sum to 1");
}

#[test]
fn the_file_reads_back_as_the_edited_scenario_and_says_what_was_set() {
    let text = edited(&format!("{KEY}=2")).file().expect("valid");
    assert!(text.contains(&format!("# {KEY} = 2\n")));
    let set = [Assignment { key: KEY.into(), value: "2".into() }];
    assert_eq!(deal::parse(ID, &text, &[]).expect("valid"), deal::load(ID, &set).expect("valid"));
    assert!(edited("quarters=0").file().expect_err("no scenario").contains("quarters"));
}

#[test]
fn the_command_line_sets_the_same_values_and_hostile_ones_do_nothing() {
    let html = page(&format!("{KEY}=2")).replace('\'', "");
    assert!(html.contains(&format!("farthing deal {ID} --set {KEY}=2")), "{html}");
    let html = page(&format!("{KEY}=%3Cscript%3Ealert(1)%3C/script%3E&%3Cscript%3Ealert(1)%3C/script%3E=1"));
    assert!(!html.contains("<script>alert"));
    assert!(Edited::new("../../etc/passwd", &Query::default(), &Catalogue::embedded().expect("valid")).is_none());
}
