"""Answers of model servers as their published API references print them, one function per dialect and mode."""

from __future__ import annotations

import json
from typing import Any


def _sse(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _data(data: dict[str, Any] | str) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def words(text: str) -> list[str]:
    """The text cut into deltas the way models stream it."""
    parts = text.split(" ")
    return [parts[0], *(f" {each}" for each in parts[1:])]


# --- Anthropic Messages


def anthropic_message(model: str, text: str) -> dict[str, Any]:
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 25,
            "output_tokens": 15,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def anthropic_tool_use(model: str) -> dict[str, Any]:
    message = anthropic_message(model, "I'll check the weather.")
    tool = {
        "type": "tool_use",
        "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6",
        "name": "get_weather",
        "input": {"location": "Paris"},
    }
    return message | {"content": [*message["content"], tool], "stop_reason": "tool_use"}


def anthropic_stream(model: str, text: str) -> list[bytes]:
    start = {
        "type": "message_start",
        "message": anthropic_message(model, "")
        | {"content": [], "stop_reason": None, "usage": {"input_tokens": 25, "output_tokens": 1}},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = [
        _sse(
            "content_block_delta",
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": each}},
        )
        for each in words(text)
    ]
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 15},
    }
    return [
        _sse("message_start", start),
        _sse("content_block_start", block),
        _sse("ping", {"type": "ping"}),
        *deltas,
        _sse("content_block_stop", {"type": "content_block_stop", "index": 0}),
        _sse("message_delta", end),
        _sse("message_stop", {"type": "message_stop"}),
    ]


def anthropic_tool_stream(model: str) -> list[bytes]:
    events = anthropic_stream(model, "Okay, let's check the weather for Paris:")
    tool = {"type": "tool_use", "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "name": "get_weather", "input": {}}
    pieces = ["", '{"location":', ' "Paris"', ', "unit": "celsius"}']
    more = [
        _sse("content_block_start", {"type": "content_block_start", "index": 1, "content_block": tool}),
        *(
            _sse(
                "content_block_delta",
                {
                    "type": "content_block_delta",
                    "index": 1,
                    "delta": {"type": "input_json_delta", "partial_json": each},
                },
            )
            for each in pieces
        ),
        _sse("content_block_stop", {"type": "content_block_stop", "index": 1}),
        _sse(
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {"output_tokens": 89},
            },
        ),
    ]
    return [*events[:-2], *more, events[-1]]


# --- OpenAI Chat Completions


def chat_completion(model: str, text: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 19,
            "completion_tokens": 10,
            "total_tokens": 29,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
    }


def chat_tool_call(model: str) -> dict[str, Any]:
    completion = chat_completion(model, "")
    call = {
        "id": "call_abc123",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    completion["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}]
    return completion


def _chunk(model: str, delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1694268190,
        "model": model,
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return _data(chunk)


def chat_stream(model: str, text: str, *, usage: bool = False) -> list[bytes]:
    events = [
        _chunk(model, {"role": "assistant", "content": ""}),
        *(_chunk(model, {"content": each}) for each in words(text)),
        _chunk(model, {}, "stop"),
    ]
    if usage:
        last = {
            "id": "chatcmpl-123",
            "object": "chat.completion.chunk",
            "created": 1694268190,
            "model": model,
            "choices": [],
        }
        events.append(_data(last | {"usage": chat_completion(model, "")["usage"]}))
    return [*events, _data("[DONE]")]


def chat_tool_stream(model: str) -> list[bytes]:
    def call(**function: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, "function": function}]}

    head = {
        "tool_calls": [
            {"index": 0, "id": "call_abc123", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
        ]
    }
    return [
        _chunk(model, {"role": "assistant", "content": None}),
        _chunk(model, head),
        *(_chunk(model, call(arguments=each)) for each in ('{"', "location", '": "', "Paris", '"}')),
        _chunk(model, {}, "tool_calls"),
        _data("[DONE]"),
    ]


# --- OpenAI Responses


def response(model: str, text: str, status: str = "completed") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "type": "message",
        "id": "msg_67ccd2bf17f0819081ff3bb2cf6508e6",
        "status": status,
        "role": "assistant",
        "content": [part],
    }
    return {
        "id": "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "object": "response",
        "created_at": 1741476542,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": [message] if status == "completed" else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 36,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 87,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 123,
        } if status == "completed" else None,
        "user": None,
        "metadata": {},
    }  # fmt: skip


def response_stream(model: str, text: str) -> list[bytes]:
    item = {"id": "msg_67ccd2bf17f0819081ff3bb2cf6508e6"}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    done = response(model, text)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response(model, "", "in_progress")},
        {"type": "response.in_progress", "response": response(model, "", "in_progress")},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": item | {"type": "message", "status": "in_progress", "role": "assistant", "content": []},
        },
        {
            "type": "response.content_part.added",
            **place,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
        *({"type": "response.output_text.delta", **place, "delta": each} for each in words(text)),
        {"type": "response.output_text.done", **place, "text": text},
        {
            "type": "response.content_part.done",
            **place,
            "part": {"type": "output_text", "text": text, "annotations": []},
        },
        {"type": "response.output_item.done", "output_index": 0, "item": done["output"][0]},
        {"type": "response.completed", "response": done},
    ]
    return [_sse(each["type"], each | {"sequence_number": number}) for number, each in enumerate(events)]


# --- OpenAI embeddings


def embeddings(model: str, count: int) -> dict[str, Any]:
    rows = [
        {"object": "embedding", "embedding": [0.0023064255, -0.009327292, -0.0028842222], "index": n}
        for n in range(count)
    ]
    return {"object": "list", "data": rows, "model": model, "usage": {"prompt_tokens": 8, "total_tokens": 8}}
