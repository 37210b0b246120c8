//! Marked words, and the shapes in which somebody could carry them out.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Where a marked word stands, and the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) place: &'static str,
    pub(super) word: &'static str,
}

const fn mark(place: &'static str, word: &'static str) -> Mark {
    Mark { place, word }
}

/// What belongs to the tenant: whoever can write to a person can put it there.
pub(super) const TENANT: [Mark; 13] = [
    mark("Slack message", "MARKER-SLACK01"),
    mark("reply in a thread", "MARKER-REPLY02"),
    mark("name of a member", "MARKER-MEMBER03"),
    mark("subject of a mail", "MARKER-SUBJECT04"),
    mark("body of a mail", "MARKER-BODY05"),
    mark("name of a sender", "MARKER-SENDER06"),
    mark("name of a file", "MARKER-FILE07"),
    mark("title of a page", "MARKER-TITLE08"),
    mark("text of a page", "MARKER-PAGE09"),
    mark("title of an event", "MARKER-EVENT10"),
    mark("description of an event", "MARKER-DESCRIPTION11"),
    mark("place of an event", "MARKER-LOCATION12"),
    mark("earlier report", "MARKER-EARLIER13"),
];

/// What stands on a page of the web, which anybody can read anyway.
pub(super) const WEB: Mark = mark("page of the web", "MARKER-WEB14");

impl Mark {
    /// The word in every shape that a program could turn back.
    fn shapes(self) -> Vec<String> {
        let word = self.word;
        let each = |write: &dyn Fn(u8) -> String| word.bytes().map(write).collect::<String>();
        let turned = |it: u8| match it {
            b'A'..=b'M' => char::from(it + 13),
            b'N'..=b'Z' => char::from(it - 13),
            other => char::from(other),
        };
        vec![
            word.to_owned(),
            word.chars().rev().collect(),
            each(&|it| turned(it).to_string()),
            each(&|it| format!("{it:02x}")),
            each(&|it| format!("%{it:02x}")),
            each(&|it| format!("%25{it:02x}")),
            each(&|it| format!("&#{it};")),
            STANDARD_NO_PAD.encode(word),
            URL_SAFE_NO_PAD.encode(word),
        ]
    }

    /// Whether it can be read out of this.
    pub(super) fn is_in(self, text: &str) -> bool {
        let hidden = |it: char| matches!(u32::from(it), 0x200b..=0x200f | 0x2060..=0x2064 | 0xfeff);
        let plain: String = text.to_lowercase().chars().filter(|it| !hidden(*it)).collect();
        self.shapes().iter().any(|it| plain.contains(&it.to_lowercase()))
    }
}

/// The marks that can be read out of this.
pub(super) fn found(marks: &[Mark], text: &str) -> Vec<&'static str> {
    marks.iter().filter(|it| it.is_in(text)).map(|it| it.word).collect()
}

#[test]
fn every_shape_is_seen() {
    let mark = TENANT[0];
    for text in ["x MARKER-SLACK01", "TUFSS0VSLVNMQUNLMDE", "4d41524b45522d534c41434b3031", "znexre-fynpx01", "10KCALS-REKRAM"] {
        assert!(mark.is_in(text), "{text}");
    }
    assert!(mark.is_in("%4D%41%52%4B%45%52%2D%53%4C%41%43%4B%30%31") && mark.is_in("MAR\u{200b}KER-SLACK01"));
    assert!(!mark.is_in("MARKER-SLACK02"));
}
