//! The JSON Schema of a sequence, and of a fragment, for editors: made from the runners' own types, so that it
//! is never behind them.
//!
//! Promises: whatever the check takes fits it. It lets more pass than the check does: names of
//! steps, templates and time zones are for the check.
//! Called by: the command line (`schema`).

use rungs_runners::{AltNext, Kind};
use serde_json::{Map, Value, json};

mod cases;

pub use cases::cases;

/// A text with a template in it, which may stand for anything.
pub(crate) const TEMPLATE: &str = "\\{\\{";

/// What a step runs that is no runner: a fragment, by its path.
pub(crate) const PATH: &str = "^\\.\\.?/";

/// The schema of sequences over these runners.
pub fn schema(kinds: &[Kind]) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A sequence of Rungs",
        "type": "object",
        "required": ["sequence", "steps"],
        "additionalProperties": false,
        "properties": {
            "sequence": {
                "type": "string",
                "description": "Its name: up to 100 letters, digits, `-`, `_` and `.`.",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
                "examples": ["order-escalation"],
            },
            "description": { "type": "string", "description": "What it is for." },
            "timezone": {
                "type": "string",
                "description": "The IANA zone in which its dates are meant; may be a template.",
                "examples": ["Europe/Zagreb", "{{restaurant.timezone}}"],
            },
            "priority": {
                "description": "Who goes first where not all can at once.",
                "enum": ["high", "normal", "low"],
                "default": "normal",
            },
            "calendars": {
                "description": "Calendars by name. One of its own file is `calendars/NAME.yml` or `.ics`.",
                "type": "object",
                "additionalProperties": { "$ref": "#/$defs/calendar" },
            },
            "quietHours": { "$ref": "#/$defs/quietHours" },
            "input": {
                "description": "JSON Schema of the data that a process starts with.",
                "type": ["object", "boolean"],
            },
            "defaults": {
                "description": "What all steps that reach somebody say, unless they say otherwise.",
                "type": "object",
                "additionalProperties": false,
                "properties": delivering(),
            },
            "moved": {
                "description": "Steps that bear another id since an earlier version: the old id, \
                                and the one it is now. `rungs apply --move` goes by it.",
                "type": "object",
                "additionalProperties": { "type": "string" },
                "examples": [{ "ring": "call-the-kitchen" }],
            },
            "steps": { "$ref": "#/$defs/steps" },
        },
        "$defs": defs(kinds, |kind| kind.literal),
    })
}

/// The schema of fragments over these runners.
pub fn fragment(kinds: &[Kind]) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A fragment of Rungs: steps that sequences share",
        "type": "object",
        "required": ["fragment", "steps"],
        "additionalProperties": false,
        "properties": {
            "fragment": {
                "type": "string",
                "description": "Its name: up to 100 letters, digits, `-`, `_` and `.`.",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
                "examples": ["ring-kitchen"],
            },
            "description": { "type": "string", "description": "What it is for." },
            "parameters": {
                "description": "JSON Schema of what it takes. Its steps see it as `{{param.phone}}`; a step that runs it gives it under `config`.",
                "type": "object",
                "examples": [{ "required": ["phone"], "properties": { "phone": { "type": "string" } } }],
            },
            "steps": { "$ref": "#/$defs/steps" },
        },
        // A parameter may stand for what is literal in a sequence.
        "$defs": defs(kinds, |_| &[]),
    })
}

/// What both refer to. No template stands for the keys of a runner's that are `literal`.
fn defs(kinds: &[Kind], literal: fn(&Kind) -> &[&str]) -> Map<String, Value> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    let each: Vec<Value> = kinds.iter().map(rule).chain([rule_of_fragments()]).collect();
    let mut defs: Map<String, Value> =
        kinds.iter().map(|kind| (kind.name.to_owned(), config(kind, literal(kind)))).collect();
    defs.extend(common());
    let steps = json!({
        "description": "The steps, from the first to the last.",
        "type": "array",
        "minItems": 1,
        "maxItems": 1000,
        "items": { "$ref": "#/$defs/step" },
    });
    with(with(defs, "step", step(&names, &each)), "steps", steps)
}

fn with(mut map: Map<String, Value>, key: &str, value: Value) -> Map<String, Value> {
    map.insert(key.to_owned(), value);
    map
}

fn step(names: &[&str], rules: &[Value]) -> Value {
    let mut properties = json!({
        "id": {
            "type": "string",
            "description": "Unique in its sequence; other steps name it.",
        },
        "run": {
            "description": "The runner, or the path of a fragment: `./shared/ring-kitchen.yml`.",
            "anyOf": [{ "enum": names }, { "type": "string", "pattern": PATH }],
        },
        "config": {
            "description": "What the runner needs. Texts in it may be Handlebars templates.",
            "type": ["object", "null"],
        },
        "next": { "$ref": "#/$defs/target" },
        "altNext": { "$ref": "#/$defs/target" },
        "quietHours": { "$ref": "#/$defs/quietHours" },
    });
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, delivering()) {
        properties.extend(more);
    }
    json!({
        "type": "object",
        "required": ["id", "run"],
        "additionalProperties": false,
        "properties": properties,
        "allOf": rules,
    })
}

/// What holds for steps of one runner.
fn rule(kind: &Kind) -> Value {
    let mut properties = Map::new();
    let schema = format!("#/$defs/{}", kind.name);
    properties.insert("config".to_owned(), json!({ "$ref": schema }));
    properties.insert("run".to_owned(), json!({ "description": (kind.about)() }));
    let mut quiet = Vec::new();
    if kind.alt_next == AltNext::Never {
        quiet.push("altNext");
    }
    if !kind.delivers || kind.asks {
        quiet.push("quietHours");
    }
    if !kind.delivers {
        quiet.extend(["onFailure", "retry", "inDoubt", "lateness"]);
    }
    properties.extend(quiet.into_iter().map(|key| (key.to_owned(), Value::Bool(false))));
    let required: &[&str] = match kind.alt_next {
        AltNext::Required => &["altNext"],
        _ => &[],
    };
    json!({
        "if": { "properties": { "run": { "const": kind.name } }, "required": ["run"] },
        "then": { "properties": properties, "required": required },
    })
}

/// What holds for steps that run a fragment.
fn rule_of_fragments() -> Value {
    let never = ["quietHours", "onFailure", "retry", "inDoubt", "lateness"];
    let never: Map<String, Value> =
        never.into_iter().map(|key| (key.to_owned(), Value::Bool(false))).collect();
    json!({
        "if": { "properties": { "run": { "type": "string", "pattern": PATH } }, "required": ["run"] },
        "then": { "properties": never },
    })
}

/// The schema of a config, in which a template may stand for everything that is not literal.
fn config(kind: &Kind, literal: &[&str]) -> Value {
    let mut schema = (kind.schema)();
    if let Value::Object(schema) = &mut schema {
        schema.shift_remove("$schema");
        schema.shift_remove("title");
        schema.insert("description".to_owned(), Value::String((kind.about)()));
    }
    rooted(&mut schema, kind.name);
    loosen_inside(&mut schema, literal);
    schema
}

/// References of a schema that has moved to `#/$defs/NAME`.
fn rooted(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::String(target)) = entries.get_mut("$ref")
                && let Some(rest) = target.strip_prefix('#')
            {
                *target = format!("#/$defs/{name}{rest}");
            }
            entries.values_mut().for_each(|value| rooted(value, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| rooted(value, name)),
        _ => {}
    }
}

/// Lets templates stand for the values in a schema, but for those of `literal` keys.
fn loosen_inside(schema: &mut Value, literal: &[&str]) {
    let Value::Object(entries) = schema else { return };
    for (key, value) in entries.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties.iter_mut() {
                    if !literal.contains(&name.as_str()) {
                        loosen(property);
                    }
                }
            }
            ("$defs", Value::Object(defs)) => {
                for one in defs.values_mut() {
                    loosen_inside(one, literal);
                }
            }
            ("items" | "additionalProperties", value @ Value::Object(_)) => loosen(value),
            ("anyOf" | "oneOf" | "allOf", Value::Array(branches)) => {
                for one in branches {
                    loosen_inside(one, literal);
                }
            }
            _ => {}
        }
    }
}

fn loosen(schema: &mut Value) {
    loosen_inside(schema, &[]);
    let Value::Object(entries) = schema else { return };
    let plain = entries.get("type").is_some_and(|of| *of == "string")
        && !["pattern", "format", "maxLength", "minLength", "enum"]
            .iter()
            .any(|key| entries.contains_key(*key));
    if plain {
        return;
    }
    let mut loose = Map::new();
    // What people read stays at the top, where editors look for it.
    for key in ["description", "default", "examples"] {
        if let Some(value) = entries.shift_remove(key) {
            loose.insert(key.to_owned(), value);
        }
    }
    let strict = Value::Object(std::mem::take(entries));
    loose.insert("anyOf".to_owned(), json!([strict, { "type": "string", "pattern": TEMPLATE }]));
    *schema = Value::Object(loose);
}

fn delivering() -> Value {
    json!({
        "onFailure": {
            "description": "What a notification that finally failed does to the process.",
            "enum": ["continue", "fail"],
            "default": "continue",
        },
        "retry": { "$ref": "#/$defs/retry" },
        "inDoubt": {
            "description": "What to do if nobody knows whether it arrived, nor can be asked.",
            "enum": ["repeat", "skip", "fail"],
            "default": "repeat",
        },
        "lateness": { "$ref": "#/$defs/lateness" },
    })
}

fn quiet_hours() -> Value {
    json!({
        "description": "When nothing leaves: what is written then is held until they are over.",
        "anyOf": [
            { "enum": ["none", "off"] },
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "from": { "description": "When they begin.", "type": "string", "examples": ["22:00"] },
                    "to": {
                        "description": "When they end: on the next day, if that is no later than `from`.",
                        "type": "string",
                        "examples": ["07:00"],
                    },
                    "days": { "$ref": "#/$defs/days" },
                    "except": {
                        "description": "Days on which they do not begin.",
                        "anyOf": [
                            { "$ref": "#/$defs/dates" },
                            { "type": "array", "items": { "$ref": "#/$defs/dates" }, "minItems": 1 },
                        ],
                    },
                    "timezone": {
                        "description": "Their IANA zone; else the process's. May be a template.",
                        "type": "string",
                    },
                    "calendar": {
                        "description": "It is quiet as well while this calendar is not open.",
                        "type": "string",
                    },
                },
            },
        ],
    })
}

fn calendar() -> Value {
    json!({
        "description": "When somebody is there.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "description": { "description": "What it is for.", "type": "string" },
            "timezone": { "description": "Its IANA zone; else that of the window or quiet hours that name it.", "type": "string" },
            "hours": {
                "description": "Hours by days of the week, such as `mon-fri: 09:00-17:00`; without them it is open around the clock.",
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        { "type": ["string", "null"], "examples": ["09:00-17:00", "08:00-12:00, 13:00-16:00", "closed"] },
                        { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                    ],
                },
            },
            "holidays": {
                "description": "Days on which it does not open.",
                "type": "array",
                "maxItems": 1000,
                "items": {
                    "anyOf": [
                        { "$ref": "#/$defs/dates" },
                        {
                            "type": "object",
                            "required": ["date"],
                            "additionalProperties": false,
                            "properties": {
                                "date": { "$ref": "#/$defs/dates" },
                                "name": { "description": "What is celebrated.", "type": "string" },
                            },
                        },
                    ],
                },
            },
        },
    })
}

fn common() -> Map<String, Value> {
    let defs = json!({
        "calendar": calendar(),
        "quietHours": quiet_hours(),
        "days": {
            "description": "Days of the week: `mon-fri`, `sat`, numbers from Sunday = 0, or a list of these.",
            "type": ["string", "integer", "array"],
            "items": { "type": ["string", "integer"] },
            "minItems": 1,
            "examples": ["mon-fri", ["sat", "sun"]],
        },
        "dates": {
            "description": "Dates: `2026-12-25`, `12-25` (every year), `2026-12-24..2027-01-02`.",
            "type": "string",
            "examples": ["12-25", "2026-12-24..2027-01-02"],
        },
        "target": {
            "description": "The id of a step, or `end`; in a fragment also `altNext`, which leads to where the `altNext` of the step leads that runs it.",
            "type": "string",
        },
        "duration": {
            "description": "Such as `10 seconds`, `5 minutes`, `1 hour 30 minutes`, or a number of seconds.",
            "type": ["string", "number"],
            "examples": ["10 seconds", "5 minutes"],
        },
        "retry": {
            "description": "How often, and after how long, temporary trouble is tried again.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "attempts": {
                    "description": "Attempts in all, the first included.",
                    "type": "integer", "minimum": 1, "maximum": 100, "default": 5,
                },
                "first": { "$ref": "#/$defs/duration" },
                "factor": {
                    "description": "What each further pause is multiplied by.",
                    "type": "number", "minimum": 1, "maximum": 1000, "default": 2,
                },
                "most": { "$ref": "#/$defs/duration" },
            },
        },
        "lateness": {
            "description": "How late it may still leave, and what becomes of it after that.",
            "type": "object",
            "required": ["most", "then"],
            "additionalProperties": false,
            "properties": {
                "most": { "$ref": "#/$defs/duration" },
                "then": { "enum": ["send", "skip", "fail"] },
            },
        },
    });
    match defs {
        Value::Object(defs) => defs,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use rungs_runners::builtin::KINDS;

    use super::*;

    fn problems(sequence: &Value) -> Vec<String> {
        let validator = jsonschema::options().offline().build(&schema(KINDS)).unwrap();
        validator.iter_errors(sequence).map(|error| error.to_string()).collect()
    }

    fn of_one(step: &Value) -> Value {
        json!({ "sequence": "s", "steps": [step] })
    }

    #[test]
    fn what_the_check_takes_fits() {
        for step in [
            json!({ "id": "a", "run": "WaitForDuration", "config": { "amount": "{{n}}", "unit": "{{u}}" } }),
            json!({ "id": "a", "run": "WaitForDateComparison", "config": { "attribute": "hour", "values": [9, "{{h}}"] } }),
            json!({ "id": "a", "run": "Phone", "config": { "to": "112", "say": "Hi", "ringFor": "{{s}}", "await": "answered" }, "altNext": "end",
                    "retry": { "attempts": 2, "first": "1 minute" }, "lateness": { "most": 60, "then": "skip" } }),
            json!({ "id": "a", "run": "Email", "config": { "to": ["{{x}}", "ana@example.com"], "subject": "s", "text": "t" } }),
            json!({ "id": "a", "run": "PubNub", "config": { "channel": "c", "message": { "any": ["thing", 1] } } }),
            json!({ "id": "a", "run": "../shared/ring.yml", "config": { "phone": "112" }, "altNext": "end" }),
            json!({ "id": "a", "run": "Conditional", "altNext": "end", "config": { "not": { "lodashCommand": "isEmpty", "value": { "type": "get", "value": "x" } } } }),
        ] {
            assert_eq!(problems(&of_one(&step)), [""; 0], "{step}");
        }
    }

    #[test]
    fn what_it_can_see_is_refused() {
        for step in [
            json!({ "id": "a", "run": "Fax" }),
            json!({ "id": "a", "run": "./ring.yml", "retry": {} }),
            json!({ "id": "a", "run": "WaitForDuration", "config": { "amount": 3, "unit": "minuts" } }),
            json!({ "id": "a", "run": "WaitForDuration", "config": { "amount": 3, "unit": "days" }, "retry": {} }),
            json!({ "id": "a", "run": "WaitForDuration", "config": { "amount": 3, "unit": "days" }, "altNext": "b" }),
            json!({ "id": "a", "run": "Phone", "config": { "to": "112", "say": "Hi", "sya": "Hi" } }),
            json!({ "run": "Phone", "config": { "to": "112", "say": "Hi" } }),
            json!({ "id": "a", "run": "GoTo", "config": { "step": "a", "times": "{{n}}" } }),
        ] {
            assert_ne!(problems(&of_one(&step)), [""; 0], "{step}");
        }
    }

    #[test]
    fn a_fragment_fits_its_own() {
        let validator = jsonschema::options().offline().build(&fragment(KINDS)).unwrap();
        let steps = json!([{ "id": "a", "run": "GoTo", "config": { "step": "a", "times": 1 }, "next": "altNext" }]);
        let parameters = json!({ "properties": { "phone": { "type": "string" } } });
        let ring = json!({ "fragment": "ring", "parameters": parameters, "steps": steps });
        assert!(validator.is_valid(&ring));
        let by_parameter = json!({ "step": "a", "times": "{{param.times}}" });
        let steps = json!([{ "id": "a", "run": "GoTo", "config": by_parameter }]);
        assert!(validator.is_valid(&json!({ "fragment": "ring", "steps": steps })));
        assert!(!validator.is_valid(&json!({ "fragment": "ring", "steps": [] })));
        assert!(!validator.is_valid(&json!({ "sequence": "s", "steps": steps })));
    }
}
