//! Whole-program tests, in one binary.

fn main() {}
