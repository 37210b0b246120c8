//! Programs that die while a service has their message: a person says what nobody can find out, and of a report in parts every part
//! arrives once and in its place.

use std::process::Command;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::Value;
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn_sim::models::{Prompt, Turn, Writer};
use yarnnn_sim::{Fault, Sim};

use super::stops::Program;
use super::support::live::{GOOGLE_SCOPES, Live, SLACK_SCOPES, mail};
use super::support::{Backend, Said};

const READER: &str = "reader@example.org";
const MAILED: (&str, [&str; 2]) = ("resend.emails.send", ["--email", READER]);
const POSTED: (&str, [&str; 2]) = ("slack.chat.postMessage", ["--slack", "#general"]);
/// Mails of which the long report tells.
const MAILS: usize = 200;

/// An installation with a report called `Weekly` that goes to one recipient, and the call that sends it.
struct Desk {
    live: Live,
    call: &'static str,
}

impl Desk {
    async fn new(backend: Backend, (call, to): (&'static str, [&str; 2]), more: &[&str]) -> Self {
        let live = Live::new(backend).await;
        let scopes = [&SLACK_SCOPES[..], &["chat:write"], more].concat();
        live.connect("slack", &live.sim.tokens().slack(&scopes), 0);
        live.sync(0);
        let create = ["deliverables", "create", "--type", "status_report", "--title", "Weekly"];
        live.json(&[&create[..], &to].concat(), 0);
        Self { live, call }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.live.command(arguments);
        command.envs(self.live.further());
        command
    }

    fn said(&self, arguments: &[&str], code: i32) -> Said {
        Said::from(self.command(arguments).output().unwrap()).expect(code)
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.said(&[&["--json"], arguments].concat(), code).json()
    }

    /// How often sending was asked for.
    fn sent(&self) -> usize {
        self.live.sim.journal().calls(self.call).len()
    }

    /// What the recipient has: the keys that messages in Slack carry, or the subjects of mails.
    fn arrived(&self) -> Vec<String> {
        let sim = &self.live.sim;
        if self.call == MAILED.0 {
            return sim.mail().inbox_of(READER).iter().map(|it| it.body["subject"].to_string()).collect();
        }
        let key = |it: &Value| it["event_payload"]["key"].as_str().unwrap().to_owned();
        sim.slack().posted(&self.live.team.general).iter().map(|it| key(it.metadata.as_ref().unwrap())).collect()
    }

    /// A run that is killed while the request of this number lies with the service, which carries it out or does not.
    async fn dies(&self, number: usize, fault: &Fault) {
        let sim = &self.live.sim;
        let arrives = self.arrived().len() + number - usize::from(*fault == Fault::Hang);
        let asked = self.sent() + number;
        sim.faults().after(self.call, number - 1, 1, fault.clone());
        let mut program = Program::run(self.command(&["run", "Weekly"]));
        while self.sent() < asked || self.arrived().len() < arrives {
            if !program.is_running() {
                let said = program.ended();
                panic!("it ended by itself: {} {}", said.stdout, said.stderr);
            }
            tokio::task::yield_now().await;
        }
        program.kill();
        assert_eq!((self.sent(), self.arrived().len(), sim.faults().pending()), (asked, arrives, 0));
    }

    /// That was so long ago.
    async fn ago(&self, span: TimeDelta) {
        let then = (SystemClock.now() - span).to_rfc3339_opts(SecondsFormat::Micros, true);
        let statement = format!("update outbox set first_attempt_at = '{then}' where state = 'sending'");
        assert_eq!(self.live.installation.change(&statement).await, 1, "one message is in doubt");
    }
}

async fn held(backend: Backend, to: (&'static str, [&str; 2]), fault: Fault, word: &str) {
    let desk = Desk::new(backend, to, &[]).await;
    let what = format!("{}, {fault:?}", to.0);
    desk.dies(1, &fault).await;
    // Resend no longer remembers its key, and this app may not see those in Slack.
    desk.ago(TimeDelta::days(3)).await;
    let (sent, arrived) = (desk.sent(), desk.arrived().len());
    let failed = desk.json(&["run", "Weekly"], 1);
    let (version, delivery) = (failed["version_id"].as_str().unwrap(), &failed["deliveries"][0]);
    assert_eq!((failed["status"].as_str(), delivery["state"].as_str()), (Some("failed"), Some("held")), "{what}: {failed:#}");
    let id = delivery["message_id"].as_str().unwrap();
    let listed = desk.json(&["outbox", "list", version], 0);
    assert_eq!(listed["messages"].as_array().unwrap().len(), 1, "{what}");
    assert_eq!(
        (&listed["messages"][0]["message_id"], &listed["messages"][0]["state"]),
        (&delivery["message_id"], &delivery["state"])
    );
    let shown = desk.said(&["outbox", "list", version], 0).stdout;
    assert!(shown.contains(id) && shown.contains("held"), "{what}: {shown}");
    assert_eq!(desk.json(&["run", "Weekly"], 1)["version_id"], failed["version_id"], "{what}");
    assert_eq!(
        (desk.sent(), desk.arrived().len()),
        (sent, arrived),
        "{what}: nothing is sent before a person has said something"
    );

    let again = usize::from(word == "send-again");
    assert_eq!(desk.json(&["outbox", word, id], 0)["state"], ["sent", "pending"][again], "{what}");
    assert_eq!(desk.sent(), sent, "{what}: saying so sends nothing");
    let done = desk.json(&["run", "Weekly"], 0);
    assert_eq!((&done["version_id"], done["status"].as_str()), (&failed["version_id"], Some("delivered")), "{what}: {done:#}");
    assert_eq!((desk.sent(), desk.arrived().len()), (sent + again, 1), "{what}: one message");
    assert_eq!(desk.json(&["run", "Weekly"], 0)["status"], "no_news", "{what}");
    desk.json(&["outbox", word, id], 2);
    assert_eq!((desk.sent(), desk.arrived().len()), (sent + again, 1), "{what}");
    desk.live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_held_and_arrived_is_not_sent_again() {
    held(Backend::Sqlite, MAILED, Fault::AnswerWithheld, "arrived").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_held_and_did_not_arrive_is_sent_when_a_person_says_so() {
    held(Backend::Postgres, MAILED, Fault::Hang, "send-again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_slack_that_is_held_and_arrived_is_not_posted_again() {
    held(Backend::Postgres, POSTED, Fault::AnswerWithheld, "arrived").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_slack_that_is_held_and_did_not_arrive_is_posted_when_a_person_says_so() {
    held(Backend::Sqlite, POSTED, Fault::Hang, "send-again").await;
}

/// Tells of every mail.
#[derive(Debug)]
struct Long;

fn told(number: usize) -> String {
    // No six words in a row are those of another mail.
    format!("Crate {number:03} goes on board ship {number:03} at noon.")
}

impl Writer for Long {
    fn write(&self, _: &Prompt) -> Turn {
        let lines = (0..MAILS).map(|it| format!("- {}\n", told(it)));
        Turn::text(format!("## News\n\n{}", lines.collect::<String>()))
    }
}

/// So many mails with names and subjects so long that the list of sources alone fills messages in Slack.
fn many_mails(sim: &Sim) {
    for number in 0..MAILS {
        let subject = format!("{number:03} {}", "&".repeat(190));
        let mail = String::from_utf8(mail(&subject, &told(number))).unwrap();
        let mail =
            mail.replace("Clara ", &format!("\"{}\" ", "&".repeat(120))).replace(&format!("<{subject}@"), &format!("<{number}@"));
        sim.gmail().deliver(mail.as_bytes(), &["INBOX"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_report_is_posted_in_parts_that_arrive_once_and_in_order_whenever_the_program_dies() {
    let desk = Desk::new(Backend::Sqlite, POSTED, &["metadata.message:read"]).await;
    many_mails(&desk.live.sim);
    desk.live.sim.models().set_writer(Long);
    desk.live.connect("google", &desk.live.sim.tokens().google_refresh(&GOOGLE_SCOPES), 0);
    desk.live.sync(0);

    desk.dies(2, &Fault::AnswerWithheld).await;
    desk.ago(TimeDelta::hours(1)).await;
    desk.dies(1, &Fault::Hang).await;
    desk.ago(TimeDelta::hours(1)).await;
    let calls = desk.live.sim.models().calls().len();
    let done = desk.json(&["run", "Weekly"], 0);
    assert_eq!(done["status"], "delivered", "{done:#}");
    assert_eq!(desk.live.sim.models().calls().len(), calls, "nothing is written again");

    let listed = desk.json(&["outbox", "list", done["version_id"].as_str().unwrap()], 0);
    let messages = listed["messages"].as_array().unwrap();
    let keys: Vec<_> = messages.iter().map(|it| it["key"].as_str().unwrap().to_owned()).collect();
    assert!(keys.len() > 2 && messages.iter().all(|it| it["state"] == "sent"), "{listed:#}");
    assert_eq!(desk.arrived(), keys, "every part once, and in its place");
    assert_eq!(desk.sent(), keys.len() + 1, "only what did not arrive was asked for again");
    let posted = desk.live.sim.slack().posted(&desk.live.team.general);
    let text = posted.iter().map(|it| it.blocks.as_ref().unwrap().to_string()).collect::<String>();
    let places: Vec<_> = (0..MAILS).map(|it| text.find(&told(it)).unwrap()).collect();
    assert!(places.is_sorted() && (0..MAILS).all(|it| text.matches(&told(it)).count() == 1), "the whole report, in order");
    let times: Vec<_> = messages.iter().map(|it| it["external_id"].as_str().unwrap()).collect();
    assert_eq!(times, posted.iter().map(|it| it.ts.as_str()).collect::<Vec<_>>());
    assert_eq!(desk.json(&["run", "Weekly"], 0)["status"], "no_news");
    desk.live.close().await;
}
