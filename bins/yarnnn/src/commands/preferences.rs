//! `yarnnn preferences`: which mails one gets besides reports.

use std::process::ExitCode;

use serde_json::json;
use yarnnn::Error;
use yarnnn::accounts::{Email, MailPreferences};

use crate::cli::{Preferences, Switch};
use crate::output::Output;
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, arguments: &Preferences, output: &Output) -> anyhow::Result<ExitCode> {
    let session = Session::open(user).await?;
    let (preferences, id) = (session.yarnnn.preferences(), session.user.id);
    let known = preferences.mail_preferences(id).await.map_err(Error::from)?;
    let chosen = |switch: Option<Switch>, known: bool| switch.map_or(known, |it| it == Switch::On);
    let wanted = MailPreferences {
        deliverable_failed: chosen(arguments.email_failed, known.deliverable_failed),
        deliverable_ready: chosen(arguments.email_ready, known.deliverable_ready),
        ..known
    };
    if wanted != known {
        preferences.save_mail_preferences(id, wanted, session.yarnnn.clock().now()).await.map_err(Error::from)?;
    }
    if output.is_json() {
        output.json(&json!({
            "email_deliverable_failed": wanted.deliverable_failed,
            "email_deliverable_ready": wanted.deliverable_ready,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let word = |it: bool| if it { "on" } else { "off" };
    output.line(&format!("mails go to {}", session.user.email));
    output.line(&format!("email-failed  {:3}  a report could not be written or delivered", word(wanted.deliverable_failed)));
    output.line(&format!("email-ready   {:3}  a report has arrived where no mailbox shows it", word(wanted.deliverable_ready)));
    Ok(ExitCode::SUCCESS)
}
