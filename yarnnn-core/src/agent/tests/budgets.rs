//! What does not fit is left out, and said.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::*;
use crate::agent::{ResultBudget, Row};

#[tokio::test]
async fn a_read_has_room_for_a_whole_item_and_many_reads_do_not() {
    let long = "word ".repeat(2_000);
    let items: Vec<_> = (1..=10).map(|it| (ana(), item(it, &long))).collect();
    let refs: Vec<String> = (1..=10).map(|it| format!("platform_content:{}", content_id(it))).collect();
    let model = ScriptedModel::new([calls("Read", json!({ "refs": refs })), says("Done.")]);
    let answer = Workspace { items, ..Workspace::default() }.run(&model, task(2)).await.unwrap();
    let result = model.results(1).remove(0);
    assert_eq!(result.material[0].text, long);
    let cut = said(&result)["cut"].as_str().unwrap().to_owned();
    assert_eq!(cut, "6 of 10 left out; 1 shortened");
    assert_eq!(result.material.last().unwrap().marks, ["cut"]);
    assert_eq!(said(&result)["count"], 4);
    let found: Vec<&str> = answer.found.iter().map(|(reference, _)| reference.as_str()).collect();
    assert_eq!(found, ["s10", "s11", "s12"], "what was left out is not found; the first is known as s1");
}

#[tokio::test]
async fn the_calls_of_one_turn_share_what_a_turn_may_answer() {
    let long = "word ".repeat(2_000);
    let items: Vec<_> = (1..=9).map(|it| (ana(), item(it, &long))).collect();
    let reads = (1..=10).map(|it| call("Read", json!({ "ref": format!("platform_content:{}", content_id(it)) })));
    let model = ScriptedModel::new([turn(reads.collect()), says("Done.")]);
    Workspace { items, ..Workspace::default() }.run(&model, task(2)).await.unwrap();
    let results = model.results(1);
    assert_eq!(results.len(), 10);
    let shown: usize = results.iter().flat_map(|it| &it.material).map(|it| it.text.chars().count()).sum();
    assert!(shown <= 60_000, "{shown}");
    assert!(said(&results[6])["cut"].as_str().unwrap().contains("this turn's results are full"));
    assert_eq!(said(&results[8])["error"], "execution_error");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<u32>().prop_map(Value::from), "\\PC{0,60}".prop_map(Value::from)];
    leaf.prop_recursive(3, 40, 8, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from);
        let object = prop::collection::btree_map("[a-z]{1,5}", inner, 0..6).prop_map(|it| json!(it));
        prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn nothing_exceeds_its_budget(
        rows in prop::collection::vec(values(), 0..12),
        most in 0_usize..10,
        text in 1_usize..40,
        characters in 0_usize..600,
    ) {
        let of = rows.len();
        let rows: Vec<Row> = rows.into_iter().map(Row::of).collect();
        let fitted = ResultBudget { rows: most, text, characters }.fit(rows);
        let size: usize = fitted.rows.iter().map(|it| json!(it.data).to_string().chars().count()).filter(|it| *it > 2).sum();
        prop_assert!(size <= characters);
        prop_assert!(fitted.rows.len() <= most);
        prop_assert_eq!(fitted.of, of);
    }
}
