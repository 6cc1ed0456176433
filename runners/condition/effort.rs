//! What a JSONPath may cost, seen before it is asked.
//!
//! Promises: a query that passes goes through the data a bounded number of times, however it is
//! written: what it finds is never more than a few times what there is to be found. So no process
//! can hold up the cycle of the others by what it asks for.
//! Called by: operands, as they are read.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, SingularQuery, Test,
    TestFunction,
};

/// How often, together, a query may list what it has listed already: `[*, *]` finds all twice,
/// and so does what follows it.
const MOST_TIMES: usize = 8;

/// Whether a query costs too much.
///
/// # Errors
/// Why, in one sentence without a full stop.
pub(super) fn check(query: &JpQuery) -> Result<(), String> {
    let mut effort = Effort { times: 1, has_descended: false };
    effort.segments(&query.segments)
}

struct Effort {
    times: usize,
    has_descended: bool,
}

type Within = Result<(), String>;

impl Effort {
    fn segments(&mut self, segments: &[Segment]) -> Within {
        segments.iter().try_for_each(|segment| self.segment(segment))
    }

    fn segment(&mut self, segment: &Segment) -> Within {
        match segment {
            Segment::Descendant(below) => {
                // A second one would go through everything below each value that was found.
                if std::mem::replace(&mut self.has_descended, true) {
                    return Err("a JSONPath has `..` only once".to_owned());
                }
                self.segment(below)
            }
            Segment::Selector(selector) => self.selector(selector),
            Segment::Selectors(selectors) => {
                self.times = self.times.saturating_mul(times(selectors));
                if self.times > MOST_TIMES {
                    return Err(format!(
                        "this JSONPath may list the same values more than {MOST_TIMES} times"
                    ));
                }
                selectors.iter().try_for_each(|selector| self.selector(selector))
            }
        }
    }

    fn selector(&mut self, selector: &Selector) -> Within {
        match selector {
            Selector::Filter(filter) => self.filter(filter),
            _ => Ok(()),
        }
    }

    fn filter(&mut self, filter: &Filter) -> Within {
        match filter {
            Filter::Or(filters) | Filter::And(filters) => {
                filters.iter().try_for_each(|filter| self.filter(filter))
            }
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(expr),
            Filter::Atom(FilterAtom::Test { expr, .. }) => self.test(expr, false),
            Filter::Atom(FilterAtom::Comparison(comparison)) => {
                let (left, right) = comparison.vals();
                self.comparable(left)?;
                self.comparable(right)
            }
        }
    }

    fn comparable(&mut self, comparable: &Comparable) -> Within {
        match comparable {
            Comparable::Function(function) => self.function(function),
            Comparable::Literal(_)
            | Comparable::SingularQuery(SingularQuery::Current(_) | SingularQuery::Root(_)) => {
                Ok(())
            }
        }
    }

    /// A query in a filter is asked for each value that the filter looks at. One that begins at
    /// the value goes through what lies below it; one that begins at `$` must name one value.
    fn test(&mut self, test: &Test, is_argument: bool) -> Within {
        match test {
            Test::RelQuery(segments) => self.segments(segments),
            Test::AbsQuery(query) if is_argument || !is_singular(query) => Err(
                "a query from `$` inside of a filter can only be compared, and names one value: \
                 else it would be gone through for each item"
                    .to_owned(),
            ),
            Test::AbsQuery(_) => Ok(()),
            Test::Function(function) => self.function(function),
        }
    }

    fn function(&mut self, function: &TestFunction) -> Within {
        match function {
            TestFunction::Custom(_, arguments) => {
                arguments.iter().try_for_each(|argument| self.argument(argument))
            }
            TestFunction::Length(argument) => self.argument(argument),
            TestFunction::Value(argument) | TestFunction::Count(argument) => {
                self.argument(argument)
            }
            TestFunction::Search(text, pattern) | TestFunction::Match(text, pattern) => {
                self.argument(text)?;
                self.argument(pattern)
            }
        }
    }

    fn argument(&mut self, argument: &FnArg) -> Within {
        match argument {
            FnArg::Literal(_) => Ok(()),
            FnArg::Test(test) => self.test(test, true),
            FnArg::Filter(filter) => self.filter(filter),
        }
    }
}

/// How often selectors that stand in one list may find the same.
fn times(selectors: &[Selector]) -> usize {
    let is_apart = |(at, selector): (usize, &Selector)| {
        matches!(selector, Selector::Name(_))
            && selectors.iter().take(at).all(|other| other != selector)
    };
    if selectors.iter().enumerate().all(is_apart) { 1 } else { selectors.len() }
}

fn is_singular(query: &JpQuery) -> bool {
    query
        .segments
        .iter()
        .all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
}

#[cfg(test)]
mod tests {
    use jsonpath_rust::parser::parse_json_path;

    use super::*;

    fn wrong(text: &str) -> Option<String> {
        check(&parse_json_path(text).unwrap()).err()
    }

    #[test]
    fn what_people_ask_for_is_asked() {
        for text in [
            "$",
            "$.order.items[*].kind",
            "$['a','b','c','d','e','f','g','h','i','j'].x",
            "$.items[0,1,2]",
            "$..status",
            "$.items[?@.kind == 'alcohol' && @.count > $.limits.alcohol].name",
            "$.items[?count(@.parts[?@.broken == true]) > 1]",
            "$.items[?@.tags[?@ == 'urgent']]",
            "$.items[?$.order.urgent]",
            "$.items[?search(@.name, 'beer|wine')]",
        ] {
            assert_eq!(wrong(text), None, "{text}");
        }
    }

    #[test]
    fn what_would_never_come_to_an_end_is_not() {
        for (text, why) in [
            (format!("$.a{}", "[0,0]".repeat(24)), "the same values"),
            (format!("$.a{}", "[*,*]".repeat(4)), "the same values"),
            ("$['a','a','a','a','a','a','a','a','a']".to_owned(), "the same values"),
            ("$..*..*".to_owned(), "`..`"),
            ("$..[?@..x]".to_owned(), "`..`"),
            ("$.a[?$.a[?$.a[?@==2]]]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?count($.a[*]) > 1]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?length($.text) > 1]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?match($.text, @)]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?@.b[?$.a[*]]]".to_owned(), "from `$` inside of a filter"),
        ] {
            assert!(wrong(&text).is_some_and(|wrong| wrong.contains(why)), "{text}");
        }
    }
}
