//! Download: a report that was delivered, once more, as its reader had it.

use super::super::model::Destination;
use super::super::run::Deliverables;
use super::super::version::{Version, VersionStatus};
use crate::deliverables::report::render::{Render, RenderInput};
use crate::delivery::{ChannelKind, DownloadFormat};
use crate::error::Error;
use crate::id::{UserId, VersionId};
use crate::pipeline::StageCx;

/// A report to be kept by whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its form.
    pub format: DownloadFormat,
    /// Its content.
    pub content: String,
}

impl Deliverables {
    /// A delivered version in this form; without one, in the form that its deliverable names, or as Markdown.
    ///
    /// What was stored is answered byte for byte. A page that was not stored is made anew from the version, and only if the rest
    /// of the report comes out as it was.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a version that was not delivered; `Failed` for a page that cannot be made any more; those of the
    /// store.
    pub async fn download(
        &self,
        cx: &StageCx,
        user: UserId,
        version: VersionId,
        format: Option<DownloadFormat>,
    ) -> Result<Download, Error> {
        let version = self.parts.versions.version(user, version).await?;
        let content = version.final_content.clone().filter(|_| version.status == VersionStatus::Delivered);
        let Some(markdown) = content else {
            let status = version.status.as_str();
            return Err(Error::Invalid(format!(
                "version {} was not delivered (it is {status}): there is nothing to download",
                version.id
            )));
        };
        let format = match format {
            Some(format) => format,
            None => self.named_format(&version).await?,
        };
        let content = match format {
            DownloadFormat::Markdown => markdown,
            DownloadFormat::Html => match self.stored_page(&version).await? {
                Some(page) => page,
                None => self.page(cx, version, &markdown).await?,
            },
        };
        Ok(Download { format, content })
    }

    async fn named_format(&self, version: &Version) -> Result<DownloadFormat, Error> {
        let deliverable = self.parts.deliverables.get(version.user, version.deliverable).await?;
        let named = deliverable.destinations.iter().find_map(|it| match it {
            Destination::Download { format } => Some(*format),
            _ => None,
        });
        Ok(named.unwrap_or_default())
    }

    /// The page as it lies in a message that has it as a file.
    async fn stored_page(&self, version: &Version) -> Result<Option<String>, Error> {
        let messages = self.parts.outbox.messages(version.user, version.id).await?;
        let kept = messages.into_iter().filter(|it| matches!(it.channel, ChannelKind::Download | ChannelKind::Folder));
        let page = kept.flat_map(|it| it.files).find(|it| it.name.rsplit('.').next() == Some(DownloadFormat::Html.extension()));
        Ok(page.map(|it| it.content))
    }

    async fn page(&self, cx: &StageCx, version: Version, markdown: &str) -> Result<String, Error> {
        let deliverable = self.parts.deliverables.get(version.user, version.deliverable).await?;
        let sentences = self.parts.evidence.sentences(version.user, version.id).await?;
        let items = self.parts.material(&version).await?;
        let rendered = cx.run(&Render, RenderInput { deliverable, version, sentences, items }).await?;
        if rendered.markdown != markdown {
            let reason = "what the page is made from has changed since; download it as Markdown";
            return Err(Error::Failed(reason.to_owned()));
        }
        Ok(rendered.html)
    }
}
