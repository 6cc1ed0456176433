//! The unary predicates: of what kind a value is.

use super::{LodashCommand, js::Js};

/// Tests a unary command; one that is not has no place here, and is false.
pub(super) fn test(command: LodashCommand, value: Js<'_>) -> bool {
    match command {
        LodashCommand::IsArray => matches!(value, Js::Array(_)),
        LodashCommand::IsBoolean => matches!(value, Js::Bool(_)),
        LodashCommand::IsEmpty => is_empty(value),
        LodashCommand::IsFinite => matches!(value, Js::Number(number) if number.is_finite()),
        LodashCommand::IsInteger => {
            matches!(value, Js::Number(number) if number.is_finite() && number.fract() == 0.0)
        }
        LodashCommand::IsNan => value.is_nan(),
        LodashCommand::IsNil => value.is_nil(),
        LodashCommand::IsNull => matches!(value, Js::Null),
        LodashCommand::IsNumber => matches!(value, Js::Number(_)),
        LodashCommand::IsObject => matches!(value, Js::Array(_) | Js::Object(_)),
        LodashCommand::IsPlainObject => matches!(value, Js::Object(_)),
        LodashCommand::IsString => matches!(value, Js::String(_)),
        LodashCommand::IsUndefined => matches!(value, Js::Undefined),
        _ => false,
    }
}

fn is_empty(value: Js<'_>) -> bool {
    match value {
        Js::String(text) => text.is_empty(),
        Js::Array(items) => items.is_empty(),
        Js::Object(entries) => entries.is_empty(),
        _ => true,
    }
}
