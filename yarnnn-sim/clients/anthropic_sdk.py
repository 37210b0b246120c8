"""Asks the simulator with anthropic: whole, in pieces, with tools, for an object, and where it refuses.

    cargo build -p yarnnn-sim --example serve
    python clients/anthropic_sdk.py ../target/debug/examples/serve
"""
import anthropic
from simulator import Simulator

MODEL = "claude-sonnet-5-5"
MATERIAL = '<material-1>\n<item ref="s1">The berths of the harbor are full until the end of May.</item>\n</material-1>'
SEARCH = {
    "name": "Search",
    "description": "Finds what is stored.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"], "additionalProperties": False},
}
FORMAT = {"type": "object", "properties": {"pages": {"type": "array", "items": {"type": "integer"}}}, "required": ["pages"], "additionalProperties": False}

simulator = Simulator("anthropic")
told = simulator.told
client = anthropic.Anthropic(api_key=told["key"], base_url=told["url"], max_retries=0)
question = {"role": "user", "content": MATERIAL}
asked = {"model": MODEL, "max_tokens": 1000, "messages": [question]}

whole = client.messages.create(**asked)
assert whole.stop_reason == "end_turn" and "[s1]" in whole.content[0].text, whole
with client.messages.stream(**asked) as stream:
    pieces = "".join(stream.text_stream)
    final = stream.get_final_message()
assert pieces == final.content[0].text == whole.content[0].text
assert (final.usage.input_tokens, final.usage.output_tokens) == (whole.usage.input_tokens, whole.usage.output_tokens)

called = client.messages.create(**asked, tools=[SEARCH], thinking={"type": "adaptive"})
assert [it.type for it in called.content] == ["thinking", "tool_use"] and called.stop_reason == "tool_use"
with client.messages.stream(**asked, tools=[SEARCH], thinking={"type": "adaptive"}) as stream:
    streamed = stream.get_final_message()
assert streamed.content[1].input == called.content[1].input and streamed.content[0].signature
result = {"type": "tool_result", "tool_use_id": called.content[1].id, "content": "nothing"}
turns = [question, {"role": "assistant", "content": [it.model_dump() for it in called.content]}, {"role": "user", "content": [result]}]
answered = client.messages.create(model=MODEL, max_tokens=1000, messages=turns, tools=[SEARCH], thinking={"type": "adaptive"})
assert answered.stop_reason == "end_turn", answered

fitting = client.messages.create(**asked, output_config={"format": {"type": "json_schema", "schema": FORMAT}})
assert fitting.content[0].text == '{"pages":[1]}', fitting
searched = client.messages.create(**asked, tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}])
assert searched.usage.server_tool_use.web_search_requests == 1 and searched.content[1].content[0].url.endswith("/web/harbor/berths")


def refused(kind, **change):
    try:
        client.messages.create(**{**asked, **change})
    except kind as error:
        return error
    raise AssertionError(f"{change} was not refused")


assert refused(anthropic.NotFoundError, model="claude-sonnet-4-20250514").request_id
turns[1]["content"][0]["thinking"] = "Something else."
refused(anthropic.BadRequestError, messages=turns, tools=[SEARCH])
client = client.with_options(api_key="sk-ant-wrong")
refused(anthropic.AuthenticationError)
simulator.agrees("anthropic", "whole, in pieces, tools, thoughts, an object, a search, three refusals")
