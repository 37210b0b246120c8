//! The pages that are there from the start: public writing of invented people, and none of it about the sample's team.

use super::world::WebPage;

pub(super) fn authored() -> Vec<WebPage> {
    let page = |path: &str, title: &str, text: &str| WebPage::new(path, title, text);
    vec![
        page(
            "/harbor/berths",
            "How small harbors plan their berths",
            "Small harbors that publish their berth plan two weeks ahead lose fewer bookings. A survey of forty harbors found that \
             a shared calendar cut double bookings by a third. Most of the harbors still plan on paper.",
        ),
        page(
            "/launch/checklists",
            "Launch checklists that people follow",
            "A launch checklist works when every line has one owner and a date. Teams with fewer than twenty lines finish them all \
             in nine of ten launches. Longer lists are read once and then forgotten.",
        ),
        page(
            "/pricing/changes",
            "Announcing a change of prices",
            "Customers accept a change of prices better when it is announced sixty days before it takes effect. Companies that gave \
             a reason lost half as many customers as those that gave none. Existing customers expect to keep their price for a year.",
        ),
        page(
            "/engineering/migrations",
            "Database migrations without a night shift",
            "The expand and contract pattern splits a migration into steps that old and new programs both understand. Backfills \
             should run in small batches with a pause between them. A lock timeout keeps a migration from stopping everything.",
        ),
        page(
            "/onboarding/first-week",
            "What new customers do in their first week",
            "New customers who import their own data in the first two days stay twice as long. An example project helps those who \
             have no data at hand. Mails that explain more than one thing are seldom read to the end.",
        ),
        page(
            "/security/prompt-injection",
            "Instructions in data",
            "Text that a model reads can hold instructions that its author had no right to give. Systems that let a model read \
             private data and reach the outside in one session have lost that data. Delimiters help and do not suffice.",
        ),
    ]
}
