use super::*;
use crate::cost::serving::{Constants, SPECS};

/// Runs of two engines on two chips and three models, as the model itself has them with known constants.
fn synthetic(truth: impl Fn(&str) -> Constants) -> Vec<ServingRow> {
    let catalogue = Catalogue::embedded().expect("valid");
    let mut rows = Vec::new();
    for engine in ["one", "two"] {
        for (model, chip) in [("llama-3.1-8b", "h100_sxm"), ("qwen3-32b", "h200_sxm"), ("gpt-oss-120b", "h200_sxm")] {
            for (tensor, concurrency) in [(1.0, 4), (2.0, 16), (4.0, 64), (8.0, 8), (4.0, 128)] {
                for (isl, osl) in [(1000.0, 100.0), (4000.0, 500.0), (1000.0, 4000.0)] {
                    let mut row = ServingRow {
                        id: format!("{engine}_{model}_{isl}x{osl}_c{concurrency}_tp{tensor}"),
                        engine: engine.into(),
                        release: "1".into(),
                        model: model.into(),
                        chip: chip.into(),
                        precision: if model == "qwen3-32b" { "fp8".into() } else { String::new() },
                        isl,
                        osl,
                        batch_size: None,
                        tp_size: Some(tensor),
                        pp_size: None,
                        attention_dp_size: None,
                        moe_tp_size: None,
                        moe_ep_size: None,
                        ttft_ms: 1.0,
                        tpot_ms: 1.0,
                    };
                    let state = Sample::new(&row, &catalogue).expect("legal").predict(&truth(engine));
                    (row.ttft_ms, row.tpot_ms) = (state.ttft * 1e3, state.tpot * 1e3);
                    rows.push(row);
                }
            }
        }
    }
    rows
}

fn truth(engine: &str) -> Constants {
    let base = Constants::from_array(SPECS.map(|spec| spec.centre));
    match engine {
        "one" => Constants { weight_read: 0.7, per_step: 2e-3, ..base },
        _ => Constants { weight_read: 0.9, compute: 0.5, ..base },
    }
}

#[test]
fn constants_that_made_the_rows_are_found_again() {
    let catalogue = Catalogue::embedded().expect("valid");
    let weak = Pull { shared: 1e-4, engine: 1e-4, release: 1e-2 };
    let found = calibrate(&synthetic(truth), &catalogue, weak).expect("enough rows");
    assert_eq!((found.rows, found.excluded.len()), (90, 0));
    for engine in ["one", "two"] {
        let fitted = found.fit.constants(engine, "");
        let (fitted, true_values) = (fitted.to_array(), truth(engine).to_array());
        for name in ["weight_read", "compute", "per_collective"] {
            let idx = SPECS.iter().position(|spec| spec.name == name).expect("a constant");
            assert!((fitted[idx] / true_values[idx] - 1.0).abs() < 0.05, "{engine} {name}: {}", fitted[idx]);
        }
    }
    let all = |hold_out| {
        let row = found.validations.iter().find(|row| row.hold_out == hold_out && row.group == "all");
        row.and_then(|row| row.tpot).expect("rows").mean
    };
    assert!(
        all(HoldOut::Nothing) < 1.0 && all(HoldOut::Fold) < 1.5,
        "{} {}",
        all(HoldOut::Nothing),
        all(HoldOut::Fold)
    );
}

#[test]
fn a_fit_is_the_same_on_any_number_of_threads() {
    let catalogue = Catalogue::embedded().expect("valid");
    let rows = synthetic(truth);
    let samples: Vec<Sample> = rows.iter().map(|row| Sample::new(row, &catalogue).expect("legal")).collect();
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| Fit::to(&samples.iter().collect::<Vec<_>>(), Pull::default()).constants("one", "one 1"))
    };
    assert_eq!(fit(1), fit(3));
}

#[test]
fn an_unknown_engine_has_what_all_share_and_an_unknown_release_its_engine() {
    let catalogue = Catalogue::embedded().expect("valid");
    let samples: Vec<Sample> =
        synthetic(truth).iter().map(|row| Sample::new(row, &catalogue).expect("legal")).collect();
    let fit = Fit::to(&samples.iter().collect::<Vec<_>>(), Pull::default());
    let [one, two, neither] = ["one", "two", "three"].map(|engine| fit.constants(engine, "").weight_read);
    assert!(one < neither && neither < two, "{one} {neither} {two}");
}

#[test]
fn bad_rows_are_refused_by_row_field_and_remedy() {
    let catalogue = Catalogue::embedded().expect("valid");
    let good = synthetic(truth).remove(0);
    let refused = |row: ServingRow| Sample::new(&row, &catalogue).expect_err("refused").to_string();
    let row = |change: fn(&mut ServingRow)| {
        let mut row = good.clone();
        change(&mut row);
        refused(row)
    };
    for (error, part) in [
        (row(|row| row.model = "gpt-5".into()), "model_path is `gpt-5`"),
        (row(|row| row.chip = "h99".into()), "system is `h99`"),
        (row(|row| row.precision = "fp3".into()), "precision is `fp3`"),
        (row(|row| row.tpot_ms = f64::NAN), "silicon_tpot_ms is `NaN`"),
        (row(|row| row.ttft_ms = -1.0), "silicon_ttft_ms is `-1`"),
        (row(|row| row.isl = 0.0), "isl is `0`"),
        (row(|row| row.tp_size = Some(3.0)), "does not divide"),
        (row(|row| row.tp_size = Some(1.5)), "tp_size is `1.5`"),
        (row(|row| row.id = "nothing".into()), "batch_size is `blank`"),
    ] {
        assert!(error.contains(part) && error.starts_with("row `"), "{error}");
    }
    let few = calibrate(&[good], &catalogue, Pull::default()).expect_err("one row").to_string();
    assert!(few.starts_with("1 rows are left to fit"), "{few}");
}

#[test]
fn a_file_that_is_no_table_names_its_line() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("rows.csv");
    std::fs::write(&path, "id,backend,model_path,system,isl,osl,silicon_ttft_ms,silicon_tpot_ms\na,b,c,d,x,1,1,1\n")
        .expect("written");
    let error = read_rows(&path).expect_err("x is no number").to_string();
    assert!(error.contains("rows.csv") && error.contains("line: 2"), "{error}");
    assert!(read_rows(&dir.path().join("none.csv")).is_err());
}

#[test]
fn what_cannot_be_held_against_the_model_says_why() {
    let catalogue = Catalogue::embedded().expect("valid");
    let row = ServingRow {
        model: "deepseek-ai/DeepSeek-R1".into(),
        chip: "h200_sxm".into(),
        precision: "fp8".into(),
        tp_size: Some(8.0),
        moe_tp_size: Some(1.0),
        moe_ep_size: Some(8.0),
        ..synthetic(truth).remove(0)
    };
    let sample = Sample::new(&row, &catalogue).expect("legal");
    assert_eq!((sample.deployment.expert, sample.doubt), (8, Some(Doubt::Speculation)));
    // The slower of two runs of one set-up drafted nothing.
    let faster = Sample::new(&ServingRow { tpot_ms: row.tpot_ms / 1.5, ..row.clone() }, &catalogue).expect("legal");
    let other =
        Sample::new(&ServingRow { isl: row.isl + 1.0, tpot_ms: 1e-3, ..row.clone() }, &catalogue).expect("legal");
    assert!(
        sample.has_faster_twin(&[faster.clone(), sample.clone()])
            && !faster.has_faster_twin(std::slice::from_ref(&sample))
    );
    assert!(!sample.has_faster_twin(&[other, sample.clone()]), "of another length");
    let copies = ServingRow { tp_size: Some(1.0), attention_dp_size: Some(8.0), ..row.clone() };
    let sample = Sample::new(&copies, &catalogue).expect("legal");
    assert_eq!((sample.deployment.attention_data, sample.doubt), (8, Some(Doubt::AttentionData)));
    // Written twice: eight ranks over which experts are spread, not sixty-four.
    let squared = ServingRow { tp_size: Some(64.0), moe_tp_size: Some(8.0), ..row };
    assert_eq!(Sample::new(&squared, &catalogue).expect("legal").deployment.chips(), 8);
}
