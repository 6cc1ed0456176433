//! `gt`, `gte`, `lt`, `lte`, `inRange`.

use std::cmp::Ordering;

use super::js::Js;

/// Two strings by their code units, anything else as numbers; none if one of them is NaN.
pub(super) fn compare(value: Js<'_>, other: Js<'_>) -> Option<Ordering> {
    match (value, other) {
        (Js::String(a), Js::String(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        _ => value.number().partial_cmp(&other.number()),
    }
}

/// Within a pair's bounds, or between 0 and `compare_to`, whichever of both is the lower.
pub(super) fn in_range(value: Js<'_>, compare_to: Js<'_>) -> bool {
    let (start, end) = match compare_to {
        Js::Array(pair) if pair.len() == 2 => {
            let bound = |index| finite(compare_to.at(index).unwrap_or(Js::Undefined));
            (bound(0), bound(1))
        }
        end => (0.0, finite(end)),
    };
    let number = value.number();
    number >= start.min(end) && number < start.max(end)
}

/// lodash's `toFinite`.
fn finite(value: Js<'_>) -> f64 {
    let number = value.number();
    if number.is_nan() { 0.0 } else { number.clamp(-f64::MAX, f64::MAX) }
}
