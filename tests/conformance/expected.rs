//! Which operations each client must have called, and what each of them cannot do without.

use crate::exchange::{Body, Request};

/// What one provider's run must show.
pub(crate) struct Expected {
    /// The provider, as it is named on the command line.
    pub(crate) name: &'static str,
    /// What the simulator has in front of the specification's paths.
    pub(crate) prefix: &'static str,
    /// The operations.
    pub(crate) operations: &'static [Operation],
    /// Whether the specification carries the provider's own example answers, and not only their types.
    pub(crate) has_examples: bool,
    /// Where the specification is known to say less than the provider's documentation.
    pub(crate) gaps: &'static [Gap],
}

/// What a specification does not know, and how requests are shown to it nevertheless. The provider gets them as they are.
pub(crate) struct Gap {
    /// How the paths end that are concerned.
    pub(crate) path: &'static str,
    /// What the documentation says.
    pub(crate) why: &'static str,
    /// Makes of a request what the specification knows.
    pub(crate) bridge: fn(&mut Request),
}

/// One operation.
pub(crate) struct Operation {
    /// Method and path as in the specification.
    pub(crate) name: &'static str,
    /// What must be refused.
    pub(crate) refused: &'static [Refused],
}

/// A change of a good request after which it must be refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refused {
    /// Without this argument or header.
    Without(&'static str),
    /// With `abc` where a number belongs.
    Spoiled(&'static str),
}

use Refused::{Spoiled, Without};

const TOKEN: Refused = Without("authorization");
const VERSION: Refused = Without("notion-version");

const fn operation(name: &'static str, refused: &'static [Refused]) -> Operation {
    Operation { name, refused }
}

/// Slack's public specification is of 2021.
pub(crate) const SLACK: Expected = Expected {
    name: "slack",
    prefix: "/api",
    operations: &[
        operation("GET /auth.test", &[TOKEN]),
        operation("GET /conversations.list", &[TOKEN, Spoiled("limit")]),
        operation("GET /conversations.history", &[TOKEN, Without("channel"), Spoiled("limit")]),
        operation("GET /conversations.replies", &[TOKEN, Without("channel"), Without("ts")]),
        operation("POST /conversations.join", &[TOKEN, Without("channel")]),
        operation("POST /chat.postMessage", &[TOKEN, Without("channel")]),
        operation("GET /conversations.info", &[TOKEN, Without("channel")]),
        operation("GET /users.info", &[TOKEN, Without("user")]),
        operation("POST /oauth.v2.access", &[Without("code")]),
    ],
    has_examples: true,
    gaps: &[
        Gap {
            path: "/oauth.v2.access",
            why: "the specification asks for a token where the app shows its id and secret instead",
            bridge: |request| request.headers.push(("authorization".to_owned(), "Bearer lent".to_owned())),
        },
        Gap {
            path: "/chat.postMessage",
            why: "the specification is older than the metadata of messages, and knows blocks as text in a form only",
            bridge: post_as_of_old,
        },
        Gap {
            path: "/conversations.history",
            why: "the specification is older than the metadata of messages",
            bridge: |request| without(request, "include_all_metadata"),
        },
    ],
};

/// Google's discovery documents mark almost nothing as required.
pub(crate) const GMAIL: Expected = Expected {
    name: "gmail",
    prefix: "",
    operations: &[
        operation("GET /gmail/v1/users/{userId}/profile", &[TOKEN]),
        operation("GET /gmail/v1/users/{userId}/labels", &[TOKEN]),
        operation("GET /gmail/v1/users/{userId}/labels/{id}", &[TOKEN]),
        operation("GET /gmail/v1/users/{userId}/messages", &[TOKEN, Spoiled("maxResults")]),
        operation("GET /gmail/v1/users/{userId}/messages/{id}", &[TOKEN, Spoiled("format")]),
        operation("GET /gmail/v1/users/{userId}/messages/{messageId}/attachments/{id}", &[TOKEN]),
        operation("GET /gmail/v1/users/{userId}/history", &[TOKEN, Without("startHistoryId"), Spoiled("maxResults")]),
    ],
    has_examples: false,
    gaps: &[],
};

/// As for Gmail.
pub(crate) const CALENDAR: Expected = Expected {
    name: "calendar",
    prefix: "",
    operations: &[
        operation("GET /calendar/v3/calendars/{calendarId}", &[TOKEN]),
        operation("GET /calendar/v3/users/me/calendarList", &[TOKEN, Spoiled("maxResults")]),
        operation("GET /calendar/v3/calendars/{calendarId}/events", &[TOKEN, Spoiled("maxResults"), Spoiled("singleEvents")]),
        operation("GET /calendar/v3/calendars/{calendarId}/events/{eventId}", &[TOKEN]),
    ],
    has_examples: false,
    gaps: &[],
};

/// Notion publishes its specification with its MCP server.
pub(crate) const NOTION: Expected = Expected {
    name: "notion",
    prefix: "",
    operations: &[
        operation("GET /v1/users/me", &[TOKEN, VERSION]),
        operation("GET /v1/users/{user_id}", &[TOKEN, VERSION]),
        operation("POST /v1/search", &[TOKEN, VERSION, Spoiled("page_size")]),
        operation("GET /v1/pages/{page_id}", &[TOKEN, VERSION]),
        operation("GET /v1/blocks/{block_id}/children", &[TOKEN, VERSION, Spoiled("page_size")]),
        operation("POST /v1/pages", &[TOKEN, VERSION, Without("parent"), Without("properties")]),
        operation("PATCH /v1/blocks/{block_id}/children", &[TOKEN, VERSION, Without("children")]),
        operation("GET /v1/databases/{database_id}", &[TOKEN, VERSION]),
        operation("POST /v1/data_sources/{data_source_id}/query", &[TOKEN, VERSION, Spoiled("page_size")]),
    ],
    has_examples: true,
    gaps: &[
        Gap {
            path: "/query",
            why: "the specification sorts by properties only; the documentation sorts by timestamps too",
            bridge: sort_by_property,
        },
        Gap {
            path: "/v1/pages",
            why: "the specification knows the blocks of a new page as text only; the documentation has them as objects",
            bridge: |request| without(request, "children"),
        },
        Gap {
            path: "/children",
            why: "the specification knows paragraphs and bullets without a style only; the documentation has headings and styles",
            bridge: only_plain_bullets,
        },
    ],
};

/// Resend's own specification.
pub(crate) const RESEND: Expected = Expected {
    name: "resend",
    prefix: "",
    operations: &[operation("POST /emails", &[TOKEN, Without("from"), Without("to"), Without("subject")])],
    has_examples: false,
    gaps: &[],
};

/// Google's discovery document.
pub(crate) const CUSTOM_SEARCH: Expected = Expected {
    name: "customsearch",
    prefix: "",
    operations: &[operation("GET /customsearch/v1", &[Without("q"), Without("cx"), Spoiled("num")])],
    has_examples: false,
    gaps: &[Gap {
        path: "/customsearch/v1",
        why: "the specification leaves out the key, which the documentation asks for",
        bridge: |request| without(request, "key"),
    }],
};

fn post_as_of_old(request: &mut Request) {
    without(request, "metadata");
    let Body::Json(body) = &mut request.body else { return };
    let blocks = body["blocks"].to_string();
    body["blocks"] = blocks.into();
}

fn without(request: &mut Request, name: &str) {
    if let Some(changed) = request.without(name) {
        *request = changed;
    }
}

fn only_plain_bullets(request: &mut Request) {
    let Body::Json(body) = &mut request.body else { return };
    let Some(blocks) = body["children"].as_array_mut() else { return };
    blocks.retain(|it| it["type"] == "paragraph" || it["type"] == "bulleted_list_item");
    for block in blocks {
        let kind = block["type"].as_str().unwrap().to_owned();
        let texts = block[kind]["rich_text"].as_array_mut().into_iter().flatten();
        texts.filter_map(|it| it.as_object_mut()).for_each(|it| _ = it.remove("annotations"));
    }
}

fn sort_by_property(request: &mut Request) {
    let Body::Json(body) = &mut request.body else { return };
    for sort in body["sorts"].as_array_mut().into_iter().flatten().filter_map(|it| it.as_object_mut()) {
        if let Some(timestamp) = sort.remove("timestamp") {
            sort.insert("property".to_owned(), timestamp);
        }
    }
}
