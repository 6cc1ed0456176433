//! The JSON Schema of cases (`NAME.test.yml`), for editors.

use serde_json::{Value, json};

/// The schema. It lets more pass than the check does, which knows the sequence.
pub fn cases() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cases of a sequence of Rungs",
        "type": "object",
        "required": ["cases"],
        "additionalProperties": false,
        "properties": {
            "sequence": {
                "type": "string",
                "description": "The file of the sequence; without it, `NAME.yml` beside `NAME.test.yml`.",
            },
            "given": { "$ref": "#/$defs/given" },
            "cases": {
                "description": "What the sequence shall do, case by case.",
                "type": "array",
                "items": { "$ref": "#/$defs/case" },
            },
        },
        "$defs": {
            "case": {
                "type": "object",
                "required": ["case", "then"],
                "additionalProperties": false,
                "properties": {
                    "case": { "type": "string", "description": "What it is about, in your own words." },
                    "given": { "$ref": "#/$defs/given" },
                    "when": {
                        "description": "What steps come to, as `ring: busy` or `ring#2: answered+20s`, and what happens, as `+9m: order.status=confirmed`.",
                        "type": "object",
                    },
                    "then": {
                        "description": "Everybody who is reached, in order, and the end: `- +3m: ring to +385...`, `- +9m: completed`.",
                        "type": "array",
                    },
                },
            },
            "given": {
                "description": "What a process starts with.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "data": {
                        "description": "Its data, or `@FILE`; without it, what lies beside the sequence in `NAME.data.json`.",
                        "type": ["object", "string"],
                    },
                    "with": { "description": "What is merged into the data.", "type": "object" },
                    "at": {
                        "description": "When it starts, in its own zone, as 2026-03-29T00:30.",
                        "type": "string",
                    },
                    "timezone": {
                        "description": "The zone of sequences that name none.",
                        "type": "string",
                    },
                },
            },
        },
    })
}
