"""Asks the simulator with openai, in both ways: whole, in pieces, with tools, for an object, and where it refuses.

    cargo build -p yarnnn-sim --example serve
    python clients/openai_sdk.py ../target/debug/examples/serve
"""
import json

import openai
from simulator import Simulator

MODEL = "gpt-6.1-terra"
MATERIAL = '<material-1>\n<item ref="s1">The berths of the harbor are full until the end of May.</item>\n</material-1>'
INPUT = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"], "additionalProperties": False}
FORMAT = {"type": "object", "properties": {"pages": {"type": "array", "items": {"type": "integer"}}}, "required": ["pages"], "additionalProperties": False}

simulator = Simulator("openai")
told = simulator.told
client = openai.OpenAI(api_key=told["key"], base_url=told["url"], max_retries=0)
assert MODEL in {it.id for it in client.models.list()}

question = {"role": "user", "content": MATERIAL}
chat = {"model": MODEL, "messages": [question]}
whole = client.chat.completions.create(**chat)
assert "[s1]" in whole.choices[0].message.content, whole
chunks = list(client.chat.completions.create(**chat, stream=True, stream_options={"include_usage": True}))
assert "".join(it.choices[0].delta.content or "" for it in chunks if it.choices) == whole.choices[0].message.content
assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
tool = {"type": "function", "function": {"name": "Search", "parameters": INPUT, "strict": True}}
called = client.chat.completions.create(**chat, tools=[tool]).choices[0]
assert called.finish_reason == "tool_calls" and "query" in json.loads(called.message.tool_calls[0].function.arguments)
result = {"role": "tool", "tool_call_id": called.message.tool_calls[0].id, "content": "nothing"}
answered = client.chat.completions.create(model=MODEL, messages=[question, called.message, result], tools=[tool])
assert answered.choices[0].finish_reason == "stop"
schema = {"name": "pages", "schema": FORMAT, "strict": True}
fitting = client.chat.completions.create(**chat, response_format={"type": "json_schema", "json_schema": schema})
assert json.loads(fitting.choices[0].message.content) == {"pages": [1]}

asked = {"model": MODEL, "input": MATERIAL, "store": False, "include": ["reasoning.encrypted_content"]}
response = client.responses.create(**asked)
assert response.status == "completed" and response.output_text == whole.choices[0].message.content
with client.responses.stream(**asked) as stream:
    deltas = "".join(it.delta for it in stream if it.type == "response.output_text.delta")
    final = stream.get_final_response()
assert deltas == final.output_text == response.output_text and final.usage == response.usage
tool = {"type": "function", "name": "Search", "parameters": INPUT, "strict": True}
called = client.responses.create(**asked, tools=[tool])
thought, call = called.output
assert (thought.type, call.type) == ("reasoning", "function_call") and thought.encrypted_content
result = {"type": "function_call_output", "call_id": call.call_id, "output": "nothing"}
turns = [{"role": "user", "content": MATERIAL}, thought.model_dump(exclude_none=True), call.model_dump(exclude_none=True), result]
assert client.responses.create(**{**asked, "input": turns}, tools=[tool]).output_text == response.output_text
searched = client.responses.create(**asked, tools=[{"type": "web_search"}])
assert any(it.type == "web_search_call" for it in searched.output)


def refused(kind, ask, **change):
    try:
        ask(**change)
    except kind as error:
        return error.code
    raise AssertionError(f"{change} was not refused")


assert refused(openai.NotFoundError, client.chat.completions.create, **{**chat, "model": "gpt-4"}) == "model_not_found"
assert refused(openai.BadRequestError, client.chat.completions.create, **chat, max_tokens=5) == "unsupported_parameter"
refused(openai.BadRequestError, client.responses.create, **{**asked, "input": [turns[0], turns[2], result]})
assert refused(openai.AuthenticationError, client.with_options(api_key="sk-wrong").responses.create, **asked) == "invalid_api_key"
simulator.agrees("openai", "chat and responses: whole, in pieces, tools, thoughts, an object, a search, four refusals")
