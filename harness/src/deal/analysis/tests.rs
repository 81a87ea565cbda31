use super::super::testing::{PLAIN, model, plain_with, scenario};
use super::*;
use crate::units::Provenance;

const FEW: Options = Options { draws: 2000, seed: 1 };

fn analysed(text: &str) -> Analysis {
    Worked::new(model(text), FEW).analysis(&scenario(text), FEW)
}

/// More demand than all chips in place can serve, whatever their speed.
const FULL: (&str, &str) = ("[[0, 1000]]", "[[0, 1e6]]");

fn shipped(id: &str) -> Analysis {
    let catalogue = crate::catalogue::Catalogue::embedded().expect("valid");
    let scenario = crate::deal::load(id, &[]).expect("shipped");
    let (model, _) = Model::new(&scenario, &catalogue).expect("no finding");
    Worked::new(model, FEW).analysis(&scenario, FEW)
}

#[test]
fn a_partys_value_is_the_sum_of_its_flows() {
    for id in ["openai-aws-2026-02", "openai-amd-2025-10", "openai-microsoft-2025-10"] {
        for party in shipped(id).parties {
            let sum: f64 = party.flows.iter().map(|flow| flow.present).sum();
            let size: f64 = party.flows.iter().map(|flow| flow.present.abs()).sum();
            assert!((sum - party.npv).abs() <= 1e-9 * size, "{id}, {}: {sum} for {}", party.party, party.npv);
        }
    }
}

#[test]
fn what_one_party_pays_another_gets() {
    // The plain deal: the lab pays 2 $ for 8 quarters of a million chips, the cloud gets it and spends 1 $.
    let analysis = analysed(&plain_with(&[FULL]));
    let bill = 8.0 * 2.0 * 1e6 * 2191.5;
    let flow = |party: &str, what: &str| {
        let party = analysis.parties.iter().find(|line| line.party == party).expect("takes part");
        party.flows.iter().find(|flow| flow.what.starts_with(what)).expect("a flow").present
    };
    assert!((flow("Lab", "payments") + bill).abs() < 1.0 && (flow("Cloud", "payments") - bill).abs() < 1.0);
    let cloud = analysis.parties.iter().find(|line| line.party == "Cloud").expect("takes part");
    assert!((cloud.npv - bill / 2.0).abs() < 1.0);
}

#[test]
fn the_break_even_discount_and_the_tie_price_agree() {
    let analysis = analysed(PLAIN);
    let [deal, other] = &analysis.vendors[..] else { panic!("two vendors") };
    let (discount, tie) = (other.break_even_discount.expect("both priced"), other.tie_with_deal.expect("both priced"));
    // Without porting, the price at which the other ties is its price over one less the discount.
    let price = other.usd_per_chip_hour.expect("priced");
    assert!((tie * (1.0 - discount) - price).abs() < 1e-9 * price, "{tie} {discount} {price}");
    assert_eq!((deal.break_even_discount, deal.tie_with_deal), (None, None), "the deal is not compared with itself");
}

#[test]
fn money_that_goes_round_is_counted() {
    let amazon = &shipped("openai-aws-2026-02").investors[0];
    // 100 bn $ of commitment for 15 + 35 bn $ of equity at 730 + 110 bn $.
    assert!((amazon.circularity.expect("invested") - 2.0).abs() < 1e-9);
    assert!((amazon.stake - 50.0 / 840.0).abs() < 1e-9);
}

#[test]
fn equity_is_in_no_price() {
    let equity = "\n[[equity]]\nid = \"e\"\ninvestor = \"cloud\"\nissuer = \"lab\"\nclass = \"common\"\n\
        amount = { value = 50, unit = \"USD bn\", source = \"s\" }\nvaluation = { value = 500, unit = \"USD bn\", source = \"s\" }\n\
        closes = \"2026-01-01\"\nfair_value = { value = 0.9, unit = \"1\", source = \"s\" }\n\
        exit.after = { value = 1, unit = \"years\", source = \"s\" }\nexit.multiple = { value = 2, unit = \"1\", source = \"s\" }\n\n[[state]]";
    let (without, with) = (analysed(PLAIN), analysed(&plain_with(&[("\n[[state]]", equity)])));
    for (a, b) in without.answers.iter().zip(&with.answers).filter(|(a, _)| !matches!(a.answer, Answer::Npv(_))) {
        assert_eq!((a.answer, a.central), (b.answer, b.central));
    }
    // The issue is worth a tenth of the cash to the lab; the cloud sells at 0.9 · 2 of what it paid.
    let npv = |analysis: &Analysis, party: &str| {
        analysis.parties.iter().find(|line| line.party == party).expect("takes part").npv
    };
    assert!((npv(&with, "Lab") - npv(&without, "Lab") - 5e9).abs() < 1.0);
    assert!((npv(&with, "Cloud") - npv(&without, "Cloud") - 40e9).abs() < 1.0);
}

#[test]
fn an_answer_rests_on_the_kinds_of_what_moves_it_and_on_no_other() {
    let press = [
        (
            "[[party]]\nid = \"lab\"",
            "[[source]]\nid = \"news\"\ntitle = \"a paper\"\ndate = \"2026-01-01\"\nkind = \"press\"\n\n[[party]]\nid = \"lab\"",
        ),
        (
            "cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"s\" }",
            "cost_to_serve = { value = 1, unit = \"USD/chip-h\", source = \"news\" }",
        ),
    ];
    let analysis = analysed(&plain_with(&press));
    let rests = |wanted: &str| {
        let line = analysis.answers.iter().find(|line| line.name == wanted).expect(wanted);
        line.rests_on.contains(Provenance::Press)
    };
    // What the chips cost the cloud matters to the cloud alone.
    assert!(rests("deal to Cloud") && !rests("deal to Lab") && !rests("tokens under the deal"));
}

#[test]
fn delay_costs_what_the_deal_saves_in_a_quarter() {
    // The deal saves a million chips' dollar an hour; a quarter later it saves one quarter less within the horizon, and
    // two years of term end outside of it.
    let analysis = analysed(&plain_with(&[FULL]));
    let saved = 1e6 * 2191.5 * (3.0 * ratio(&analysis) - 2.0);
    assert!((analysis.delay_usd_per_quarter - saved).abs() < 1e-6 * saved.abs(), "{}", analysis.delay_usd_per_quarter);
}

/// Old chips that one new chip stands for.
fn ratio(analysis: &Analysis) -> f64 {
    let rate = |v: usize| analysis.vendors[v].tokens_per_s_and_chip[0].1.expect("serves");
    rate(0) / rate(1)
}

#[test]
fn the_mix_costs_no_more_than_the_order_of_the_file() {
    for id in ["openai-aws-2026-02", "anthropic-aws-2026-04"] {
        let catalogue = crate::catalogue::Catalogue::embedded().expect("valid");
        let scenario = crate::deal::load(id, &[]).expect("shipped");
        let (model, _) = Model::new(&scenario, &catalogue).expect("no finding");
        let worked = Worked::new(model, FEW);
        let mix = worked.analysis(&scenario, FEW).mix.expect("demand can be met");
        let ledger = &worked.case.ledger;
        let flows = ledger.values.commitments.iter().map(|commitment| commitment.flows);
        let paid: f64 = flows.map(|flows| flows.paid + flows.porting).sum();
        let dispatched = paid + ledger.values.rest_paid;
        // Tiers and credits are in the bills alone; a share of a percent of them.
        assert!(mix.cost <= dispatched * 1.02, "{id}: {} against {dispatched}", mix.cost);
        assert!(mix.cost_without.is_some());
    }
}
