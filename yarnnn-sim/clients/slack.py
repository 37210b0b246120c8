"""Reads the simulator with slack_sdk and compares what it gets with what the simulator holds.

    cargo build -p yarnnn-sim --example serve
    python clients/slack.py ../target/debug/examples/serve
"""
import json
import subprocess
import sys

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

server = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
told = json.loads(server.stdout.readline())["slack"]
client = WebClient(token=told["token"], base_url=told["url"] + "/")


def everything(method, key, **arguments):
    """All entries over all pages, as the client's own iterator walks them."""
    return [entry for page in method(limit=7, **arguments) for entry in page[key]]


assert client.auth_test()["ok"]
channels = everything(client.conversations_list, "channels", types="public_channel")
assert {it["id"] for it in channels} == set(told["held"])
members = everything(client.users_list, "members")
assert all(client.users_info(user=it["id"])["user"]["id"] == it["id"] for it in members)
total = 0
for channel in channels:
    seen = []
    for message in everything(client.conversations_history, "messages", channel=channel["id"]):
        seen.append(message["ts"])
        if message.get("reply_count"):
            thread = everything(client.conversations_replies, "messages", channel=channel["id"], ts=message["ts"])
            assert thread[0]["ts"] == message["ts"]
            seen += [it["ts"] for it in thread[1:] if it.get("subtype") != "thread_broadcast"]
    assert sorted(seen) == told["held"][channel["id"]], channel["name"]
    total += len(seen)
posted = client.chat_postMessage(channel=channels[0]["id"], text="posted", metadata={"event_type": "a", "event_payload": {}})
assert client.conversations_history(channel=channels[0]["id"], limit=1)["messages"][0]["ts"] == posted["ts"]
try:
    client.conversations_history(channel="C0")
    raise AssertionError("a channel that is not there was read")
except SlackApiError as error:
    assert error.response["error"] == "channel_not_found"
server.stdin.close()
assert server.wait() == 0
print(f"slack_sdk: {len(channels)} channels, {len(members)} members, {total} messages, the same as held")
