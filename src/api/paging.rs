//! Lists, page by page. A page ends with a cursor that says where the next one begins, so
//! that what is written meanwhile neither hides a row nor shows one twice.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::problem::Problem;

/// Rows on a page, unless the caller asks for another number.
const DEFAULT: u64 = 50;
/// Rows on a page at most.
const MOST: u64 = 200;

/// How many rows a page shall have.
pub(super) fn limit(asked: Option<u64>) -> Result<u64, Problem> {
    match asked.unwrap_or(DEFAULT) {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(Problem::parameter("limit", format!("expected 1 to {MOST}"))),
    }
}

/// Where a page of a list begins. A cursor of another list is refused.
pub(super) fn after<T: DeserializeOwned>(
    list: &str,
    cursor: Option<&str>,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let read = text.and_then(|text| serde_json::from_slice::<(String, T)>(&text).ok());
    match read {
        Some((of, place)) if of == list => Ok(Some(place)),
        _ => {
            let message = "expected the `next_cursor` of an earlier page of this list";
            Err(Problem::parameter("cursor", message))
        }
    }
}

/// Keeps one page of `rows`, which may be longer, and says where the next one begins.
pub(super) fn page<T, P: Serialize>(
    list: &str,
    mut rows: Vec<T>,
    limit: u64,
    place: impl Fn(&T) -> P,
) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let cursor = rows.last().map(|last| encode(list, &place(last)));
    (rows, cursor)
}

fn encode(list: &str, place: &impl Serialize) -> String {
    // A place is made of texts and numbers, which JSON always takes.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, place)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_list_only() {
        let (rows, cursor) = page("numbers", vec![1, 2, 3], 2, |row| *row);
        assert_eq!(rows, [1, 2]);
        let cursor = cursor.as_deref();
        assert_eq!(after::<i32>("numbers", cursor).unwrap(), Some(2));
        assert!(after::<i32>("others", cursor).is_err());
        assert!(after::<String>("numbers", cursor).is_err());
        for wrong in ["", "x", "W10", "%%%", "\u{1f600}"] {
            assert!(after::<i32>("numbers", Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        assert_eq!(page("numbers", vec![1, 2], 2, |row| *row), (vec![1, 2], None));
        assert_eq!(page("numbers", Vec::<i32>::new(), 2, |row| *row), (vec![], None));
    }

    #[test]
    fn a_page_has_one_to_two_hundred_rows() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!((limit(Some(1)).unwrap(), limit(Some(200)).unwrap()), (1, 200));
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
