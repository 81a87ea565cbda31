use super::super::testing;
use super::*;
use crate::catalogue::Catalogue;

#[test]
fn parameters_match_the_published_counts() {
    // In billions, and half of the last digit.
    let published = [
        ("llama-3.1-8b", 8.03, 0.005),
        ("llama-3.1-70b", 70.55, 0.005),
        ("llama-3.1-405b", 405.85, 0.005),
        ("llama-2-70b", 68.98, 0.005),
        ("llama-1.1b", 1.10, 0.005),
        ("mixtral-8x7b", 46.70, 0.005),
        ("qwen3-32b", 32.8, 0.05),
        ("qwen3-235b-a22b", 235.1, 0.05),
        ("gpt-oss-20b", 20.9, 0.05),
        ("gpt-oss-120b", 116.8, 0.05),
        ("deepseek-v3", 671.0, 0.05),
    ];
    let catalogue = Catalogue::embedded().expect("valid");
    assert_eq!(catalogue.models.len(), published.len(), "every model has a count to hold it against");
    for (id, billions, rounding) in published {
        let model = catalogue.model(id).expect("in the catalogue");
        let computed = parameters(model) / 1e9;
        assert!((computed - billions).abs() <= rounding, "{id}: {computed} against {billions}");
        assert_eq!(model.published_parameters.as_ref().map(|figure| figure.value), Some(billions * 1e9), "{id}");
    }
}

#[test]
fn active_parameters_match_hand_counts() {
    for (id, billions) in [
        ("llama-3.1-8b", 8.03),
        ("mixtral-8x7b", 12.88),
        ("qwen3-235b-a22b", 22.19),
        ("gpt-oss-20b", 4.19),
        ("gpt-oss-120b", 5.71),
        ("deepseek-v3", 37.55),
    ] {
        let computed = active_parameters(&testing::model(id)) / 1e9;
        assert!((computed - billions).abs() <= 0.005, "{id}: {computed} against {billions}");
    }
    // The makers of gpt-oss leave the input embedding out, 201088 · 2880: 5.13 and 3.61 billion.
    for (id, billions) in [("gpt-oss-20b", 3.61), ("gpt-oss-120b", 5.13)] {
        let model = testing::model(id);
        let computed = (active_parameters(&model) - weights(&model).embedding) / 1e9;
        assert!((computed - billions).abs() <= 0.005, "{id}: {computed} against {billions}");
    }
}

#[test]
fn classes_of_deepseek_match_hand_counts() {
    let weights = weights(&testing::model("deepseek-v3"));
    // A layer: 7168·1536 + 1536·128·192 + 7168·576 + 512·128·256 + 128·128·7168 = 187,105,280.
    assert_eq!(weights.attention, 61.0 * 187_105_280.0);
    assert_eq!(weights.dense_ffn, 3.0 * 3.0 * 7168.0 * 18432.0);
    // An expert: 3·7168·2048 = 44,040,192; 58 layers have 256 of them and a shared one.
    assert_eq!(weights.experts, 58.0 * 256.0 * 44_040_192.0);
    assert_eq!(weights.shared_experts, 58.0 * 44_040_192.0);
    assert_eq!(weights.router, 58.0 * 7168.0 * 256.0);
    assert_eq!((weights.embedding, weights.head), (129_280.0 * 7168.0, 129_280.0 * 7168.0));
}

#[test]
fn a_tied_head_is_stored_once() {
    let untied = testing::model("llama-1.1b");
    let tied = Model { tied: true, ..untied.clone() };
    assert_eq!(parameters(&untied) - parameters(&tied), 32000.0 * 2048.0);
    assert_eq!(weights(&tied).head, 0.0);
}

#[test]
fn kv_elements_match_hand_counts() {
    for (id, elems) in [
        ("llama-3.1-8b", 65_536.0),
        ("llama-3.1-70b", 163_840.0),
        ("llama-3.1-405b", 258_048.0),
        ("mixtral-8x7b", 65_536.0),
        ("qwen3-32b", 131_072.0),
        ("qwen3-235b-a22b", 96_256.0),
        ("gpt-oss-20b", 24_576.0),
        ("gpt-oss-120b", 36_864.0),
        ("deepseek-v3", 35_136.0),
        ("llama-1.1b", 22.0 * 2.0 * 4.0 * 64.0),
    ] {
        assert_eq!(kv_elements_per_token(&testing::model(id)), elems, "{id}");
    }
}

#[test]
fn sliding_layers_keep_their_window_only() {
    let model = testing::model("gpt-oss-120b");
    assert_eq!(model.windowed_layers(), 18);
    // 1024 elements a layer and token; 18 layers keep 1000 tokens and 18 keep 128.
    assert_eq!(kv_elements(&model, 1000.0), 1024.0 * (18.0 * 1000.0 + 18.0 * 128.0));
    assert_eq!(kv_elements(&model, 100.0), 100.0 * kv_elements_per_token(&model));
    let full = testing::model("llama-3.1-8b");
    assert_eq!(kv_elements(&full, 1000.0), 1000.0 * kv_elements_per_token(&full));
}
