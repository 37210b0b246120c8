//! Mail files as a platform client.
//!
//! It holds paths, never mails: each page opens its file, reads on from where the page before ended, and closes it.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use yarnnn_core::platform::{
    Fetch, FetchMode, FetchPage, Item, Next, PageToken, Platform, PlatformClient, PlatformError, Probe, Quarantined, Resource,
    ResourceId, ResourceKind, ResourcePage,
};

use super::files;
use super::folder::{self, Folder};
use super::mbox::{MboxReader, RawMail};
use super::message::{self, Place};
use super::page::PageBuilder;
use crate::export::Limits;

/// A mailbox file, a set of message files or a Maildir.
///
/// A page token is the byte offset of the next mail in a mailbox, and the number of the next file elsewhere. There are no cursors:
/// a file is read from its start.
#[derive(Debug, Clone)]
pub struct MailExport {
    export: Arc<Export>,
}

#[derive(Debug)]
struct Export {
    /// The file or folder, for probing and for naming what is in it.
    root: PathBuf,
    name: String,
    source: Source,
    unread: Vec<Quarantined>,
    limits: Limits,
}

#[derive(Debug)]
enum Source {
    Mbox(ResourceId),
    Folders(Vec<(ResourceId, Folder)>),
}

impl MailExport {
    /// A mailbox file; its label is the file's name without its ending.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn mbox(path: &Path, limits: Limits) -> Result<Self, PlatformError> {
        File::open(path).map_err(|error| unavailable(path, error))?;
        let name = path.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let id = label_id(&name)?;
        Ok(Self::new(path.to_owned(), name, Source::Mbox(id), Vec::new(), limits))
    }

    /// Files with one mail each, all under one label. `root` is the folder that their names are shown relative to.
    ///
    /// # Errors
    /// When the label is empty.
    pub fn files(label: &str, root: PathBuf, files: Vec<PathBuf>, limits: Limits) -> Result<Self, PlatformError> {
        let folder = Folder { label: label.to_owned(), files };
        Ok(Self::new(root, label.to_owned(), Source::Folders(vec![(label_id(label)?, folder)]), Vec::new(), limits))
    }

    /// A Maildir with all its folders, each a label named by its path; also a tree of folders that hold one mail per file.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn maildir(root: &Path, limits: Limits) -> Result<Self, PlatformError> {
        let found = folder::discover(root, &limits).map_err(|error| unavailable(root, error))?;
        let folders =
            found.folders.into_iter().map(|it| Ok((label_id(&it.label)?, it))).collect::<Result<Vec<_>, PlatformError>>()?;
        let unread = found.unread.into_iter().map(|it| Quarantined { item: shown(root, &it.path), reason: it.reason }).collect();
        let name = root.file_name().map_or_else(|| root.to_string_lossy().into_owned(), |it| it.to_string_lossy().into_owned());
        Ok(Self::new(root.to_owned(), name, Source::Folders(folders), unread, limits))
    }

    fn new(root: PathBuf, name: String, source: Source, unread: Vec<Quarantined>, limits: Limits) -> Self {
        Self { export: Arc::new(Export { root, name, source, unread, limits }) }
    }
}

#[async_trait]
impl PlatformClient for MailExport {
    fn platform(&self) -> Platform {
        Platform::Gmail
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        let export = Arc::clone(&self.export);
        run(move || export.probe()).await
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        Ok(ResourcePage { resources: self.export.resources(), quarantined: self.export.unread.clone(), next: None })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let FetchMode::Start { .. } = fetch.mode else {
            return Err(PlatformError::CursorExpired);
        };
        let (export, fetch) = (Arc::clone(&self.export), fetch.clone());
        run(move || export.fetch(&fetch)).await
    }
}

/// Runs file access on a thread that may block.
async fn run<T, F>(work: F) -> Result<T, PlatformError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, PlatformError> + Send + 'static,
{
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(PlatformError::Unavailable { what: "the mail export".to_owned(), source: Box::new(error) }))
}

impl Export {
    fn probe(&self) -> Result<Probe, PlatformError> {
        std::fs::metadata(&self.root).map_err(|error| unavailable(&self.root, error))?;
        let account_id = self.root.to_string_lossy().into_owned();
        Ok(Probe { account_id, account_name: Some(self.name.clone()), scopes: Vec::new() })
    }

    fn resources(&self) -> Vec<Resource> {
        let resource = |id: &ResourceId, name: &str| Resource::new(id.clone(), name, ResourceKind::Label);
        match &self.source {
            Source::Mbox(id) => vec![resource(id, &self.name)],
            Source::Folders(folders) => folders.iter().map(|(id, folder)| resource(id, &folder.label)).collect(),
        }
    }

    fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let start = fetch.page.as_ref().map_or(Ok(0), |token| self.position(token))?;
        let page = PageBuilder::new(fetch.budget);
        match &self.source {
            Source::Mbox(id) if *id == fetch.resource => {
                self.fetch_mbox(start, page).map_err(|error| unavailable(&self.root, error))
            }
            Source::Folders(folders) => {
                let folder = folders.iter().find(|(id, _)| *id == fetch.resource);
                let (_, folder) = folder.ok_or_else(|| PlatformError::ResourceGone { resource: fetch.resource.clone() })?;
                Ok(self.fetch_files(folder, start, page))
            }
            Source::Mbox(_) => Err(PlatformError::ResourceGone { resource: fetch.resource.clone() }),
        }
    }

    fn position(&self, token: &PageToken) -> Result<u64, PlatformError> {
        let detail = format!("{:?} is not a place in this export", token.as_str());
        token.as_str().parse().map_err(|_| PlatformError::Protocol { call: self.root.to_string_lossy().into_owned(), detail })
    }

    fn fetch_mbox(&self, start: u64, mut page: PageBuilder) -> io::Result<FetchPage> {
        let mut file = File::open(&self.root)?;
        file.seek(SeekFrom::Start(start))?;
        if start > 0 {
            check_separator(&mut file)?;
            file.seek(SeekFrom::Start(start))?;
        }
        let mut reader = MboxReader::new(BufReader::with_capacity(64 * 1024, file), start, self.limits.max_mail_bytes);
        while !page.is_full() {
            let Some(mail) = reader.next_mail()? else { break };
            page.add(|| self.mail_name(&mail), self.read_mail(&mail));
        }
        let next = reader.next_offset()?;
        Ok(page.finish(next.map_or(Next::done(None), |offset| Next::Page(PageToken::new(offset.to_string())))))
    }

    fn read_mail(&self, mail: &RawMail) -> Result<Item, String> {
        if mail.is_cut {
            return Err(files::too_large(&self.limits));
        }
        message::read(&mail.bytes, Place { label: &self.name, separator: mail.separator }, &self.limits)
    }

    fn mail_name(&self, mail: &RawMail) -> String {
        let file = shown(Path::new(""), self.root.file_name().unwrap_or_default().as_ref());
        match message::id_of(&mail.bytes) {
            Some(id) => format!("{file}: {id} at byte {}", mail.offset),
            None => format!("{file}: the mail at byte {}", mail.offset),
        }
    }

    fn fetch_files(&self, folder: &Folder, start: u64, mut page: PageBuilder) -> FetchPage {
        let mut index = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(path) = folder.files.get(index) {
            if page.is_full() {
                return page.finish(Next::Page(PageToken::new(index.to_string())));
            }
            page.add(|| shown(&self.root, path), files::read(path, &folder.label, &self.limits));
            index += 1;
        }
        page.finish(Next::done(None))
    }
}

/// A page token is only valid as long as the file has not changed.
fn check_separator(file: &mut File) -> io::Result<()> {
    let mut start = [0_u8; 5];
    file.read_exact(&mut start)?;
    if start == *b"From " { Ok(()) } else { Err(io::Error::other("it has changed while it was being read")) }
}

fn label_id(label: &str) -> Result<ResourceId, PlatformError> {
    ResourceId::new(Platform::Gmail, label)
        .map_err(|error| PlatformError::Protocol { call: "the mail export".to_owned(), detail: error.to_string() })
}

/// A path as a person would look for it: relative to what was imported.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn unavailable(path: &Path, error: io::Error) -> PlatformError {
    PlatformError::Unavailable { what: path.to_string_lossy().into_owned(), source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use chrono::DateTime;
    use proptest::prelude::*;
    use yarnnn_core::platform::{Budget, Interval};

    use super::*;

    /// Everything a resource yields, over all pages.
    async fn read_all(export: &MailExport, resource: &ResourceId, max_items: usize) -> (Vec<Item>, Vec<Quarantined>, usize) {
        let window = Interval { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH };
        let budget = Budget { max_items, ..Budget::default() };
        let mut fetch = Fetch {
            resource: resource.clone(),
            kind: ResourceKind::Label,
            mode: FetchMode::Start { window },
            page: None,
            budget,
        };
        let (mut items, mut quarantined, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            let page = export.fetch(&fetch).await.unwrap();
            assert!(page.items.len() + page.quarantined.len() <= max_items.max(1));
            items.extend(page.items);
            quarantined.extend(page.quarantined);
            pages += 1;
            match page.next {
                Next::Page(token) => fetch.page = Some(token),
                Next::Done { .. } => return (items, quarantined, pages),
            }
        }
    }

    fn mailbox(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("All mail.mbox");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn inbox() -> ResourceId {
        ResourceId::new(Platform::Gmail, "All mail").unwrap()
    }

    #[tokio::test]
    async fn a_mailbox_is_one_label_and_says_what_it_covers() {
        let text = "From a@b Mon Mar  2 08:00:00 2026\nMessage-ID: <1@x>\nSubject: one\n\nfirst\n\n\
            From a@b Tue Mar  3 09:00:00 2026\nMessage-ID: <2@x>\nSubject: two\n\nsecond\n";
        let (_folder, path) = mailbox(text.as_bytes());
        let export = MailExport::mbox(&path, Limits::default()).unwrap();
        assert_eq!(export.probe().await.unwrap().account_name.as_deref(), Some("All mail"));
        let resources = export.resources(None).await.unwrap().resources;
        assert_eq!(
            resources.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect::<Vec<_>>(),
            [("label:All mail", "All mail")]
        );
        let window = Interval { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH };
        let mut fetch = Fetch::start(&Resource::new(inbox(), "inbox", ResourceKind::Label), window);
        let page = export.fetch(&fetch).await.unwrap();
        assert_eq!(
            page.items.iter().map(|it| (it.item_id.as_str(), it.content.as_str())).collect::<Vec<_>>(),
            [("1@x", "first"), ("2@x", "second")]
        );
        insta::assert_debug_snapshot!(page.covered);
        fetch.page = Some(PageToken::new("7"));
        assert!(matches!(export.fetch(&fetch).await, Err(PlatformError::Unavailable { .. })));
        fetch.page = Some(PageToken::new("x"));
        assert!(matches!(export.fetch(&fetch).await, Err(PlatformError::Protocol { .. })));
        fetch.resource = ResourceId::new(Platform::Gmail, "other").unwrap();
        fetch.page = None;
        assert!(matches!(export.fetch(&fetch).await, Err(PlatformError::ResourceGone { .. })));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named() {
        let dated = "From a@b Mon Mar  2 08:00:00 2026\n";
        let long = "x".repeat(300);
        let text = format!("{dated}Message-ID: <big@x>\n\n{long}\n\n{dated}\n\n{dated}Message-ID: <2@x>\n\nok\n");
        let (_folder, path) = mailbox(text.as_bytes());
        let export = MailExport::mbox(&path, Limits { max_mail_bytes: 200, ..Limits::default() }).unwrap();
        let (items, quarantined, _) = read_all(&export, &inbox(), 10).await;
        assert_eq!(items.len(), 1);
        insta::assert_debug_snapshot!(quarantined);
    }

    #[tokio::test]
    async fn files_and_folders_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("Mail");
        for (path, text) in [("cur/1", "Subject: a\n\none"), ("new/2", ""), (".Sent/cur/3", "From a@b\nSubject: c\n\nthree")] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        let export = MailExport::maildir(&root, Limits::default()).unwrap();
        let ids: Vec<_> = export.resources(None).await.unwrap().resources.into_iter().map(|it| it.id).collect();
        assert_eq!(ids.iter().map(ResourceId::as_str).collect::<Vec<_>>(), ["label:Mail", "label:.Sent"]);
        let (items, quarantined, pages) = read_all(&export, &ids[0], 1).await;
        assert_eq!((items.len(), quarantined.len(), pages), (1, 1, 2));
        assert_eq!(
            (quarantined[0].item.as_str(), quarantined[0].reason.as_str()),
            ("new/2", "it has neither a header nor a text")
        );
        assert_eq!(read_all(&export, &ids[1], 9).await.0[0].title.as_deref(), Some("c"));

        let paths = vec![root.join("cur/1"), root.join("missing.eml")];
        let export = MailExport::files("letters", root, paths, Limits::default()).unwrap();
        let (items, quarantined, _) = read_all(&export, &ResourceId::new(Platform::Gmail, "letters").unwrap(), 9).await;
        assert_eq!(items[0].metadata["labels"], serde_json::json!(["letters"]));
        assert_eq!(quarantined[0].item, "missing.eml");
    }

    #[test]
    fn a_source_that_is_not_there_is_unavailable() {
        let missing = Path::new("/no/such/mailbox");
        assert!(matches!(MailExport::mbox(missing, Limits::default()), Err(PlatformError::Unavailable { .. })));
        assert!(matches!(MailExport::maildir(missing, Limits::default()), Err(PlatformError::Unavailable { .. })));
        assert!(MailExport::files(" ", PathBuf::new(), Vec::new(), Limits::default()).is_err());
    }

    fn read_blocking(text: &[u8], max_items: usize, max_mail_bytes: usize) -> (Vec<Item>, Vec<Quarantined>) {
        let (_folder, path) = mailbox(text);
        let export = MailExport::mbox(&path, Limits { max_mail_bytes, ..Limits::default() }).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (items, quarantined, _) = runtime.block_on(read_all(&export, &inbox(), max_items));
        (items, quarantined)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn paging_loses_and_repeats_nothing(
            bodies in prop::collection::vec(("[ -~]{0,120}", prop::bool::ANY, 0_usize..3), 0..20),
            max_items in 1_usize..8,
            max_mail_bytes in 60_usize..160,
            windows in prop::bool::ANY,
        ) {
            let mut text = String::new();
            for (number, (body, has_id, lines)) in bodies.iter().enumerate() {
                let id = if *has_id { format!("Message-ID: <{number}@x>\n") } else { String::new() };
                let body = body.strip_prefix("From ").unwrap_or(body);
                write!(text, "From a@b Mon Mar  2 08:00:00 2026\n{id}Subject: {number}\n\n{body}\n{}>From me\n\n", "\n".repeat(*lines)).unwrap();
            }
            let text = if windows { text.replace('\n', "\r\n") } else { text };
            let (items, quarantined) = read_blocking(text.as_bytes(), max_items, max_mail_bytes);
            prop_assert_eq!(items.len() + quarantined.len(), bodies.len());
            let titles: BTreeSet<_> = items.iter().map(|it| it.title.clone()).collect();
            prop_assert_eq!(titles.len(), items.len());
        }

        #[test]
        fn arbitrary_mailboxes_are_read_alike_with_any_budget(
            pieces in prop::collection::vec(prop::sample::select(&[
                "From a@b Mon Mar  2 08:00:00 2026\n", "From a@b\n", "From ", ">From ", "\n", "\r\n", "\n\n", "A: 1\n", "x", "\u{feff}", "\0",
            ][..]), 0..60),
            max_items in 1_usize..5,
        ) {
            let text = pieces.concat();
            let whole = read_blocking(text.as_bytes(), 1_000, 40);
            prop_assert_eq!(read_blocking(text.as_bytes(), max_items, 40), whole);
        }
    }
}
