//! Research: reports that are written from pages of the web. What searches it never sees what was synced, what writes never reaches
//! it, and only pages are read that a search has found.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use yarnnn::accounts::User;
use yarnnn::agent::{ModelWebSearch, ResearchMeans};
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Plan, RunOutcome, RunRequest, RunStatus};
use yarnnn::evidence::SentenceState;
use yarnnn::llm::CallQuery;
use yarnnn::platform::{Author, Item, Platform, Resource, ResourceId, ResourceKind};
use yarnnn::platforms::web::PublicPages;
use yarnnn::sync::SyncOptions;
use yarnnn::testing::{FixedClock, ScriptedPlatform};
use yarnnn::{Config, Error, Yarnnn};
use yarnnn_sim::models::{End, ModelCall, Part, Prompt, SimWriter, Turn, Writer, Written};
use yarnnn_sim::{Fault, Provider, Running, Sim};

use crate::office::{NOW, message};
use crate::place::{Backend, Place, configured};

const FAST: &str = "anthropic/claude-haiku-5-5";
/// What was synced, and a word of it that stands nowhere else.
const SYNCED: [&str; 2] = [
    "The Zanzibarine crew swaps the winch of the small harbor on Thursday at seven.",
    "Zanzibarine wants the berths of the harbor painted before the launch in April.",
];
const SECRET: &str = "zanzibarine";
/// A page that a search finds, by its title, and what the search says of it.
const TITLE: &str = "How small harbors plan their berths";
const SNIPPET: &str = "Small harbors that publish their berth plan two weeks ahead lose fewer bookings.";

/// An installation beside the simulator.
struct Desk {
    sim: Sim,
    running: Running,
    place: Place,
    yarnnn: Yarnnn,
    user: User,
}

impl Desk {
    /// The product as programs have it, with these settings besides.
    async fn as_programs_have_it(more: &[(&str, &str)]) -> Self {
        Self::open(more, false).await
    }

    /// The same, but that pages of the simulator are read, which is on this machine.
    async fn reading_pages() -> Self {
        Self::open(&[], true).await
    }

    async fn open(more: &[(&str, &str)], reads_pages: bool) -> Self {
        let clock = Arc::new(FixedClock::parse(NOW));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let place = Place::new(Backend::Sqlite).await;
        let config = config(&sim, &running, &place, more);
        let mut builder = yarnnn::builder(&config).await.unwrap().clock(clock.clone());
        if reads_pages {
            let base = yarnnn::builder(&config).await.unwrap().build();
            let search = ModelWebSearch::new(yarnnn::open_model(&config, &base, FAST).unwrap());
            let pages = PublicPages::reaching_for_tests(&[running.address], clock).unwrap();
            builder = builder.research(ResearchMeans { search: Arc::new(search), pages: Some(Arc::new(pages)) });
        }
        let yarnnn = builder.build();
        let user = yarnnn.local_user().await.unwrap();
        Self { sim, running, place, yarnnn, user }
    }

    async fn with_messages(self) -> Self {
        let channel = Resource::new(ResourceId::new(Platform::Slack, "C1").unwrap(), "#harbor", ResourceKind::Channel);
        let author = Some(Author { name: "Ana Zanzibarine".into(), id: None });
        let said = |(id, text)| Item { author: author.clone(), ..message(id, text) };
        let items = ["0", "1"].into_iter().zip(SYNCED).map(said).collect();
        let client = ScriptedPlatform::new(Platform::Slack).with(channel, items);
        let options = SyncOptions::import(self.user.id, NOW.parse().unwrap());
        self.yarnnn.sync().run(&client, &options).await.unwrap();
        self
    }

    async fn create(&self, kind: &str) -> Deliverable {
        let create = CreateDeliverable {
            description: Some("How small harbors plan their berths".to_owned()),
            ..CreateDeliverable::new(kind, "Berths of harbors")
        };
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    async fn run(&self, deliverable: &Deliverable) -> Result<RunOutcome, Error> {
        let request = RunRequest::of(self.user.id, deliverable.id);
        self.yarnnn.deliverables().run(&self.yarnnn.stage_cx(), &request).await
    }

    async fn plan(&self, deliverable: &Deliverable) -> Plan {
        let request = RunRequest::of(self.user.id, deliverable.id);
        self.yarnnn.deliverables().plan(&self.yarnnn.stage_cx(), &request).await.unwrap()
    }

    /// The pages that were fetched, with what stood behind them.
    fn fetched(&self) -> Vec<String> {
        let pages = self.sim.journal().calls("web.page");
        pages.into_iter().map(|it| it.path + &it.query).collect()
    }

    /// The calls of models: those that look things up, their searches among them, and those that write.
    fn calls(&self) -> (Vec<ModelCall>, Vec<ModelCall>) {
        let reaches_out = |it: &ModelCall| it.prompt.system.starts_with("You look for pages") || it.prompt.searches > 0;
        self.sim.models().calls().into_iter().partition(reaches_out)
    }
}

/// The settings of the place, and others besides or instead.
fn config(sim: &Sim, running: &Running, place: &Place, more: &[(&str, &str)]) -> Config {
    let value = |it: &str| match it {
        "a key of OpenAI" => sim.tokens().key(Provider::OpenAi),
        "a key of Google" => sim.tokens().key(Provider::CustomSearch),
        other => other.to_owned(),
    };
    let more = more.iter().map(|(name, it)| (*name, value(it)));
    configured(&more.chain(place.settings(sim, running)).collect::<Vec<_>>())
}

/// Reads the first page that it found, and tries to read others; else does what it is asked.
#[derive(Debug)]
struct Curious {
    elsewhere: String,
}

impl Writer for Curious {
    fn write(&self, prompt: &Prompt) -> Turn {
        let has_asked = |wanted: &str| {
            let parts = prompt.turns.iter().flat_map(|it| &it.parts);
            parts.clone().any(|it| matches!(it, Part::Call { name, .. } if name == wanted))
        };
        let reads = prompt.tools.iter().any(|it| it.name == "ReadPage");
        if !reads || !has_asked("WebSearch") || has_asked("ReadPage") {
            return SimWriter::Faithful.write(prompt);
        }
        let read = |reference: &str| Written::Call { name: "ReadPage".into(), input: json!({ "ref": reference }) };
        let long = Written::Call { name: "ReadPage".into(), input: json!({ "ref": "w1", "url": self.elsewhere }) };
        Turn { parts: vec![read("w1"), read(&self.elsewhere), read("w99"), read("w0"), long], end: End::Complete }
    }
}

fn delivered(outcome: &RunOutcome, ending: &str) -> String {
    let files = outcome.messages.iter().flat_map(|it| &it.files);
    files.into_iter().find(|it| it.name.ends_with(ending)).expect("the file is there").content.clone()
}

/// Addresses are broken by signs that nobody sees, so that no program makes a link of them.
fn joined(text: impl AsRef<str>) -> String {
    text.as_ref().replace(['\u{200b}', '\u{2060}'], "")
}

#[tokio::test]
async fn a_research_brief_cites_the_pages_that_it_found_and_its_quotes_stand() {
    let desk = Desk::reading_pages().await.with_messages().await;
    let elsewhere = format!("{}/security/prompt-injection", desk.running.web_url());
    desk.sim.models().set_writer(Curious { elsewhere });
    let brief = desk.create("research_brief").await;
    assert!(desk.plan(&brief).await.researches);
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);

    let version = outcome.version.as_ref().unwrap().id;
    let checked = desk.yarnnn.deliverables().verify(desk.user.id, version).await.unwrap();
    let cited: Vec<_> = checked.sentences.iter().filter(|it| !it.evidence.is_empty()).collect();
    assert!(cited.iter().all(|it| it.state == SentenceState::Verified), "{cited:?}");
    assert!(cited.iter().any(|it| it.text == TITLE), "what only the whole page says: {cited:?}");
    assert!(cited.iter().any(|it| SYNCED.contains(&it.text.as_str())), "and what is stored is still a source: {cited:?}");

    let address = format!("{}/harbor/berths", desk.running.web_url());
    let text = joined(delivered(&outcome, ".md"));
    assert!(text.contains(TITLE) && text.contains(&address), "{text}");
    let page = joined(delivered(&outcome, ".html"));
    assert!(page.contains(TITLE) && page.contains(&address.replace('/', "&#x2f;")), "{page}");
    assert!(!page.contains("href=\"http") && !text.contains(&format!("]({address}")), "an address of the web is no link");

    // Fetched was what was found, once, and nothing else that the model named.
    assert_eq!(desk.fetched(), ["/web/harbor/berths"]);
    let ledger = desk.yarnnn.ledger().calls(&CallQuery { version: Some(version), ..CallQuery::default() }).await.unwrap();
    assert_eq!(ledger.iter().filter(|it| it.purpose == "agent.web_search").map(|it| it.usage.searches).sum::<u32>(), 1);
    assert!(ledger.iter().all(|it| (it.model == FAST) == (it.purpose != "deliverables.write")), "{ledger:?}");
}

#[tokio::test]
async fn what_searches_sees_nothing_synced_and_what_writes_has_no_web() {
    let desk = Desk::reading_pages().await.with_messages().await;
    let elsewhere = desk.running.web_url();
    desk.sim.models().set_writer(Curious { elsewhere });
    for kind in ["research_brief", "custom"] {
        let outcome = desk.run(&desk.create(kind).await).await.unwrap();
        assert_eq!(outcome.status, RunStatus::Delivered, "{kind}: {:?}", outcome.error);
    }
    let (outward, writing) = desk.calls();
    assert!(outward.len() >= 6 && writing.len() >= 2, "{} {}", outward.len(), writing.len());
    for call in &outward {
        let context = call.prompt.context().to_lowercase();
        assert!(!context.contains(SECRET) && !context.contains("winch"), "{context}");
        let tools: BTreeSet<&str> = call.prompt.tools.iter().map(|it| it.name.as_str()).collect();
        assert!(tools.is_subset(&BTreeSet::from(["WebSearch", "ReadPage"])), "{tools:?}");
        assert_eq!(call.prompt.model, "claude-haiku-5-5");
    }
    let searched = |it: &&ModelCall| it.turn.parts.iter().any(|it| matches!(it, Written::Search(_)));
    assert_eq!(outward.iter().filter(searched).count(), 2, "one search of each");
    for call in &writing {
        assert!(call.prompt.context().to_lowercase().contains(SECRET), "the writer reads what is stored");
        let tools: BTreeSet<&str> = call.prompt.tools.iter().map(|it| it.name.as_str()).collect();
        assert!(tools.is_subset(&BTreeSet::from(["Search", "Read", "List", "GetSystemState"])), "{tools:?}");
        assert_eq!((call.prompt.searches, call.usage.searches), (0, 0));
    }
}

/// What searches sees nothing that was synced, and what a model made of that is no title to search for.
#[tokio::test]
async fn a_title_that_a_model_made_is_looked_up_nowhere() {
    for (origin, looks) in [("user_configured", true), ("signal_emergent", false), ("analyst_suggested", false)] {
        let desk = Desk::reading_pages().await.with_messages().await;
        desk.sim.models().set_writer(Curious { elsewhere: desk.running.web_url() });
        let brief = desk.create("research_brief").await;
        desk.place
            .sql(match origin {
                "signal_emergent" => "update deliverables set origin = 'signal_emergent'",
                "analyst_suggested" => "update deliverables set origin = 'analyst_suggested'",
                _ => "update deliverables set origin = 'user_configured'",
            })
            .await;
        assert_eq!(desk.plan(&brief).await.researches, looks, "{origin}");
        let outcome = desk.run(&brief).await.unwrap();
        assert_eq!(outcome.status, RunStatus::Delivered, "{origin}: {:?}", outcome.error);
        let (outward, writing) = desk.calls();
        assert_eq!((outward.is_empty(), desk.fetched().is_empty()), (!looks, !looks), "{origin}");
        assert!(!writing.is_empty() && outcome.version.unwrap().state.research.is_some() == looks, "{origin}");
    }
}

#[tokio::test]
async fn programs_read_no_page_of_this_machine_and_cite_what_the_search_said() {
    let desk = Desk::as_programs_have_it(&[]).await.with_messages().await;
    desk.sim.models().set_writer(Curious { elsewhere: desk.running.web_url() });
    let outcome = desk.run(&desk.create("research_brief").await).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    assert!(desk.fetched().is_empty(), "{:?}", desk.fetched());
    let text = joined(delivered(&outcome, ".md"));
    assert!(text.contains(SNIPPET) && text.contains(&format!("{}/harbor/berths", desk.running.web_url())), "{text}");
    let version = outcome.version.unwrap().id;
    let checked = desk.yarnnn.deliverables().verify(desk.user.id, version).await.unwrap();
    let snippet = checked.sentences.iter().find(|it| it.text == SNIPPET).unwrap();
    assert_eq!((snippet.state, snippet.evidence.len()), (SentenceState::Verified, 1));
}

#[tokio::test]
async fn a_brief_is_written_from_the_web_alone_and_once() {
    let desk = Desk::as_programs_have_it(&[]).await;
    let brief = desk.create("research_brief").await;
    let plan = desk.plan(&brief).await;
    assert!(plan.has_news && plan.researches && plan.items == 0);
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    assert!(delivered(&outcome, ".md").contains(SNIPPET));
    let asked = desk.sim.models().calls().len();
    assert!(!desk.plan(&brief).await.has_news);
    assert_eq!(desk.run(&brief).await.unwrap().status, RunStatus::NoNews);
    assert_eq!(desk.sim.models().calls().len(), asked, "a second run asks nobody");
    // Other reports need something that is stored.
    for kind in ["status_report", "custom"] {
        let error = desk.run(&desk.create(kind).await).await.unwrap_err();
        assert!(error.to_string().contains("nothing to read"), "{error}");
    }
    assert_eq!(desk.sim.models().calls().len(), asked);
}

#[tokio::test]
async fn a_brief_for_which_nothing_is_found_says_so_and_pays_no_writer() {
    let desk = Desk::as_programs_have_it(&[]).await;
    let create = CreateDeliverable::new("research_brief", "Zzyzx qwertzuiop");
    let brief = desk.yarnnn.deliverables().create(&desk.user, create).await.unwrap();
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Failed);
    assert!(outcome.error.as_deref().unwrap().contains("nothing was found on the web"), "{:?}", outcome.error);
    assert!(outcome.usage().calls > 0, "what was looked up is counted");
    assert!(outcome.messages.is_empty() && desk.sim.models().calls().iter().all(|it| it.prompt.model == "claude-haiku-5-5"));
}

#[tokio::test]
async fn google_searches_where_no_model_does_and_nobody_where_it_is_not_set_up() {
    let models = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(models.path(), "[[model]]\nid = \"gpt-6-luna\"\nprovider = \"openai\"\napi = \"chat\"\nprice = {}\n").unwrap();
    let at_home = [
        ("ANTHROPIC_API_KEY", ""),
        ("OPENAI_API_KEY", "a key of OpenAI"),
        ("YARNNN_MODELS_FILE", models.path().to_str().unwrap()),
        ("YARNNN_MODEL_WRITER", "openai/gpt-6-luna"),
    ];
    let google = [("GOOGLE_API_KEY", "a key of Google"), ("GOOGLE_CSE_ID", "harbors")];
    let desk = Desk::as_programs_have_it(&[at_home.as_slice(), &google].concat()).await.with_messages().await;
    let brief = desk.create("research_brief").await;
    assert!(desk.plan(&brief).await.researches);
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    assert!(delivered(&outcome, ".md").contains(SNIPPET));
    let searches = desk.sim.journal().calls("customsearch.cse.list");
    let words = searches[0].parameter("q").unwrap().to_lowercase();
    assert!(searches.len() == 1 && words.contains("berths") && !words.contains(SECRET), "{words}");

    let desk = Desk::as_programs_have_it(&at_home).await.with_messages().await;
    let brief = desk.create("research_brief").await;
    assert!(!desk.plan(&brief).await.researches);
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    assert!(!delivered(&outcome, ".md").contains("/web/") && desk.place.outbox().is_dir());
}

#[tokio::test]
async fn the_writer_that_copies_looks_nothing_up() {
    for more in [[("YARNNN_MODEL_WRITER", "extractive")], [("YARNNN_MODEL_FAST", "extractive")]] {
        let desk = Desk::as_programs_have_it(&more).await.with_messages().await;
        let brief = desk.create("research_brief").await;
        assert!(!desk.plan(&brief).await.researches);
        assert_eq!(desk.run(&brief).await.unwrap().status, RunStatus::Delivered);
        assert!(desk.sim.models().calls().iter().all(|it| it.prompt.model != "claude-haiku-5-5" && it.usage.searches == 0));
    }
}

/// A run that ended between what it looked up and its draft does not look up again, also when nothing was found.
#[tokio::test]
async fn a_run_that_goes_on_looks_nothing_up_again() {
    let models = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(models.path(), "[[model]]\nid = \"gpt-6-luna\"\nprovider = \"openai\"\napi = \"chat\"\nprice = {}\n").unwrap();
    let settings = [
        ("ANTHROPIC_API_KEY", ""),
        ("OPENAI_API_KEY", "a key of OpenAI"),
        ("YARNNN_MODELS_FILE", models.path().to_str().unwrap()),
        ("YARNNN_MODEL_WRITER", "openai/gpt-6-luna"),
        ("GOOGLE_API_KEY", "a key of Google"),
        ("GOOGLE_CSE_ID", "harbors"),
    ];
    let desk = Desk::as_programs_have_it(&settings).await.with_messages().await;
    let create = CreateDeliverable::new("research_brief", "Zzyzx qwertzuiop");
    let brief = desk.yarnnn.deliverables().create(&desk.user, create).await.unwrap();
    let searches = || desk.sim.journal().calls("customsearch.cse.list").len();

    // It asks for a search, is told that there is nothing, asks once more, and says so; the fourth call is the writer's.
    desk.sim.faults().after("openai.chat.completions", 3, usize::MAX, Fault::Overloaded(0));
    desk.run(&brief).await.unwrap_err();
    let (outward, _) = desk.calls();
    let looked_up = (searches(), outward.len());
    assert!(looked_up.0 > 0 && looked_up.1 == 3, "{looked_up:?}");
    desk.sim.faults().clear();
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!((outcome.status, outcome.resumed), (RunStatus::Delivered, true), "{:?}", outcome.error);
    let (again, writing) = desk.calls();
    assert_eq!((searches(), again.len()), looked_up, "nothing was looked up again");
    let state = &outcome.version.as_ref().unwrap().state;
    let research = state.research.unwrap();
    assert_eq!((research.pages, research.usage.calls), (0, 3));
    assert_eq!(outcome.usage().calls as usize, outward.len() + writing.len(), "all of it is counted");
}

/// Pages that were kept before the step was committed are not read again, and what they cost is counted.
#[tokio::test]
async fn pages_that_an_ended_try_had_read_are_taken_over() {
    let desk = Desk::reading_pages().await;
    desk.sim.models().set_writer(Curious { elsewhere: desk.running.web_url() });
    let brief = desk.create("research_brief").await;
    desk.place
        .sql(
            "create trigger dies before update on deliverable_versions when new.run_step = 'researched' \
         begin select raise(ignore); end",
        )
        .await;
    desk.run(&brief).await.unwrap_err();
    let (outward, _) = desk.calls();
    desk.place.sql("drop trigger dies").await;
    let outcome = desk.run(&brief).await.unwrap();
    assert_eq!((outcome.status, outcome.resumed), (RunStatus::Delivered, true), "{:?}", outcome.error);
    assert_eq!((desk.fetched(), desk.calls().0.len()), (vec!["/web/harbor/berths".to_owned()], outward.len()));
    let research = outcome.version.as_ref().unwrap().state.research.unwrap();
    assert_eq!((research.pages > 0, research.usage.calls as usize, research.usage.searches), (true, outward.len(), 1));
    assert!(delivered(&outcome, ".md").contains(TITLE));
}
