use super::super::testing::{PLAIN, findings, plain_with};

#[test]
fn the_plain_scenario_has_no_findings() {
    assert_eq!(findings(PLAIN), "");
}

#[test]
fn bad_terms_are_named_with_what_to_do() {
    let term = |field: &str, value: &str| format!("repricing = \"fixed\"\n{field} = {value}");
    for (old, new, parts) in [
        (
            "unit = \"GW\"",
            "unit = \"GWh\"",
            &["compute.deal.capacity", "unit `GWh` does not measure electrical power"][..],
        ),
        ("quarters = 8", "quarters = 0", &["quarters", "give 1 to 160"]),
        (
            "source = \"s\" }\nutilisation",
            "source = \"x\" }\nutilisation",
            &["discount_rate", "cites source `x`, which the file does not list"],
        ),
        ("[[0, 1000]]", "[[0, -5]]", &["workload.chat.demand", "a rate of tokens is -5", "give 0 or more"]),
        (
            "points = [[0, 1]]",
            "points = [[0, 0.5], [1, 1.2]]",
            &["compute.deal.ramp", "1.2 of the commitment", "at most 1"],
        ),
        ("points = [[0, 1]]", "points = [[0, 0.5], [1, 0.2]]", &["compute.deal.ramp", "falls"]),
        ("points = [[0, 1]]", "points = [[0, 0.5], [3, 1]]", &["compute.deal.ramp", "3 years of a term of 2"]),
        ("chip = \"h100\"", "chip = \"h1000\"", &["vendor.old.chip", "did you mean `h100`?"]),
        ("model = \"llama-3.1-8b\"", "model = \"gpt-5\"", &["workload.chat.model", "unknown model `gpt-5`"]),
        ("vendor = \"new\"", "vendor = \"mew\"", &["compute.deal.vendor", "did you mean `new`?"]),
        ("cloud = \"other\"", "cloud = \"nobody\"", &["vendor.old.cloud", "unknown party `nobody`"]),
        ("roles = [\"buyer\"]", "roles = [\"cloud\"]", &["party", "not exactly one party has the role `buyer`"]),
        ("prior = { value = 1,", "prior = { value = 0.9,", &["state", "the priors sum to 0.9"]),
        ("market = \"open\"", "market = \"contract_only\"", &["workload.chat", "nothing to compare the deal with"]),
        (
            "price = { value = 2, unit = \"USD/chip-h\", source = \"s\" }\n",
            "",
            &["compute.deal.price", "follows from nothing"],
        ),
        ("starts = \"2026-01-01\"", "starts = \"2036-01-01\"", &["compute.deal.starts", "outside the 2 years"]),
        ("term = { value = 2,", "term = { value = 0,", &["compute.deal.term", "is 0"]),
        ("utilisation = { value = 0.5", "utilisation = { value = 1.5", &["utilisation", "give 0 to 1"]),
        ("interactivity = { value = 20", "interactivity = { value = 0", &["interactivity", "one value above 0"]),
        (
            "repricing = \"fixed\"",
            &term("slip_credit", "{ value = 0.1, unit = \"1\", source = \"s\" }"),
            &["slip_credit", "give slip"],
        ),
        (
            "repricing = \"fixed\"",
            &term("most_favoured", "[\"deal\"]"),
            &["compute.deal.reopener", "its price follows itself: deal → deal"],
        ),
    ] {
        let found = findings(&plain_with(&[(old, new)]));
        for part in parts {
            assert!(found.contains(part), "`{part}` is not in: {found}");
        }
    }
}

/// A second commitment on a vendor, with further fields.
fn another(id: &str, vendor: &str, more: &str) -> String {
    format!(
        "\n[[compute]]\nid = \"{id}\"\nvendor = \"{vendor}\"\nstanding = \"existing\"\n\
         capacity = {{ value = 1, unit = \"MW\", source = \"s\" }}\n\
         price = {{ value = 1.5, unit = \"USD/chip-h\", source = \"s\" }}\nstarts = \"2026-01-01\"\n\
         term = {{ value = 2, unit = \"years\", source = \"s\" }}\n\
         ramp = {{ points = [[0, 1]], unit = \"1\", source = \"s\" }}\n\
         take_or_pay = {{ value = 0, unit = \"1\", source = \"s\" }}\nrepricing = \"fixed\"\n{more}\n\n[[state]]"
    )
}

#[test]
fn prices_that_follow_each_other_in_a_circle_are_refused_by_name() {
    let reopener = "reopener = [{ after = { value = 1, unit = \"years\", source = \"s\" }, to = \"deal\" }]";
    let text = plain_with(&[
        ("repricing = \"fixed\"", "repricing = \"fixed\"\nmost_favoured = [\"twin\"]"),
        ("\n[[state]]", &another("twin", "new", reopener)),
    ]);
    let found = findings(&text);
    assert!(found.contains("its price follows itself: deal → twin → deal"), "{found}");
}

#[test]
fn hours_of_unlike_chips_are_not_compared() {
    let text = plain_with(&[
        ("repricing = \"fixed\"", "repricing = \"fixed\"\nmost_favoured = [\"gpu\"]"),
        ("\n[[state]]", &another("gpu", "old", "")),
    ]);
    let found = findings(&text);
    assert!(found.contains("compares an hour at new with one at old (`gpu`): their chips differ"), "{found}");
}

#[test]
fn floors_above_what_capacity_can_bill_name_both_sides() {
    // A gigawatt at 2 $ bills 35 bn in two years; half of 100 bn is more.
    let spend = "spend = { value = 100, unit = \"USD bn\", source = \"s\" }\ncapacity";
    let found = findings(&plain_with(&[("capacity", spend)]));
    assert!(found.contains("the floor of 50.00 bn USD exceeds the 35.06 bn"), "{found}");
    assert!(found.contains("take_or_pay × spend conflicts with capacity × price"), "{found}");
    let small = "cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"s\" }\ncapacity = { points = [[0, 0.4], [2, 2]], unit = \"GW\", source = \"s\" }";
    let found =
        findings(&plain_with(&[("cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"s\" }", small)]));
    assert!(found.contains("asks for 1.000 GW in quarter 0, where vendor.new.capacity has 0.500"), "{found}");
}

#[test]
fn exclusivities_that_leave_nobody_conflict() {
    let exclusive = "\n[[exclusive]]\nworkload = \"chat\"\nvendors = [\"old\"]\nsource = \"s\"\n\
                     \n[[exclusive]]\nworkload = \"chat\"\nvendors = [\"new\"]\nsource = \"s\"\n\n[[state]]";
    let found = findings(&plain_with(&[("\n[[state]]", exclusive)]));
    assert!(found.contains("leaves no vendor for `chat`: exclusivities conflict"), "{found}");
}

#[test]
fn every_error_is_reported_at_once() {
    let found = findings(&plain_with(&[("chip = \"h100\"", "chip = \"x\""), ("quarters = 8", "quarters = 999")]));
    assert!(found.contains("vendor.old.chip") && found.contains("quarters: is 999"), "{found}");
}

#[test]
fn lists_longer_than_a_draw_can_count_are_refused() {
    let vendor =
        PLAIN.split("[[vendor]]").nth(2).expect("the second vendor").split("[[workload]]").next().expect("ends");
    let more: String =
        (0..100).map(|i| format!("[[vendor]]{}", vendor.replace("\"old\"", &format!("\"v{i}\"")))).collect();
    let found = findings(&plain_with(&[("[[workload]]", &format!("{more}[[workload]]"))]));
    assert!(found.contains("vendor: there are 102; give at most 100"), "{found}");
    let tranche = "{ shares = { value = 1, unit = \"M\", source = \"s\" }, milestone = { value = 1, unit = \"GW\", source = \"s\" } },";
    let warrant = format!(
        "\n[[warrant]]\nid = \"w\"\nissuer = \"cloud\"\nholder = \"lab\"\nstrike = {{ value = 1, unit = \"USD/share\", source = \"s\" }}\n\
         spot = {{ value = 9, unit = \"USD/share\", source = \"s\" }}\nvolatility = {{ value = 0.5, unit = \"1/year\", source = \"s\" }}\n\
         expires = \"2027-01-01\"\ncompute = \"deal\"\ntranche = [{}]\n\n[[state]]",
        tranche.repeat(64)
    );
    let found = findings(&plain_with(&[("\n[[state]]", &warrant)]));
    assert!(found.contains("warrant.w.tranche: there are 64; give at most 63"), "{found}");
    assert!(found.contains("risk_free: is missing"), "{found}");
}

#[test]
fn a_term_beyond_the_horizon_is_a_warning() {
    let found = findings(&plain_with(&[("term = { value = 2,", "term = { value = 3,")]));
    assert!(found.starts_with("warning: compute.deal.term: 1.00 of its 3 years"), "{found}");
}
