//! Server-sent events: bytes in, events out, however the bytes are cut. What an event means is not known here.

/// The longest event that is kept. None of a provider comes near.
const LONGEST: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// Its name, empty if it has none.
    pub(crate) name: String,
    /// Its data; lines are joined by a line feed.
    pub(crate) data: String,
}

/// An event that is longer than anything that was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an event is larger than {} MiB", LONGEST / 1024 / 1024)]
pub(crate) struct TooLong;

/// Takes bytes apart.
#[derive(Debug, Default)]
pub(crate) struct SseDecoder {
    line: Vec<u8>,
    event: SseEvent,
    has_data: bool,
    after_return: bool,
    begun: bool,
}

impl SseDecoder {
    /// Takes more bytes, and gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let ends = byte == b'\r' || byte == b'\n' && !self.after_return;
            let skipped = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            if ends {
                events.extend(self.end_line());
            } else if !skipped {
                self.line.push(byte);
            }
            if self.line.len() + self.event.data.len() > LONGEST {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// There are no more bytes. An event that was not closed by an empty line counts: some servers leave the last one out.
    pub(crate) fn finish(&mut self) -> Option<SseEvent> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.dispatch()
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = if self.begun { &text } else { text.strip_prefix('\u{feff}').unwrap_or(&text) };
        self.begun = true;
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], cuts: &[usize]) -> Vec<SseEvent> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().copied().chain([bytes.len()]) {
            let cut = cut.clamp(from, bytes.len());
            events.extend(decoder.push(&bytes[from..cut]).unwrap());
            from = cut;
        }
        events.extend(decoder.finish());
        events
    }

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn every_line_ending_comments_and_several_lines_of_data_are_read() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata\n\nid: 7\nretry: 1\n\nevent: only a name\n\n\rdata: last";
        let expected = [event("a", "1\n2"), event("", ""), event("", "last")];
        assert_eq!(all(text.as_bytes(), &[]), expected);
    }

    #[test]
    fn an_endless_event_is_given_up() {
        let mut decoder = SseDecoder::default();
        let piece = vec![b'x'; 1024 * 1024];
        let outcome: Result<Vec<_>, _> = (0..17).map(|_| decoder.push(&piece)).collect();
        assert_eq!(outcome, Err(TooLong));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(
            bytes in prop::collection::vec(prop::sample::select(b"data: evnt\r\n\xc3\xa9:1".to_vec()), 0..200),
            mut cuts in prop::collection::vec(0_usize..200, 0..8),
        ) {
            cuts.sort_unstable();
            prop_assert_eq!(all(&bytes, &cuts), all(&bytes, &[]));
        }
    }
}
