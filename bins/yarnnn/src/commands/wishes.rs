//! What people wish of a report, as options: where it goes, when it runs, what it reads.

use std::path::Path;

use anyhow::Context as _;
use yarnnn::deliverables::{Cron, Destination, Frequency, InvalidSchedule, Schedule};
use yarnnn::platform::ResourceId;

use super::download;
use crate::cli::{Places, When};
use crate::exit::UsageError;
use crate::session::parse_email;

/// The zone of those who have set none.
pub(super) const UTC: &str = "UTC";

/// Where it goes; empty when nothing is said.
pub(super) fn destinations(places: &Places) -> anyhow::Result<Vec<Destination>> {
    let mut destinations = Vec::new();
    if let Some(address) = &places.email {
        destinations.push(Destination::Email { address: parse_email(address)? });
    }
    if let Some(channel) = &places.slack {
        let channel = channel.trim();
        if channel.is_empty() || channel.chars().any(char::is_whitespace) {
            return Err(
                UsageError(format!("--slack: {channel:?} is no channel; give its id (C024BE91L) or name (#general)")).into()
            );
        }
        destinations.push(Destination::Slack { channel: channel.to_owned() });
    }
    if let Some(address) = &places.gmail_draft {
        destinations.push(Destination::GmailDraft { address: parse_email(address)? });
    }
    if let Some(page) = &places.notion {
        let id = notion_page(page).ok_or_else(|| {
            UsageError(format!("--notion: {page:?} is no page; give its link, or its id (59833787-2cf9-4fdf-8782-e53db20768a5)"))
        })?;
        destinations.push(Destination::Notion { page: id });
    }
    if let Some(form) = places.download {
        destinations.push(Destination::Download { format: download::format(form) });
    }
    if let Some(folder) = &places.folder {
        destinations.push(Destination::Folder { path: Some(absolute(folder)?) });
    }
    Ok(destinations)
}

/// The id of a page, given as itself or as the end of its link.
fn notion_page(text: &str) -> Option<String> {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let digits: String = last.chars().filter(|it| *it != '-').collect();
    let id = digits.get(digits.len().checked_sub(32)?..)?.to_ascii_lowercase();
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map(|(from, to)| id.get(from..to).unwrap_or_default());
    id.bytes().all(|it| it.is_ascii_hexdigit()).then(|| parts.join("-"))
}

/// A folder that means the same from wherever the report is run later.
fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("--folder {}", path.display()))?;
    let text = path.to_str().ok_or_else(|| UsageError(format!("--folder: {} is not UTF-8", path.display())))?;
    Ok(text.to_owned())
}

/// When it runs: what is said, over the schedule that there is, and else in the user's own time zone. None when nothing is said.
pub(super) fn schedule(when: &When, before: Option<&Schedule>, home: &str) -> anyhow::Result<Option<Schedule>> {
    let When { schedule, at, day, tz, cron } = when;
    if [schedule, at, day, tz, cron].into_iter().all(Option::is_none) {
        return Ok(None);
    }
    let kept = || before.map(|it| it.frequency.as_str()).filter(|_| cron.is_none());
    let by_line = cron.is_some().then_some(Frequency::Custom.as_str());
    let frequency = schedule.as_deref().or_else(kept).or(by_line);
    let frequency = frequency.ok_or_else(|| UsageError("--at, --day and --tz are of a schedule: add --schedule".to_owned()))?;
    let zone = tz.as_deref().unwrap_or_else(|| before.map_or(home, |it| it.timezone.name()));
    let parsed = if frequency == Frequency::Custom.as_str() {
        by_cron(when, before, zone)?
    } else {
        by_calendar(frequency, when, before, zone)?
    };
    Ok(Some(parsed.map_err(|error| UsageError(error.to_string()))?))
}

type Parsed = Result<Schedule, InvalidSchedule>;

fn by_cron(when: &When, before: Option<&Schedule>, zone: &str) -> Result<Parsed, UsageError> {
    if when.at.is_some() || when.day.is_some() {
        return Err(UsageError("a custom schedule has its times in its cron line: leave out --at and --day".to_owned()));
    }
    let line = when.cron.as_deref().or_else(|| before?.cron.as_ref().map(Cron::as_str));
    Ok(line.map_or(Err(InvalidSchedule::NoCron), |it| Schedule::custom(it, Some(zone))))
}

fn by_calendar(frequency: &str, when: &When, before: Option<&Schedule>, zone: &str) -> Result<Parsed, UsageError> {
    if when.cron.is_some() {
        return Err(UsageError(format!("--cron is of --schedule custom, not of {frequency}")));
    }
    let calendar = before.filter(|it| it.cron.is_none());
    let day = when.day.clone().or_else(|| calendar.map(|it| it.day.to_string()));
    let time = when.at.clone().or_else(|| calendar.filter(|it| it.pinned).map(|it| it.time.format("%H:%M").to_string()));
    Ok(Schedule::parse(frequency, day.as_deref(), time.as_deref(), Some(zone)))
}

/// Sources as `PLATFORM:RESOURCE`.
pub(super) fn parse_sources(sources: &[String]) -> anyhow::Result<Vec<ResourceId>> {
    let parse = |text: &String| text.parse::<ResourceId>().map_err(|error| UsageError(format!("--source: {error}")).into());
    sources.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(words: [Option<&str>; 5]) -> When {
        let [schedule, at, day, tz, cron] = words.map(|it| it.map(str::to_owned));
        When { schedule, at, day, tz, cron }
    }

    fn said(words: [Option<&str>; 5], before: Option<&Schedule>) -> String {
        schedule(&when(words), before, "Asia/Seoul")
            .map_or_else(|error| error.to_string(), |it| it.map_or("nothing".into(), |it| it.describe()))
    }

    #[test]
    fn what_is_said_stands_over_what_there_is() {
        let weekly = Schedule::parse("weekly", Some("friday"), Some("17:30"), Some("Europe/Berlin")).unwrap();
        assert_eq!(said([None; 5], Some(&weekly)), "nothing");
        assert_eq!(said([Some("daily"), None, None, None, None], None), "Daily at 09:00 (Asia/Seoul)");
        assert_eq!(said([Some("daily"), None, None, Some("UTC"), None], None), "Daily at 09:00 (UTC)");
        assert_eq!(said([None, Some("08:15"), None, None, None], Some(&weekly)), "Every Friday at 08:15 (Europe/Berlin)");
        assert_eq!(said([Some("monthly"), None, None, None, None], Some(&weekly)), "Monthly on Friday at 17:30 (Europe/Berlin)");
        assert_eq!(said([None, None, None, None, Some("0 7 * * *")], Some(&weekly)), "By cron 0 7 * * * (Europe/Berlin)");
        let custom = Schedule::custom("0 7 * * *", Some("Asia/Seoul")).unwrap();
        assert_eq!(said([None, None, None, Some("UTC"), None], Some(&custom)), "By cron 0 7 * * * (UTC)");
        assert_eq!(said([Some("daily"), None, None, None, None], Some(&custom)), "Daily at 09:00 (Asia/Seoul)");
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        assert_eq!(said([None, Some("08:15"), None, None, None], None), "--at, --day and --tz are of a schedule: add --schedule");
        let line = Some("0 7 * * *");
        assert_eq!(said([Some("daily"), None, None, None, line], None), "--cron is of --schedule custom, not of daily");
        let times = "a custom schedule has its times in its cron line: leave out --at and --day";
        assert_eq!(said([Some("custom"), Some("08:15"), None, None, line], None), times);
        assert_eq!(said([Some("custom"), None, None, None, None], None), InvalidSchedule::NoCron.to_string());
    }

    #[test]
    fn a_page_of_notion_is_named_by_its_id_or_its_link() {
        let id = "59833787-2cf9-4fdf-8782-e53db20768a5";
        for text in [
            id,
            "598337872cf94fdf8782e53db20768a5",
            "https://www.notion.so/acme/Weekly-status-598337872cf94fdf8782e53db20768a5",
            "https://www.notion.so/Cafe-598337872cf94fdf8782e53db20768a5?pvs=4#top",
        ] {
            assert_eq!(notion_page(text).as_deref(), Some(id), "{text}");
        }
        for text in [
            "",
            "Weekly status",
            "https://www.notion.so/",
            "598337872cf94fdf8782e53db20768a",
            "é9833787-2cf9-4fdf-8782-e53db20768a5é",
        ] {
            assert_eq!(notion_page(text), None, "{text}");
        }
    }
}
