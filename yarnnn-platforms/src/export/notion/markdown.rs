//! A Markdown page: its title, its properties and the text as it stands.

use super::item::Page;
use super::time::Times;

/// The first heading becomes the title; everything else stays as it is.
pub(super) fn page(text: &str) -> Page {
    let text = text.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (title, content) = match first.trim_end().strip_prefix("# ") {
        Some(title) => (Some(title.trim().to_owned()), rest.trim()),
        None if first.trim_end() == "#" => (None, rest.trim()),
        None => (None, text),
    };
    Page { title: title.filter(|title| !title.is_empty()), times: times(content), content: content.to_owned() }
}

/// Properties are the lines `Name: value` up to the first empty line.
fn times(content: &str) -> Times {
    let mut times = Times::default();
    for line in content.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((property, value)) = line.split_once(':') else { break };
        times.note(property, value);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heading_is_the_title_and_the_rest_stays() {
        let read = page("# Ship it \r\n\r\nStatus: Done\nLast edited time: March 4, 2024 10:12 AM\n\n# Notes\n\n- one\n");
        assert_eq!(read.title.as_deref(), Some("Ship it"));
        assert_eq!(read.content, "Status: Done\nLast edited time: March 4, 2024 10:12 AM\n\n# Notes\n\n- one");
        assert_eq!(read.times.edited.unwrap().to_rfc3339(), "2024-03-04T10:12:00+00:00");
    }

    #[test]
    fn pages_without_title_or_text_can_be_read() {
        assert_eq!((page("just text").title, page("just text").content.as_str()), (None, "just text"));
        assert_eq!((page("# Only").title.as_deref(), page("# Only").content.as_str()), (Some("Only"), ""));
        assert_eq!((page("#\n\ntext").title, page("#\n\ntext").content.as_str()), (None, "text"));
        assert_eq!((page("").title, page("").content.as_str()), (None, ""));
    }

    #[test]
    fn times_in_the_text_are_not_properties() {
        assert_eq!(page("# T\n\nPlain text\nCreated: 2024/03/04\n\nCreated: 2024/03/04").times, Times::default());
    }
}
