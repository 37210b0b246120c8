//! `yarnnn connect`: an account by a token of the person's own, and away again.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use yarnnn::Config;
use yarnnn::accounts::Email;
use yarnnn::config::ConfigError;
use yarnnn::connections::{ConnectReport, PlatformReport, Provider};

use crate::cli::Connect;
use crate::exit::UsageError;
use crate::output::{Output, Tone};
use crate::session::{Session, parse_provider};

/// No token is as long as this.
const LONGEST_TOKEN: u64 = 64 * 1024;

pub(super) async fn execute(user: Option<Email>, arguments: Connect, output: &Output) -> anyhow::Result<ExitCode> {
    if let Some(provider) = &arguments.remove {
        return remove(user, parse_provider(provider)?, output).await;
    }
    let provider = parse_provider(arguments.provider.as_deref().unwrap_or_default())?;
    // Settings first: nobody is asked for a token that could not be kept.
    check(&Config::from_env()?, provider)?;
    let session = Session::open(user).await?;
    if !arguments.lost_key {
        yarnnn::check_seal_key(&session.config, &session.yarnnn).await?;
    }
    let token = token(provider, arguments.token_env.as_deref())?;
    let report = session.connections()?.connect(&session.user, provider, token).await?;
    if output.is_json() {
        output.json(&describe(provider, &report));
    } else {
        show(provider, &report, output);
    }
    Ok(ExitCode::SUCCESS)
}

/// What connecting needs besides a token.
fn check(config: &Config, provider: Provider) -> Result<(), ConfigError> {
    config.need_seal_key()?;
    config.need_app(provider)
}

/// From the variable, else from standard input, else from a prompt.
fn token(provider: Provider, variable: Option<&str>) -> anyhow::Result<SecretString> {
    let token = match variable {
        Some(name) => {
            yarnnn::config::token_variable(name).ok_or_else(|| UsageError(format!("--token-env: {name} is not set")))?
        }
        None if std::io::stdin().is_terminal() => {
            rpassword::prompt_password(format!("{} (not shown): ", asked_for(provider)))?.into()
        }
        None => {
            let mut text = String::new();
            std::io::stdin().lock().take(LONGEST_TOKEN).read_to_string(&mut text)?;
            SecretString::from(text)
        }
    };
    let text = token.expose_secret().trim();
    if text.is_empty() {
        return Err(UsageError(format!("the token is empty; {} is needed", asked_for(provider))).into());
    }
    if text.chars().any(|it| it.is_whitespace() || it.is_control()) {
        return Err(UsageError("the token has spaces or line breaks inside; copy it again".into()).into());
    }
    Ok(SecretString::from(text))
}

/// What a person has to get at the provider.
const fn asked_for(provider: Provider) -> &'static str {
    match provider {
        Provider::Slack => "the bot token of your Slack app (xoxb-…)",
        Provider::Notion => "the secret of your Notion integration (ntn_… or secret_…)",
        Provider::Google => "a refresh token of your Google account (1//…)",
    }
}

async fn remove(user: Option<Email>, provider: Provider, output: &Output) -> anyhow::Result<ExitCode> {
    let session = Session::open(user).await?;
    let purged = session.connections()?.disconnect(session.user.id, provider).await?;
    if output.is_json() {
        output.json(&json!({ "provider": provider, "removed": true, "purged": purged }));
    } else {
        output.line(&format!("{} is disconnected; {purged} stored rows went with it", provider.name()));
        output.line(&output.tone("what reports cite stays, marked as withdrawn", Tone::Faint));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(provider: Provider, report: &ConnectReport) -> Value {
    let connection = &report.connected.connection;
    let platform = |it: &PlatformReport| {
        let problem = it.problem.as_ref().map(ToString::to_string);
        json!({ "platform": it.platform, "resources": it.resources, "selected": it.selected, "problem": problem })
    };
    json!({
        "provider": provider,
        "account_id": connection.account_id(),
        "account_name": connection.account_name(),
        "platforms": report.platforms.iter().map(platform).collect::<Vec<_>>(),
        "missing_scopes": report.missing_scopes,
        "replaced": report.connected.replaced,
        "purged": report.connected.purged,
    })
}

fn show(provider: Provider, report: &ConnectReport, output: &Output) {
    let connection = &report.connected.connection;
    let id = connection.account_id().unwrap_or("–");
    let account = connection.account_name().filter(|it| *it != id).map_or_else(|| id.to_owned(), |it| format!("{it} ({id})"));
    let word = if report.connected.replaced { "connected again" } else { "connected" };
    output.line(&output.tone(&format!("{} is {word}: {account}", provider.name()), Tone::Good));
    for it in &report.platforms {
        match &it.problem {
            None => output.line(&format!("  {}: {} sources found, {} are synced", it.platform, it.resources, it.selected)),
            Some(problem) => output.line(&output.tone(&format!("  {}: {problem}", it.platform), Tone::Warning)),
        }
    }
    if !report.missing_scopes.is_empty() {
        let scopes = report.missing_scopes.join(", ");
        output.line(&output.tone(&format!("not granted: {scopes}; what needs them is not read"), Tone::Warning));
    }
    if report.connected.purged > 0 {
        output.line(&output.tone(&format!("{} rows of another account went away", report.connected.purged), Tone::Warning));
    }
    output.line(&output.tone("next: yarnnn sync; yarnnn sources shows and changes what is synced", Tone::Faint));
}
