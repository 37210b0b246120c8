//! From the bytes of a stream to the events of an answer.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream;
use yarnnn_core::llm::{LlmError, ModelEvent, ModelEvents, ModelResponse};

use super::{Answer, garbled, unreachable};
use crate::sse::{SseDecoder, SseEvent};

/// What an event of the wire comes to.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing to tell.
    Nothing,
    /// More text.
    Text(String),
    /// The end, and text that was not told before. What may come after it is not read.
    Done(Box<ModelResponse>, Option<String>),
}

/// Puts an answer together.
pub(crate) trait Assemble: Send + 'static {
    /// The model, for errors.
    fn model(&self) -> &str;

    /// Takes the next event.
    fn take(&mut self, event: &SseEvent) -> Result<Step, LlmError>;
}

/// An answer that comes in pieces, without the wire.
#[derive(Debug)]
pub(crate) struct Feed<A> {
    assembler: A,
    decoder: SseDecoder,
    ended: bool,
}

impl<A: Assemble> Feed<A> {
    pub(crate) fn new(assembler: A) -> Self {
        Self { assembler, decoder: SseDecoder::default(), ended: false }
    }

    /// Takes bytes. Nothing comes after `Done` or an error.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Result<ModelEvent, LlmError>> {
        let events = self.decoder.push(bytes);
        match events {
            Ok(events) => self.take_all(events),
            Err(error) => self.fail(garbled(self.assembler.model(), &error.to_string())),
        }
    }

    /// There are no more bytes: if the answer is not whole by now, it was cut.
    pub(crate) fn finish(&mut self) -> Vec<Result<ModelEvent, LlmError>> {
        if self.ended {
            return vec![];
        }
        let last = self.decoder.finish();
        let mut out = self.take_all(last);
        if !self.ended {
            out.extend(self.fail(garbled(self.assembler.model(), "the answer broke off")));
        }
        out
    }

    fn take_all(&mut self, events: impl IntoIterator<Item = SseEvent>) -> Vec<Result<ModelEvent, LlmError>> {
        let mut out = Vec::new();
        for event in events {
            if self.ended {
                break;
            }
            match self.assembler.take(&event) {
                Ok(Step::Nothing) => {}
                Ok(Step::Text(text)) => out.push(Ok(ModelEvent::Text(text))),
                Ok(Step::Done(response, rest)) => {
                    self.ended = true;
                    out.extend(rest.filter(|it| !it.is_empty()).map(|it| Ok(ModelEvent::Text(it))));
                    out.push(Ok(ModelEvent::Done(*response)));
                }
                Err(error) => out.extend(self.fail(error)),
            }
        }
        out
    }

    fn fail(&mut self, error: LlmError) -> Vec<Result<ModelEvent, LlmError>> {
        self.ended = true;
        vec![Err(error)]
    }
}

struct Source<A> {
    answer: Answer,
    feed: Feed<A>,
    ready: VecDeque<Result<ModelEvent, LlmError>>,
}

/// The events of an answer that comes in pieces. One that is cut ends with an error.
pub(crate) fn events<A: Assemble>(answer: Answer, assembler: A) -> ModelEvents {
    let source = Source { answer, feed: Feed::new(assembler), ready: VecDeque::new() };
    stream::unfold(source, |mut source| async move {
        while source.ready.is_empty() && !source.feed.ended {
            let more = match source.answer.chunk().await {
                Ok(Some(bytes)) => source.feed.push(&bytes),
                Ok(None) => source.feed.finish(),
                Err(error) => {
                    let error = unreachable(source.feed.assembler.model(), &error);
                    source.feed.fail(error)
                }
            };
            source.ready.extend(more);
        }
        source.ready.pop_front().map(|event| (event, source))
    })
    .boxed()
}

/// The whole answer of a stream.
pub(crate) async fn collected(model: &str, mut events: ModelEvents) -> Result<ModelResponse, LlmError> {
    while let Some(event) = events.next().await {
        if let ModelEvent::Done(response) = event? {
            return Ok(response);
        }
    }
    Err(garbled(model, "the answer broke off"))
}
