//! lodash predicates.
