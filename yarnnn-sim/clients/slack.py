"""Reads the simulator with slack_sdk and compares what it gets with what the simulator holds.

    cargo build -p yarnnn-sim --example serve
    python clients/slack.py ../target/debug/examples/serve [large]
"""
from simulator import Simulator
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

simulator = Simulator("slack")
told = simulator.told
client = WebClient(token=told["token"], base_url=told["url"] + "/")


def everything(method, key, **arguments):
    """All entries over all pages, as the client's own iterator walks them."""
    return [entry for page in method(limit=7, **arguments) for entry in page[key]]


assert client.auth_test()["ok"]
channels = everything(client.conversations_list, "channels", types="public_channel")
assert {it["id"] for it in channels} == set(told["held"])
members = everything(client.users_list, "members")
assert all(client.users_info(user=it["id"])["user"]["id"] == it["id"] for it in members)
total, threads = 0, 0
for channel in channels:
    seen = []
    for message in everything(client.conversations_history, "messages", channel=channel["id"]):
        if message.get("subtype") != "tombstone":
            seen.append(message)
        if message.get("reply_count"):
            thread = everything(client.conversations_replies, "messages", channel=channel["id"], ts=message["ts"])
            # The parent comes first, and Slack may repeat it on further pages.
            replies = [it for it in thread if it["ts"] != message["ts"]]
            assert thread[0]["ts"] == message["ts"] and len(replies) == message["reply_count"]
            seen += [it for it in replies if it.get("subtype") != "thread_broadcast"]
            threads += 1
    texts = {it["ts"]: it["text"] for it in seen}
    assert len(texts) == len(seen), "a message came twice"
    assert texts == told["held"][channel["id"]], channel["name"]
    total += len(seen)
posted = client.chat_postMessage(channel=channels[0]["id"], text="posted", metadata={"event_type": "a", "event_payload": {}})
newest = client.conversations_history(channel=channels[0]["id"], limit=1, include_all_metadata=True)["messages"][0]
assert newest["ts"] == posted["ts"] and newest["metadata"] == {"event_type": "a", "event_payload": {}}
assert "metadata" not in client.conversations_history(channel=channels[0]["id"], limit=1)["messages"][0]
try:
    client.conversations_history(channel="C0")
    raise AssertionError("a channel that is not there was read")
except SlackApiError as error:
    assert error.response["error"] == "channel_not_found"
simulator.agrees("slack_sdk", f"{len(channels)} channels, {len(members)} members, {total} messages, {threads} threads")
