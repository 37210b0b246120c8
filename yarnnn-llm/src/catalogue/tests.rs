//! The table as it is built in, and files over it.

use super::*;

#[test]
fn the_defaults_of_both_providers_are_priced_and_every_retired_id_has_a_successor() {
    let catalogue = Catalogue::built_in();
    for name in ["claude-sonnet-5-5", "claude-haiku-5-5", "gpt-6.1-terra", "gpt-6-luna"] {
        let chosen = catalogue.choose(name).unwrap();
        assert!(chosen.model.price.is_some_and(|it| it.input > 0 && it.output > it.input), "{name}");
        assert!(chosen.model.context.is_some() && chosen.model.output.is_some() && chosen.note.is_none(), "{name}");
    }
    assert!(catalogue.models().iter().all(|it| it.price.is_some()));
    for retired in catalogue.retired() {
        let chosen = catalogue.choose(&retired.id).unwrap();
        assert_eq!(chosen.model.id, retired.successor);
        assert!(chosen.note.unwrap().contains(&retired.ends.to_string()));
    }
}

#[test]
fn retired_ids_of_old_settings_stand_for_todays_models() {
    let catalogue = Catalogue::built_in();
    let chosen = catalogue.choose("anthropic/claude-sonnet-4-20250514").unwrap();
    assert_eq!(chosen.model.name(), "anthropic/claude-sonnet-5-5");
    insta::assert_snapshot!(
        chosen.note.unwrap(),
        @"anthropic/claude-sonnet-4-20250514 ends on 2026-06-15; anthropic/claude-sonnet-5-5 is used in its place"
    );
    assert_eq!(catalogue.choose("gpt-4o").unwrap().model.name(), "openai/gpt-6-luna");
    let live = catalogue.choose("claude-haiku-4-5-20251001").unwrap();
    assert_eq!((live.model.id.as_str(), live.note), ("claude-haiku-4-5-20251001", None));
}

#[test]
fn unknown_ids_need_a_provider_in_front() {
    let catalogue = Catalogue::built_in();
    let chosen = catalogue.choose("openai/meta-llama/Llama-9").unwrap();
    assert_eq!((chosen.model.id.as_str(), chosen.model.api, chosen.model.price), ("meta-llama/Llama-9", Api::Chat, None));
    assert!(chosen.note.unwrap().contains("nothing is known"));
    for name in ["Llama-9", "openai/", "anthropic/ ", "mystery/model", ""] {
        let error = catalogue.choose(name).unwrap_err().to_string();
        assert!(error.contains("anthropic/claude-sonnet-5-5"), "{error}");
    }
}

#[test]
fn a_file_replaces_adds_and_revives() {
    let text = r#"
        [[model]]
        id = "gpt-4o"
        provider = "openai"
        price = { input = 2_500_000, output = 10_000_000, cache_read = 1_250_000 }

        [[model]]
        id = "claude-sonnet-5-5"
        provider = "anthropic"
        output = 1_000
        thinking_tokens = 900
        price = { input = 1 }

        [[retired]]
        id = "house-1"
        provider = "openai"
        successor = "gpt-4o"
        ends = "2026-01-01"
    "#;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("models.toml");
    std::fs::write(&path, text).unwrap();
    let catalogue = Catalogue::with_file(&path).unwrap();
    assert_eq!(catalogue.choose("gpt-4o").unwrap().model.price.unwrap().cache_read, 1_250_000);
    assert_eq!(catalogue.choose("house-1").unwrap().model.id, "gpt-4o");
    let sonnet = catalogue.choose("claude-sonnet-5-5").unwrap().model;
    assert_eq!((sonnet.output_bound(50), sonnet.output_bound(500)), (950, 1_000));
    assert!(catalogue.choose("gpt-6-luna").is_ok());
}

#[test]
fn a_malformed_file_is_named_with_line_and_field() {
    let built_in = Catalogue::built_in();
    let error = |text: &str| built_in.clone().with_text(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("[[model]]\nid = \"m\"\nprovider = \"openai\"\nprice = { input = \"2\" }\n"));
    insta::assert_snapshot!(error("[[model]]\nid = \"m\"\nprovider = \"openai\"\npirce = 3\n"));
    insta::assert_snapshot!(error("[[model]]\nprovider = \"openai\"\n"));
    insta::assert_snapshot!(error("[[model]]\nid = \"m\"\nprovider = \"acme\"\n"));
    insta::assert_snapshot!(error("[[retired]]\nid = \"a\"\nprovider = \"openai\"\nsuccessor = \"b\"\nends = \"2026-01-01\"\n"));
    let missing = Catalogue::with_file("/nowhere/models.toml").unwrap_err();
    assert!(matches!(missing, CatalogueError::Unreadable { .. }));
}

#[test]
fn a_price_of_an_unknown_field_is_an_error_too() {
    let text = "[[model]]\nid = \"m\"\nprovider = \"openai\"\nprice = { inputs = 1 }\n";
    let error = Catalogue::built_in().with_text(text).unwrap_err().to_string();
    assert!(error.contains("inputs"), "{error}");
}
