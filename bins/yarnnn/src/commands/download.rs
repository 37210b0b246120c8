//! `yarnnn deliverables download`: a delivered version once more.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use yarnnn::accounts::Email;
use yarnnn::delivery::DownloadFormat;

use super::verify::parse_version;
use crate::cli::Form;
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn execute(
    user: Option<Email>,
    version: &str,
    form: Option<Form>,
    out: Option<&Path>,
    output: &Output,
) -> anyhow::Result<()> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    let cx = session.yarnnn.stage_cx();
    let download = session.yarnnn.deliverables().download(&cx, session.user.id, id, form.map(format)).await?;
    if let Some(path) = out {
        write(path, &download.content)?;
    }
    if output.is_json() {
        let content = out.is_none().then_some(&download.content);
        output.json(&json!({ "version_id": id, "format": download.format, "file": out, "content": content }));
    } else if let Some(path) = out {
        output.line(&format!("version {id} is in {}", path.display()));
    } else {
        output.line(download.content.trim_end());
    }
    Ok(())
}

/// The form of a download.
pub(super) const fn format(form: Form) -> DownloadFormat {
    match form {
        Form::Markdown => DownloadFormat::Markdown,
        Form::Html => DownloadFormat::Html,
    }
}

/// Writes a new file; one that is there is somebody's.
fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(UsageError(format!("--out: {} is there already", path.display())).into());
        }
        opened => opened.with_context(|| format!("--out {}", path.display()))?,
    };
    file.write_all(content.as_bytes()).with_context(|| format!("--out {}", path.display()))
}
