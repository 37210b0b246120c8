//! Gmail's part of the world: a mailbox with labels, and what happens to mails.

use chrono::TimeDelta;
use yarnnn_sim::Sim;

use super::random::Random;
use super::words::{Words, marks};
use super::world::Expected;

/// Mail that is older is not looked for.
const WINDOW: TimeDelta = TimeDelta::days(30);
/// What may lie on a mail. The last one is the user's own.
const LABELS: [&str; 3] = ["INBOX", "STARRED", "Label_1"];

/// The mails that were ever delivered.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mails: Vec<String>,
}

impl Mailbox {
    /// Some weeks of mail under a few labels.
    pub(crate) fn make(sim: &Sim, random: &mut Random, words: &mut Words) -> Self {
        sim.gmail().add_label("Clients");
        let mut mailbox = Self::default();
        for _ in 0..random.between(3, 14) {
            let age = random.between(1, 40 * 24 * 60);
            mailbox.deliver(sim, random, words, age);
        }
        mailbox
    }

    fn deliver(&mut self, sim: &Sim, random: &mut Random, words: &mut Words, minutes_ago: i64) -> String {
        let (subject, body) = (words.sentence(), words.sentence());
        let at = sim.now() - TimeDelta::minutes(minutes_ago);
        let date = at.to_rfc2822();
        let number = self.mails.len();
        let raw = format!(
            "From: Dana <dana@example.org>\r\nTo: owner@sim.example\r\nSubject: {subject}\r\nDate: {date}\r\n\
             Message-ID: <{number}@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        );
        let count = random.between(0, 2);
        let mut labels: Vec<&str> = (0..count).filter_map(|_| random.pick(&LABELS).copied()).collect();
        labels.push("INBOX");
        let id = sim.gmail().deliver_at(raw.as_bytes(), &labels, at);
        self.mails.push(id.clone());
        id
    }

    /// Something happens; says what.
    pub(crate) fn change(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let gmail = sim.gmail();
        let label = random.pick(&LABELS).copied().unwrap_or("INBOX");
        let Some(mail) = random.pick(&self.mails).cloned() else { return "no mail".to_owned() };
        match random.below(12) {
            0..=1 => format!("mail {mail}: label {label} {}", gmail.label(&mail, label)),
            2..=3 => format!("mail {mail}: unlabel {label} {}", gmail.unlabel(&mail, label)),
            4 => format!("mail {mail}: trash {}", gmail.trash(&mail)),
            5 => format!("mail {mail}: untrash {}", gmail.untrash(&mail)),
            6 => format!("mail {mail}: delete {}", gmail.delete(&mail)),
            7 => {
                let late = random.between(1, 5 * 24 * 60);
                format!("mail {} delivered {late} min late", self.deliver(sim, random, words, late))
            }
            _ => format!("mail {} delivered", self.deliver(sim, random, words, 0)),
        }
    }

    /// What a sync that misses nothing stores of a label.
    pub(crate) fn expected(sim: &Sim, label: &str) -> Vec<Expected> {
        let oldest = sim.now() - WINDOW;
        let expected = |it: yarnnn_sim::gmail::HeldMail| Expected {
            is_needed: it.received > oldest,
            is_told: true,
            at: it.received,
            marks: marks(&format!("{} {}", it.subject, it.text)),
            id: it.id,
        };
        sim.gmail().snapshot(label).into_iter().map(expected).collect()
    }
}
