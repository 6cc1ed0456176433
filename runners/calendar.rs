//! Calendar arithmetic in a time zone.
