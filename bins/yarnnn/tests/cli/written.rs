//! Reports that a model writes: what is planned, asked, paid and delivered, once; and how a run ends that must not or cannot be
//! written.

use serde_json::Value;
use yarnnn_sim::models::{End, Scripted, Slip, Turn};
use yarnnn_sim::{Fault, SimWriter};

use super::exports::{AS_OF, DECISION};
use super::modelled::{Modelled, markdown};
use super::support::Backend;

fn number(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("no count: {of}"))
}

/// What the provider charged, in dollars at the list prices of the model.
#[expect(clippy::cast_precision_loss, reason = "a test has few tokens")]
fn charged(it: &Modelled) -> f64 {
    let used = it.sim.models().usage();
    let priced = [(used.input, 2.0), (used.output, 10.0), (used.cache_read, 0.1), (used.cache_write, 2.5)];
    priced.iter().map(|(tokens, price)| *tokens as f64 * price / 1e6).sum()
}

async fn a_report_is_written_once(backend: Backend) {
    let it = Modelled::new(backend).await;
    it.create("Weekly", &[]);
    let plan = it.json(&["plan", "Weekly", "--as-of", AS_OF], 0);
    assert_eq!((it.calls(), plan["model"].as_str()), (0, Some("anthropic/claude-sonnet-5-5")));
    assert!(plan["tools"].as_array().unwrap().iter().any(|it| it == "Search") && plan["obstacle"].is_null(), "{plan:#}");

    let first = it.run(&[], 0);
    assert_eq!((first["status"].as_str(), first["model_calls"].as_u64()), (Some("delivered"), Some(it.calls() as u64)));
    assert_eq!(it.calls(), 2, "one tool was asked for: {first:#}");
    let used = it.sim.models().usage();
    assert_eq!(number(&first["input_tokens"]), used.input + used.cache_read + used.cache_write);
    assert_eq!(number(&first["output_tokens"]), used.output);
    let cost = first["cost_usd"].as_f64().unwrap();
    assert!((cost - charged(&it)).abs() < 2e-6, "{cost} is not {}", charged(&it));
    let (from, to) = (plan["cost_usd"]["from"].as_f64().unwrap(), plan["cost_usd"]["to"].as_f64().unwrap());
    assert!(from <= cost && cost <= to, "{from} <= {cost} <= {to}");
    assert!(markdown(&first).contains(DECISION), "{}", markdown(&first));
    let verified = it.json(&["verify", first["version_id"].as_str().unwrap()], 0);
    assert!(number(&verified["verified"]) > 4 && verified["verified"] == first["with_evidence"], "{first:#}");

    // Nothing new: nothing is asked, nothing is sent.
    let delivered = it.installation.delivered();
    assert_eq!((it.run(&[], 0)["status"].as_str(), it.calls()), (Some("no_news"), 2));
    let plan = it.said(&[], &["plan", "Weekly", "--as-of", AS_OF], 0).stdout;
    assert!(plan.contains("Nothing is new since the last version: a run would write nothing."), "{plan}");
    // One new message is reported, once.
    it.hear("The meadow is dry again and we can fly the large kites tomorrow.");
    let second = it.run(&[], 0);
    let text = markdown(&second);
    assert!(text.contains("The meadow is dry again") && !text.contains(DECISION), "{text}");
    let calls = it.calls();
    assert!(calls > 2);
    assert_eq!((it.run(&[], 0)["status"].as_str(), it.calls()), (Some("no_news"), calls));
    assert_eq!(it.installation.delivered().len(), 2 * delivered.len());

    // What it cost is what the provider charged.
    let costs = it.json(&["costs"], 0);
    let used = it.sim.models().usage();
    assert_eq!((number(&costs["total"]["calls"]), number(&costs["total"]["open_calls"])), (calls as u64, 0));
    assert_eq!(number(&costs["total"]["input_tokens"]), used.input + used.cache_read + used.cache_write);
    assert_eq!(number(&costs["total"]["output_tokens"]), used.output);
    assert!((costs["total"]["cost_usd"].as_f64().unwrap() - charged(&it)).abs() < 1e-5, "{costs:#}");
    assert_eq!(costs["by"]["report"][0]["report"], "Weekly");
    let shown = it.said(&[], &["costs", "--days", "1"], 0).stdout;
    assert!(shown.contains("anthropic/claude-sonnet-5-5") && shown.contains(&format!("for {calls} calls today")), "{shown}");
    it.installation.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_sqlite_is_written_once_and_costs_what_was_charged() {
    a_report_is_written_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_postgres_is_written_once_and_costs_what_was_charged() {
    a_report_is_written_once(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_that_is_too_small_stops_the_run_before_anything_is_asked() {
    for cap in ["YARNNN_CAP_RUN_USD", "YARNNN_CAP_USER_DAY_USD", "YARNNN_CAP_INSTALLATION_DAY_USD"] {
        let it = Modelled::with_report(&[]).await;
        let run = ["run", "Weekly", "--as-of", AS_OF];
        let said = it.json_with(&[(cap, "0.001")], &run, 1);
        assert!(said.to_string().contains(cap), "{said:#}");
        assert_eq!((it.sim.journal().count(), it.installation.outbox().exists()), (0, false));
        let costs = it.json_with(&[(cap, "0.001")], &["costs"], 0);
        assert_eq!((number(&costs["total"]["calls"]), costs["total"]["cost_usd"].as_f64()), (0, Some(0.0)));
        assert!(costs["caps"].to_string().contains("0.001"), "{costs:#}");
        // With enough the same run goes on.
        assert_eq!(it.json_with(&[(cap, "5")], &run, 0)["status"], "delivered");
    }
}

/// Whatever would keep a mail from being sent is said before anything is paid for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_could_not_be_sent_is_not_written() {
    let it = Modelled::with_report(&["--email", "clara@example.org"]).await;
    let production = [("APP_ENV", "production")];
    let said = it.json_with(&production, &["run", "Weekly", "--as-of", AS_OF], 3);
    assert!(said["error"]["message"].as_str().unwrap().starts_with("RESEND_API_KEY: "), "{said:#}");
    let plan = it.json_with(&production, &["plan", "Weekly", "--as-of", AS_OF], 0);
    assert!(plan["obstacle"].as_str().unwrap().contains("RESEND_API_KEY"), "{plan:#}");
    let half = [("APP_ENV", "production"), ("RESEND_API_KEY", "re_1")];
    let said = it.json_with(&half, &["run", "Weekly", "--as-of", AS_OF], 3);
    assert!(said["error"]["message"].as_str().unwrap().starts_with("RESEND_FROM_EMAIL: "), "{said:#}");
    assert_eq!(it.sim.journal().count(), 0);
}

/// How a run ends whose model answers so: the ending, what is shown of the answer, a piece of the reason.
async fn ends(writer: impl yarnnn_sim::models::Writer, ending: &str, raw: Option<&str>, reason: &str) {
    let it = Modelled::with_report(&[]).await;
    it.sim.models().set_writer(writer);
    let outcome = it.run(&[], 1);
    assert_eq!(outcome["status"], "failed", "{outcome:#}");
    assert!(outcome["error"].as_str().unwrap().contains(reason), "{outcome:#}");
    assert!(number(&outcome["model_calls"]) > 0 && outcome["cost_usd"].as_f64().unwrap() > 0.0, "it was paid for: {outcome:#}");
    let version = it.newest();
    assert_eq!(version["ending"], ending, "{version:#}");
    assert_eq!(version["raw"].as_str().map(|it| raw.is_some_and(|raw| it.contains(raw))), raw.map(|_| true), "{version:#}");
    assert!(!it.installation.outbox().exists(), "nothing is sent");
    let shown = it.said(&[], &["deliverables", "show", "Weekly"], 0).stdout;
    assert!(shown.contains(reason), "{shown}");
    if let Some(raw) = raw {
        assert!(shown.contains(&format!("what the model wrote ({ending}):")) && shown.contains(raw), "{shown}");
    }
    // The next run begins anew.
    it.sim.models().set_writer(SimWriter::Faithful);
    assert_eq!(number(&it.run(&[], 0)["version_number"]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told() {
    let refusal = Turn::refusal();
    ends(Scripted::new([refusal]), "refused", None, "anthropic/claude-sonnet-5-5 refused to write the report").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_cut_before_it_began_is_told() {
    let cut = Turn::text("").ending(End::Other("max_tokens".to_owned()));
    ends(Scripted::new([cut.clone(), cut]), "truncated", None, "reached its output limit before it wrote anything").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_full_is_told() {
    let full = Turn::text("Half of it").ending(End::Other("model_context_window_exceeded".to_owned()));
    ends(Scripted::new([full]), "context_overflow", Some("Half of it"), "could read or write no more").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_programs_is_no_report() {
    ends(SimWriter::Careless(Slip::Json), "unusable", Some("{"), "wrote no report, also when asked once more").await;
}

/// A provider that is down leaves the version to the next run, which pays once.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_names_its_setting_and_the_next_run_goes_on() {
    let it = Modelled::with_report(&[]).await;
    let run = ["run", "Weekly", "--as-of", AS_OF];
    let said = it.json_with(&[("ANTHROPIC_API_KEY", "sk-ant-wrong")], &run, 3);
    assert!(said["error"]["message"].as_str().unwrap().contains("ANTHROPIC_API_KEY"), "{said:#}");
    it.sim.faults().once("anthropic.messages", Fault::Disconnect);
    let done = it.run(&[], 0);
    assert_eq!((done["status"].as_str(), number(&done["version_number"])), (Some("delivered"), 1));
}
