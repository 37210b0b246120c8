"""Reads the simulator with google-api-python-client and compares what it gets with what the simulator holds.

    cargo build -p yarnnn-sim --example serve
    python clients/google_apis.py ../target/debug/examples/serve [large]
"""
import base64
import email
import email.policy

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from simulator import Simulator

simulator = Simulator("google")
told = simulator.told


def service(name, version, path):
    """The client's own service, which reads its discovery document from its wheel, at the simulator's address."""
    made = build(name, version, credentials=Credentials(told["token"]), static_discovery=True)
    made._baseUrl = told["url"] + path
    return made


def everything(collection, key, **arguments):
    """All entries over all pages, as the client walks them, and the last page."""
    found, request = [], collection.list(**arguments)
    while request is not None:
        page = request.execute()
        found += page.get(key, [])
        request = collection.list_next(request, page)
    return found, page


def refused(request, status, reason):
    """The client understands the refusal."""
    try:
        request.execute()
    except HttpError as error:
        assert error.status_code == status and error.error_details[0]["reason"] == reason, error
        return
    raise AssertionError("it was not refused")


users = service("gmail", "v1", "/").users()
messages = users.messages()
start = users.getProfile(userId="me").execute()["historyId"]
labels = {it["name"]: it["id"] for it in users.labels().list(userId="me").execute()["labels"]}
for name, held in told["mail"]["labels"].items():
    found, _ = everything(messages, "messages", userId="me", labelIds=[labels[name]], maxResults=7)
    assert [it["id"] for it in found] == held, name
listed, _ = everything(messages, "messages", userId="me", maxResults=7)
threads = {}
for mail in listed:
    threads.setdefault(mail["threadId"], set()).add(mail["id"])
assert {it: sorted(mails) for it, mails in threads.items()} == told["mail"]["threads"]
for thread, mails in threads.items():
    whole = users.threads().get(userId="me", id=thread, format="minimal").execute()["messages"]
    assert {it["id"] for it in whole if "TRASH" not in it["labelIds"]} == mails
total, files = 0, 0
for mail in [it["id"] for it in listed]:
    full = messages.get(userId="me", id=mail).execute()
    raw = messages.get(userId="me", id=mail, format="raw").execute()["raw"]
    parsed = email.message_from_bytes(base64.urlsafe_b64decode(raw + "=="), policy=email.policy.default)
    headers = {it["name"]: it["value"] for it in full["payload"]["headers"]}
    assert headers["Subject"] == parsed["Subject"], (headers["Subject"], parsed["Subject"])
    parts = [full["payload"]]
    for part in parts:
        parts += part.get("parts", [])
    for part, theirs in zip(sorted(parts, key=lambda it: it["partId"]), parsed.walk(), strict=True):
        assert part["mimeType"] == theirs.get_content_type() and part["filename"] == (theirs.get_filename() or "")
        if theirs.is_multipart():
            continue
        body = part["body"]
        if "attachmentId" in body:
            body = messages.attachments().get(userId="me", messageId=mail, id=body["attachmentId"]).execute()
            files += 1
        theirs = theirs.get_payload(decode=True)
        assert base64.urlsafe_b64decode(body["data"] + "==").strip() == theirs.strip()
    total += 1
sent = messages.send(userId="me", body={"raw": base64.urlsafe_b64encode(b"To: a@b.example\r\n\r\nx").decode()}).execute()
changes, _ = everything(users.history(), "history", userId="me", startHistoryId=start)
assert [it["messagesAdded"][0]["message"]["id"] for it in changes] == [sent["id"]]
refused(users.history().list(userId="me", startHistoryId="1"), 404, "notFound")

calendar = service("calendar", "v3", "/calendar/v3/")
listed, _ = everything(calendar.calendarList(), "items", maxResults=1)
own = {"primary" if it.get("primary") else it["id"]: it["id"] for it in listed}
assert own.keys() == told["events"]["held"].keys()
window = {"timeMin": told["events"]["from"], "timeMax": told["events"]["to"]}
events, tokens = 0, {}
for name, held in told["events"]["held"].items():
    assert calendar.calendars().get(calendarId=name).execute()["id"] == own[name]
    single = {"calendarId": name, "singleEvents": True, "maxResults": 3}
    found, last = everything(calendar.events(), "items", **single, **window)
    assert sorted(it["id"] for it in found) == sorted(held)
    assert all(calendar.events().get(calendarId=name, eventId=it["id"]).execute()["etag"] == it["etag"] for it in found[:9])
    ordered, _ = everything(calendar.events(), "items", orderBy="startTime", **single, **window)
    assert [it["id"] for it in ordered] == held
    tokens[name] = last["nextSyncToken"]
    events += len(found)
single = {"calendarId": "primary", "singleEvents": True, "maxResults": 3}
day = {"date": told["events"]["to"][:10]}
early = {"date": told["events"]["from"][:10]}
made = calendar.events().insert(calendarId="primary", body={"summary": "made", "start": early, "end": day}).execute()
changed, _ = everything(calendar.events(), "items", syncToken=tokens["primary"], **single)
assert [it["id"] for it in changed] == [made["id"]]
refused(calendar.events().list(syncToken="x", **single), 400, "invalid")
refused(calendar.events().list(calendarId="none"), 404, "notFound")
simulator.agrees(
    "google-api-python-client",
    f"{total} mails in {len(threads)} threads, {files} parts by themselves, {events} events of {len(listed)} calendars",
)
