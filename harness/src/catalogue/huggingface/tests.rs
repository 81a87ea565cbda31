use super::*;
use crate::cost::{active_parameters, kv_elements_per_token, parameters};
use serde_json::{Value, json};

const LLAMA: &str = include_str!("fixtures/llama-3.1-8b.json");
const MISTRAL: &str = include_str!("fixtures/mistral-7b.json");
const MIXTRAL: &str = include_str!("fixtures/mixtral-8x7b.json");
const QWEN2: &str = include_str!("fixtures/qwen2-7b.json");
const QWEN3: &str = include_str!("fixtures/qwen3-32b.json");
const QWEN3_MOE: &str = include_str!("fixtures/qwen3-235b-a22b.json");
const GPT_OSS_20B: &str = include_str!("fixtures/gpt-oss-20b.json");
const GPT_OSS_120B: &str = include_str!("fixtures/gpt-oss-120b.json");
const DEEPSEEK_V2: &str = include_str!("fixtures/deepseek-v2.json");
const DEEPSEEK_V3: &str = include_str!("fixtures/deepseek-v3.json");

/// The refusal of a configuration after fields are set; null removes one.
fn refused(base: &str, changes: &[(&str, Value)]) -> String {
    changed(base, changes).expect_err("a contradiction").to_string()
}

fn changed(base: &str, changes: &[(&str, Value)]) -> Result<Model, ModelError> {
    let mut config: Value = serde_json::from_str(base).expect("a fixture");
    for (field, value) in changes {
        config[*field] = value.clone();
    }
    Model::from_config(&config.to_string(), "mine")
}

#[test]
fn a_published_configuration_is_the_catalogues_model() {
    let catalogue = Catalogue::embedded().expect("valid");
    for (id, text) in [
        ("llama-3.1-8b", LLAMA),
        ("mixtral-8x7b", MIXTRAL),
        ("qwen3-32b", QWEN3),
        ("qwen3-235b-a22b", QWEN3_MOE),
        ("gpt-oss-20b", GPT_OSS_20B),
        ("gpt-oss-120b", GPT_OSS_120B),
        ("deepseek-v3", DEEPSEEK_V3),
    ] {
        let own = Model::from_config(text, id).expect(id);
        let known = catalogue.model(id).expect(id);
        assert_eq!((own.attention, own.feed_forward), (known.attention, known.feed_forward), "{id}");
        assert_eq!(
            (own.layers, own.hidden, own.vocab, own.tied),
            (known.layers, known.hidden, known.vocab, known.tied)
        );
        assert_eq!(parameters(&own), parameters(known), "{id}");
        assert_eq!((own.published_parameters, own.source.kind), (None, Provenance::Assumed));
    }
}

#[test]
fn models_beyond_the_catalogue_have_their_published_counts() {
    // Billions as published, all and active: Mistral 7B 7.24, Qwen2 7B 7.62, DeepSeek-V2 236 and 21.
    for (text, all, active) in [(MISTRAL, 7.24, 7.24), (QWEN2, 7.62, 7.62), (DEEPSEEK_V2, 235.74, 21.38)] {
        let model = Model::from_config(text, "mine").expect("understood");
        assert!((parameters(&model) / 1e9 - all).abs() < 0.005, "{}", parameters(&model));
        assert!((active_parameters(&model) / 1e9 - active).abs() < 0.005, "{}", active_parameters(&model));
    }
    // 60 layers of 512 + 64.
    let latent = Model::from_config(DEEPSEEK_V2, "mine").expect("understood");
    assert_eq!(kv_elements_per_token(&latent), 60.0 * 576.0);
    // Mistral slides in every layer, Qwen2 says that it does not.
    let window = |text| Model::from_config(text, "mine").expect("understood").window();
    assert_eq!(window(MISTRAL), Some(Window { tokens: 4096, every: 1 }));
    assert_eq!(window(QWEN2), None);
}

#[test]
fn layer_types_say_which_layers_slide() {
    let sliding = |every: usize| {
        let kinds = (0..32).map(|idx| if idx % every == 0 { "sliding_attention" } else { "full_attention" });
        json!(kinds.collect::<Vec<_>>())
    };
    let model = changed(MISTRAL, &[("layer_types", sliding(3))]).expect("an even step");
    assert_eq!((model.window(), model.windowed_layers()), (Some(Window { tokens: 4096, every: 3 }), 11));
    let last = json!(vec!["full_attention"; 32]);
    assert_eq!(changed(MISTRAL, &[("layer_types", last.clone())]).expect("none slides").window(), None);
    let mut odd = last;
    odd[5] = json!("sliding_attention");
    assert!(refused(MISTRAL, &[("layer_types", odd)]).contains("no even step"));
    assert!(refused(MISTRAL, &[("layer_types", json!(["full_attention"]))]).contains("lists 1 layers"));
    assert!(
        refused(MISTRAL, &[("layer_types", sliding(1)), ("sliding_window", Value::Null)]).contains("sliding_window")
    );
    // Without the list, gpt-oss slides in every second layer.
    let habit = changed(GPT_OSS_20B, &[("layer_types", Value::Null)]).expect("understood");
    assert_eq!(habit.window(), Some(Window { tokens: 128, every: 2 }));
}

#[test]
fn missing_and_impossible_fields_are_refused_by_name() {
    for (base, field) in [
        (LLAMA, "num_hidden_layers"),
        (LLAMA, "hidden_size"),
        (LLAMA, "vocab_size"),
        (LLAMA, "intermediate_size"),
        (LLAMA, "num_attention_heads"),
        (LLAMA, "model_type"),
        (QWEN3, "head_dim"),
        (QWEN3_MOE, "moe_intermediate_size"),
        (QWEN3_MOE, "num_experts"),
        (GPT_OSS_20B, "num_experts_per_tok"),
        (DEEPSEEK_V3, "kv_lora_rank"),
        (DEEPSEEK_V3, "q_lora_rank"),
        (DEEPSEEK_V3, "v_head_dim"),
    ] {
        let error = refused(base, &[(field, Value::Null)]);
        assert!(error.starts_with(&format!("mine: field `{field}` is ")), "{error}");
    }
    for value in
        [json!(0), json!(-1), json!(1.5), json!(1e30), json!(u64::MAX), json!("4096"), json!([4096]), json!(true)]
    {
        let error = refused(LLAMA, &[("hidden_size", value)]);
        assert!(error.contains("field `hidden_size` is ") && error.contains("from 1 to 16777216"), "{error}");
    }
    assert!(refused(LLAMA, &[("tie_word_embeddings", json!("yes"))]).contains("true or false"));
}

#[test]
fn fields_that_contradict_each_other_are_refused() {
    for (base, field, value, part) in [
        (LLAMA, "num_key_value_heads", json!(64), "does not divide num_attention_heads = 32"),
        (LLAMA, "num_key_value_heads", json!(5), "does not divide num_attention_heads = 32"),
        (LLAMA, "hidden_size", json!(4097), "does not divide hidden_size = 4097"),
        (LLAMA, "num_local_experts", json!(8), "its model_type has no experts"),
        (LLAMA, "architectures", json!(["MixtralForCausalLM"]), "model_type is that of LlamaForCausalLM"),
        (QWEN3, "architectures", json!(["Qwen3MoeForCausalLM"]), "model_type is that of Qwen3ForCausalLM"),
        (MIXTRAL, "num_experts_per_tok", json!(9), "more than num_local_experts = 8"),
        (QWEN2, "use_sliding_window", json!(true), "write layer_types"),
        (QWEN3_MOE, "mlp_only_layers", json!([0, 5]), "only the first layers"),
        (QWEN3_MOE, "decoder_sparse_step", json!(2), "experts in every layer"),
        (DEEPSEEK_V3, "first_k_dense_replace", json!(61), "leave layers for the experts"),
        (DEEPSEEK_V3, "moe_layer_freq", json!(2), "experts in every layer"),
    ] {
        let error = refused(base, &[(field, value)]);
        assert!(error.contains(part), "{part} in {error}");
    }
    let error = refused(LLAMA, &[("model_type", json!("mamba"))]);
    assert!(error.contains("`mamba`") && error.contains("qwen3_moe"), "{error}");
}

#[test]
fn hostile_texts_are_inert_and_short() {
    let hostile = format!("\u{1b}[2J{}", "x".repeat(1000));
    for field in ["model_type", "hidden_size", "architectures"] {
        let error = refused(LLAMA, &[(field, json!(hostile))]);
        assert!(!error.contains('\u{1b}') && error.len() < 400, "{error}");
    }
    let named = Model::from_config(LLAMA, &hostile).expect("only its name is odd");
    assert!(!named.id.contains('\u{1b}') && named.id.len() < 70, "{}", named.id);
    for text in ["", "[]", "null", "{", "\"config\"", &"[".repeat(100_000)] {
        assert!(matches!(Model::from_config(text, "mine"), Err(ModelError::Syntax { .. })));
    }
}

#[test]
fn a_name_is_an_id_another_name_or_a_path() {
    let catalogue = Catalogue::embedded().expect("valid");
    let id = |name: &str| catalogue.model_or_file(name).map(|model| model.id).map_err(|error| error.to_string());
    assert_eq!(id("deepseek-r1"), Ok("deepseek-v3".into()));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = dir.path().join("my-model");
    std::fs::create_dir(&folder).expect("made");
    for (file, name) in [("config.json", "my-model"), ("own.json", "own")] {
        let path = folder.join(file);
        std::fs::write(&path, LLAMA).expect("written");
        assert_eq!(id(&path.display().to_string()), Ok(name.into()));
    }
    std::fs::write(folder.join("large.json"), vec![b' '; MAX_BYTES as usize + 1]).expect("written");
    let large = id(&folder.join("large.json").display().to_string()).expect_err("too large");
    assert!(large.contains("larger than 1048576 bytes"), "{large}");
    assert!(id("absent.json").expect_err("no file").contains("cannot read absent.json"));
    let unknown = id("deepseek-v4").expect_err("no such model");
    assert!(unknown.contains("did you mean `deepseek-v3`?") && unknown.contains("config.json"), "{unknown}");
}
