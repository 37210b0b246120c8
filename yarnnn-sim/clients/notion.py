"""Reads the simulator with notion-client and compares what it gets with what the simulator holds.

    cargo build -p yarnnn-sim --example serve
    python clients/notion.py ../target/debug/examples/serve [large]
"""
import logging

from notion_client import APIErrorCode, APIResponseError, Client
from notion_client.helpers import collect_paginated_api, is_full_block, is_full_data_source, is_full_page
from simulator import Simulator

simulator = Simulator("notion")
told = simulator.told
client = Client(auth=told["token"], base_url=told["url"], log_level=logging.ERROR)


def words(block):
    """What one block says, or nothing."""
    value = block[block["type"]]
    if block["type"] == "table_row":
        return " | ".join("".join(it["plain_text"] for it in cell) for cell in value["cells"])
    return "".join(it["plain_text"] for it in value.get("rich_text", []))


def text(parent):
    """All words below a page or block, depth first, sub-pages left out."""
    lines = []
    for block in collect_paginated_api(client.blocks.children.list, block_id=parent, page_size=7):
        assert is_full_block(block)
        lines += [words(block)] if words(block) else []
        if block["has_children"] and block["type"] != "child_page":
            lines += text(block["id"])
    return lines


assert client.users.me()["type"] == "bot"
people = collect_paginated_api(client.users.list, page_size=3)
assert all(client.users.retrieve(it["id"])["id"] == it["id"] for it in people)
found = collect_paginated_api(client.search, page_size=7, sort={"timestamp": "last_edited_time", "direction": "ascending"})
pages = [it for it in found if it["object"] == "page"]
sources = [it for it in found if it["object"] == "data_source"]
assert all(is_full_page(it) for it in pages) and all(is_full_data_source(it) for it in sources)
assert {it["id"] for it in pages} == set(told["held"])
rows = []
for source in sources:
    database = client.databases.retrieve(source["parent"]["database_id"])
    assert source["id"] in [it["id"] for it in database["data_sources"]]
    assert client.data_sources.retrieve(source["id"])["properties"] == source["properties"]
    after = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2000-01-01"}}
    rows += collect_paginated_api(client.data_sources.query, data_source_id=source["id"], filter=after, page_size=2)
assert {it["id"] for it in rows} == {it["id"] for it in pages if it["parent"]["type"] == "data_source_id"}
for page in pages:
    assert client.pages.retrieve(page["id"])["last_edited_time"] == page["last_edited_time"]
    assert "\n".join(text(page["id"])) == told["held"][page["id"]], page["url"]
made = client.pages.create(
    parent={"page_id": pages[0]["id"]},
    properties={"title": [{"text": {"content": "Made by notion-client"}}]},
    children=[{"paragraph": {"rich_text": [{"text": {"content": "one"}}]}}],
)
client.blocks.children.append(made["id"], children=[{"quote": {"rich_text": [{"text": {"content": "two"}}]}}])
assert text(made["id"]) == ["one", "two"]
client.comments.create(parent={"page_id": made["id"]}, rich_text=[{"text": {"content": "three"}}])
assert len(client.comments.list(block_id=made["id"])["results"]) == 1
assert "> two" in client.pages.retrieve_markdown(made["id"])["markdown"]
try:
    client.pages.retrieve("00000000-0000-0000-0000-000000000000")
    raise AssertionError("a page that is not there was read")
except APIResponseError as error:
    assert error.code == APIErrorCode.ObjectNotFound
simulator.agrees("notion-client", f"{len(people)} users, {len(pages)} pages, {len(rows)} of them rows of {len(sources)} data sources")
