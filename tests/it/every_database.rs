//! Tests that run on every database.

/// Makes a test of each function here for every database.
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::databases::Kind::Sqlite).await }
        )* }
        mod on_postgres { $(
            #[tokio::test]
            async fn $name() { super::$name($crate::databases::Kind::Postgres).await }
        )* }
    };
}
pub(crate) use on_every_database;
