//! Names of the environment variables, with their meaning and default.

/// `sqlite://PATH` or `postgres://…`; default `sqlite://yarnnn.db` in the working directory.
pub const DATABASE_URL: &str = "DATABASE_URL";
/// `off` keeps [`connect`](crate::connect) from migrating; default: it migrates.
pub const YARNNN_MIGRATE: &str = "YARNNN_MIGRATE";
/// `redis://…` or `rediss://…` of a Redis or Valkey that wakes workers and shows them; default: none, and workers look by themselves.
pub const REDIS_URL: &str = "REDIS_URL";
/// `true` goes on without the server of `REDIS_URL` when it cannot be reached at start; default `false`: that is an error.
pub const REDIS_OPTIONAL: &str = "REDIS_OPTIONAL";
/// Folder of delivered reports (`.eml`, `.html`, `.md`); default `./outbox`.
pub const YARNNN_OUTBOX_DIR: &str = "YARNNN_OUTBOX_DIR";
/// Who writes reports: `provider/model` (`anthropic/…`, `openai/…`), `extractive` (copies, no key) or `recorded/PATH` (replays a file
/// of stored exchanges). Default: Anthropic if its key is set, else OpenAI, else extractive.
pub const YARNNN_MODEL_WRITER: &str = "YARNNN_MODEL_WRITER";
/// The model that is asked while the writer is down; default: none.
pub const YARNNN_MODEL_FALLBACK: &str = "YARNNN_MODEL_FALLBACK";
/// The model for what is asked in between: it looks things up on the web for reports that ask for research (`research_brief`,
/// `custom`), and chooses what signals act upon. `extractive`: neither is done. Default: a small model of Anthropic if its key is
/// set, else of OpenAI, else the writer.
pub const YARNNN_MODEL_FAST: &str = "YARNNN_MODEL_FAST";
/// A file that adds models, or changes what is known of them: prices, limits, successors. Default: none.
pub const YARNNN_MODELS_FILE: &str = "YARNNN_MODELS_FILE";
/// US dollars that one run of a report may cost, at most; default: no cap. Every call is reserved with what it may cost at most
/// before it is made.
pub const YARNNN_CAP_RUN_USD: &str = "YARNNN_CAP_RUN_USD";
/// US dollars that all model calls of one user may cost in one UTC day, at most; default: no cap.
pub const YARNNN_CAP_USER_DAY_USD: &str = "YARNNN_CAP_USER_DAY_USD";
/// US dollars that all model calls of this installation may cost in one UTC day, at most; default: no cap.
pub const YARNNN_CAP_INSTALLATION_DAY_USD: &str = "YARNNN_CAP_INSTALLATION_DAY_USD";
/// Key of Anthropic's API.
pub const ANTHROPIC_API_KEY: &str = "ANTHROPIC_API_KEY";
/// Key of OpenAI's API, or of a server that speaks like it.
pub const OPENAI_API_KEY: &str = "OPENAI_API_KEY";
/// Anthropic (`/v1/messages` follows); default `https://api.anthropic.com`.
pub const ANTHROPIC_BASE_URL: &str = "ANTHROPIC_BASE_URL";
/// OpenAI, or a server that speaks like it (`/chat/completions` or `/responses` follows); default `https://api.openai.com/v1`.
pub const OPENAI_BASE_URL: &str = "OPENAI_BASE_URL";
/// API key of Resend, which sends mails; with `RESEND_FROM_EMAIL` or not at all.
pub const RESEND_API_KEY: &str = "RESEND_API_KEY";
/// Who mails are from: `reports@example.com` or `Name <reports@example.com>`, of a domain that the Resend account has verified.
pub const RESEND_FROM_EMAIL: &str = "RESEND_FROM_EMAIL";
/// Resend (`/emails` follows); default `https://api.resend.com`.
pub const RESEND_BASE_URL: &str = "RESEND_BASE_URL";
/// API key for Google's Custom Search, with `GOOGLE_CSE_ID` or not at all. Custom Search ends on 2027-01-01.
pub const GOOGLE_API_KEY: &str = "GOOGLE_API_KEY";
/// Id of the search engine at Google's Custom Search.
pub const GOOGLE_CSE_ID: &str = "GOOGLE_CSE_ID";
/// Google's Custom Search (`/customsearch/v1` follows); default `https://customsearch.googleapis.com`.
pub const SEARCH_BASE_URL: &str = "SEARCH_BASE_URL";
/// The installation's kind; mails are left as files only while it is unset or `local`.
pub const APP_ENV: &str = "APP_ENV";
/// How the Slack app is distributed, which decides how fast Slack lets it read: `internal` (the default; also for Marketplace apps)
/// or `restricted` (commercially distributed outside of the Marketplace: one call a minute, and 15 messages).
pub const YARNNN_SLACK_APP: &str = "YARNNN_SLACK_APP";
/// Level or filter of the log on standard error; default `warn`.
pub const LOG_LEVEL: &str = "LOG_LEVEL";
/// `json` for one JSON object a line.
pub const LOG_FORMAT: &str = "LOG_FORMAT";
/// Set to anything: no colours.
pub const NO_COLOR: &str = "NO_COLOR";
/// Name of the worker's service; replicas may share it. Default `yarnnn-worker`.
pub const WORKER_ID: &str = "WORKER_ID";
/// Jobs that a worker runs at once, 1 to 10000; default 50.
pub const WORKER_CONCURRENCY: &str = "WORKER_CONCURRENCY";
/// Lanes that a worker takes jobs from, with commas between them; default: all.
pub const WORKER_LANES: &str = "WORKER_LANES";
/// Port of the worker's health page (`GET /health`); default: no page.
pub const HEALTH_CHECK_PORT: &str = "HEALTH_CHECK_PORT";
/// Address that servers listen on; default `0.0.0.0`.
pub const HOST: &str = "HOST";
/// Slack's methods (`/conversations.history` follows); default `https://slack.com/api`. As all addresses of providers: `https`, or
/// `http` on this machine.
pub const SLACK_BASE_URL: &str = "SLACK_BASE_URL";
/// Gmail (`/gmail/v1/…` follows); default `https://gmail.googleapis.com`.
pub const GMAIL_BASE_URL: &str = "GMAIL_BASE_URL";
/// Google Calendar (`/calendar/v3/…` follows); default `https://www.googleapis.com`.
pub const CALENDAR_BASE_URL: &str = "CALENDAR_BASE_URL";
/// Where Google hands out tokens (`/token` follows); default `https://oauth2.googleapis.com`.
pub const GOOGLE_OAUTH_BASE_URL: &str = "GOOGLE_OAUTH_BASE_URL";
/// Notion, OAuth too (`/v1/…` follows); default `https://api.notion.com`.
pub const NOTION_BASE_URL: &str = "NOTION_BASE_URL";
/// Id of this installation's app at Slack; needed to sign in there, and to renew tokens that rotate.
pub const SLACK_CLIENT_ID: &str = "SLACK_CLIENT_ID";
/// Secret of this installation's app at Slack.
pub const SLACK_CLIENT_SECRET: &str = "SLACK_CLIENT_SECRET";
/// Id of this installation's client at Google; needed for everything that reads Gmail or Calendar.
pub const GOOGLE_CLIENT_ID: &str = "GOOGLE_CLIENT_ID";
/// Secret of this installation's client at Google.
pub const GOOGLE_CLIENT_SECRET: &str = "GOOGLE_CLIENT_SECRET";
/// Id of this installation's public integration at Notion; needed to sign in there, and to renew tokens that rotate.
pub const NOTION_CLIENT_ID: &str = "NOTION_CLIENT_ID";
/// Secret of this installation's public integration at Notion.
pub const NOTION_CLIENT_SECRET: &str = "NOTION_CLIENT_SECRET";
/// Seals stored credentials: 32 bytes as URL-safe base64, as `yarnnn doctor --new-key` prints them. Several with commas between
/// them: the first seals, all open. Without it nothing can be connected or synced.
pub const INTEGRATION_ENCRYPTION_KEY: &str = "INTEGRATION_ENCRYPTION_KEY";
/// Address of this installation's API as browsers see it; people come back from signing in to
/// `{API_BASE_URL}/api/integrations/{provider}/callback`. Needed to sign in.
pub const API_BASE_URL: &str = "API_BASE_URL";
/// Address of the web pages that people are sent to after signing in.
pub const FRONTEND_URL: &str = "FRONTEND_URL";
