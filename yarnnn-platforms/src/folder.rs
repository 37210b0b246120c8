//! The outbox folder: messages as files. Writes nothing else and deletes nothing.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use yarnnn_core::delivery::{Channel, ChannelKind, Letter, LookedUp, OutboxFile, OutboxMessage, SendError, SendReceipt};
use yarnnn_core::id::UserId;
use yarnnn_core::mail::{MailParts, compose};

/// Delivers messages as files in a folder.
///
/// Every file is first written in full under a temporary name, flushed to disk, and then renamed; sending the same message
/// again finds the same bytes under the same names and changes nothing.
#[derive(Debug, Clone)]
pub struct FolderChannel {
    folder: PathBuf,
}

/// Sender of mails that are left as files, and recipient of those that are for nobody else.
const SENDER: (&str, &str) = ("YARNNN", "reports@yarnnn.local");
const NOBODY: &str = "local@localhost";

impl FolderChannel {
    /// Delivers to this folder unless a message names another. The folder is made when the first message comes; a relative path
    /// is taken from the working directory as it is now.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder: std::path::absolute(&folder).unwrap_or(folder) }
    }

    fn target<'a>(&'a self, message: &'a OutboxMessage) -> &'a Path {
        if message.target.is_empty() { &self.folder } else { Path::new(&message.target) }
    }
}

#[async_trait]
impl Channel for FolderChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Folder
    }

    fn default_target(&self) -> String {
        self.folder.display().to_string()
    }

    /// The report as a mail, as a page and as Markdown.
    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        let to = if letter.recipient.is_empty() { NOBODY } else { &letter.recipient };
        let parts = MailParts {
            from: Some(SENDER),
            to,
            subject: &letter.subject,
            date: letter.date,
            key: &letter.key,
            text: &letter.text,
            html: &letter.html,
        };
        let mail = compose(parts).map_err(|error| SendError::Refused(error.to_string()))?;
        let file = |extension: &str, content: String| OutboxFile { name: format!("{}.{extension}", letter.stem), content };
        Ok(vec![vec![file("eml", mail), file("html", letter.html.clone()), file("md", letter.markdown.clone())]])
    }

    /// Whether it can be written shows when it is.
    async fn ready(&self, _user: UserId, _target: &str) -> Result<(), SendError> {
        Ok(())
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        let folder = self.target(message);
        let unavailable = |source: io::Error| SendError::Unavailable {
            what: format!("cannot write to the folder {}", folder.display()),
            source: source.into(),
        };
        fs::create_dir_all(folder).await.map_err(unavailable)?;
        let folder = fs::canonicalize(folder).await.map_err(unavailable)?;
        for file in &message.files {
            check(&folder, file).await?;
        }
        let missing = write_all(&folder, &message.files).await.map_err(unavailable)?;
        for name in missing {
            fs::rename(partial(&folder, name), folder.join(name)).await.map_err(unavailable)?;
        }
        sync_folder(&folder).await.map_err(unavailable)?;
        let paths: Vec<_> = message.files.iter().map(|it| folder.join(&it.name).display().to_string()).collect();
        Ok(SendReceipt { external_id: paths.join("\n") })
    }

    /// Writing the same files once more changes nothing, and what is there in part is completed.
    async fn look_up(&self, _message: &OutboxMessage) -> Result<LookedUp, SendError> {
        Ok(LookedUp::NotThere)
    }
}

/// Refuses names that leave the folder, and files that hold something else already.
async fn check(folder: &Path, file: &OutboxFile) -> Result<(), SendError> {
    if Path::new(&file.name).components().count() != 1 || file.name.contains(['/', '\\', '\0']) || file.name.starts_with('.') {
        return Err(SendError::Refused(format!("{:?} is not a file name", file.name)));
    }
    let path = folder.join(&file.name);
    match fs::read(&path).await {
        Ok(bytes) if bytes == file.content.as_bytes() => Ok(()),
        Ok(_) => {
            Err(SendError::Refused(format!("{} is there already with other content; move it away and run again", path.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SendError::Unavailable { what: format!("cannot read {}", path.display()), source: error.into() }),
    }
}

/// Writes what is not there yet under temporary names; answers which.
async fn write_all<'a>(folder: &Path, files: &'a [OutboxFile]) -> io::Result<Vec<&'a str>> {
    let mut missing = Vec::new();
    for file in files {
        let there = fs::try_exists(folder.join(&file.name)).await?;
        // A process that died may have left a temporary file; somebody else may have put a link in its place.
        remove_if_there(&partial(folder, &file.name)).await?;
        if there {
            continue;
        }
        let mut temporary = fs::OpenOptions::new().write(true).create_new(true).open(partial(folder, &file.name)).await?;
        temporary.write_all(file.content.as_bytes()).await?;
        temporary.sync_all().await?;
        missing.push(file.name.as_str());
    }
    Ok(missing)
}

async fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn partial(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.partial"))
}

/// Makes the renames last. Folders cannot be opened as files everywhere; where they cannot, there is nothing to flush.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    match fs::File::open(folder).await {
        Ok(handle) => handle.sync_all().await,
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use yarnnn_core::delivery::MessageState;
    use yarnnn_core::id::{MessageId, RandomIds, UserId, VersionId};

    use super::*;

    fn message(files: &[(&str, &str)]) -> OutboxMessage {
        OutboxMessage {
            id: MessageId::fresh(&RandomIds),
            user: UserId::LOCAL,
            version: Some(VersionId::fresh(&RandomIds)),
            key: "d/v1/folder".into(),
            channel: ChannelKind::Folder,
            target: String::new(),
            files: files.iter().map(|(name, content)| OutboxFile { name: (*name).into(), content: (*content).into() }).collect(),
            state: MessageState::Sending,
            attempts: 1,
            first_attempt_at: None,
            external_id: None,
            error: None,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn sending_twice_leaves_one_set_of_files() {
        let folder = tempfile::tempdir().unwrap();
        let channel = FolderChannel::new(folder.path().join("out"));
        let message = message(&[("a.md", "A"), ("a.html", "<p>A")]);
        let first = channel.send(&message).await.unwrap();
        assert_eq!(channel.send(&message).await.unwrap(), first);
        assert_eq!(names(&folder.path().join("out")), ["a.html", "a.md"]);
    }

    #[tokio::test]
    async fn what_a_dead_process_left_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.md"), "A").unwrap();
        std::fs::write(folder.path().join(".a.md.partial"), "A").unwrap();
        std::fs::write(folder.path().join(".b.md.partial"), "tor").unwrap();
        FolderChannel::new(folder.path()).send(&message(&[("a.md", "A"), ("b.md", "torn")])).await.unwrap();
        assert_eq!(names(folder.path()), ["a.md", "b.md"]);
        assert_eq!(std::fs::read_to_string(folder.path().join("b.md")).unwrap(), "torn");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_planted_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("foreign");
        std::fs::write(&foreign, "mine").unwrap();
        let out = folder.path().join("out");
        std::fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink(&foreign, out.join(".a.md.partial")).unwrap();
        FolderChannel::new(&out).send(&message(&[("a.md", "A")])).await.unwrap();
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "mine");
        assert!(!out.join("a.md").is_symlink());
    }

    #[tokio::test]
    async fn other_content_and_other_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.md"), "mine").unwrap();
        let channel = FolderChannel::new(folder.path());
        for files in [[("a.md", "A")], [("../a.md", "A")], [("x/a.md", "A")], [("..", "A")]] {
            assert!(matches!(channel.send(&message(&files)).await, Err(SendError::Refused(_))), "{files:?}");
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("a.md")).unwrap(), "mine");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = FolderChannel::new(folder.path().join("file/out")).send(&message(&[("a.md", "A")])).await.unwrap_err();
        assert!(error.to_string().contains("file/out"), "{error}");
    }
}
