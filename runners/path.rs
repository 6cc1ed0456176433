//! lodash paths.
