//! The schema of Rungs, for SQLite and PostgreSQL alike.
