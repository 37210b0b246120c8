//! What is read of a page.

use proptest::prelude::*;

use crate::web::text::{Kind, MAX_TEXT, kind, read};

#[test]
fn the_type_says_what_it_is() {
    assert_eq!(kind("text/html"), Some((Kind::Html, None)));
    assert_eq!(kind("Text/HTML; Charset=\"ISO-8859-1\""), Some((Kind::Html, Some("iso-8859-1".into()))));
    assert_eq!(kind("text/plain;format=flowed; charset=utf-8"), Some((Kind::Plain, Some("utf-8".into()))));
    for other in ["", "html", "text/htmlx", "text/xml", "application/xhtml+xml", "multipart/mixed"] {
        assert_eq!(kind(other), None, "{other}");
    }
}

#[test]
fn characters_are_those_that_are_named() {
    let latin = b"<html><head><meta charset='iso-8859-1'><title>Gr\xfc\xdfe</title></head><body>Gr\xfc\xdfe</body>";
    assert_eq!(read(latin, Kind::Html, None), ("Grüße".into(), "Grüße".into()));
    assert_eq!(read(b"Gr\xfc\xdfe", Kind::Plain, Some("iso-8859-1")).1, "Grüße");
    assert_eq!(read("Grüße".as_bytes(), Kind::Plain, Some("klingon")).1, "Grüße");
    assert_eq!(read(b"a\xffb", Kind::Plain, None).1, "a\u{fffd}b");
}

#[test]
fn what_nobody_reads_is_left_out() {
    let page = "<TITLE>One</TITLE><body>a<SCRIPT>if (1 < 2) {}</SCRIPT>b<style>p{}</style><svg><title>Two</title></svg><noscript>n</noscript>c<script>open";
    assert_eq!(read(page.as_bytes(), Kind::Html, None), ("One".into(), "abc".into()));
    assert_eq!(read(b"<p>x<titles>y</titles>", Kind::Html, None).0, "");
    assert_eq!(read(b"a\0b\x1b[2Jc\r\n\n\n\nd  \n", Kind::Plain, None).1, "ab[2Jc\n\nd");
    assert_eq!(read("ä".repeat(MAX_TEXT * 2).as_bytes(), Kind::Plain, None).1.chars().count(), MAX_TEXT);
}

#[test]
fn pages_of_the_worst_kind_are_read_too() {
    for piece in
        ["<div>", "<b><p>", "<script>", "<svg></svg>", "<script></script>", "<!--", "<title", "<style></svg>", "</title>"]
    {
        read(piece.repeat(200_000 / piece.len()).as_bytes(), Kind::Html, None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_some_page(bytes in prop::collection::vec(any::<u8>(), 0..400), tags in "(<(title|script|svg|/svg|/script|meta charset=x|p)>?[ -~İß]{0,4}){0,20}") {
        read(&bytes, Kind::Html, None);
        read(&bytes, Kind::Plain, Some("shift_jis"));
        let (title, text) = read(tags.as_bytes(), Kind::Html, None);
        prop_assert!(title.chars().count() <= 300 && !text.contains('\0'));
    }
}
