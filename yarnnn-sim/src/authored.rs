//! The authored sample as a living world: the same texts, identifiers and times as in its export files.

use std::sync::Arc;

use yarnnn_core::clock::Clock;

use crate::sample::moment::Timeline;
use crate::{Sample, Sim, calendar, gmail};

impl Sim {
    /// Platforms that hold the authored sample. Its bot is in every public channel and in no direct conversation.
    pub fn sample(clock: Arc<dyn Clock>) -> Self {
        let sim = Self::new(clock);
        let sample = Sample::load();
        sim.set_google_person(&sample.owner().email, &sample.owner().name);
        sim.slack().fill(&sample);
        let timeline = Timeline::new(sim.now(), sample.time_zone());
        gmail::fill(sim.gmail(), &sample, &timeline);
        calendar::fill(sim.calendar(), &sample, &timeline);
        sim.notion().fill(&sample);
        sim
    }
}
