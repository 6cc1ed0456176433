//! The tables, as sea-orm sees them. Used where speed does not matter: lists, look-ups.

/// Published and inline sequences.
pub mod sequence {
    use sea_orm::entity::prelude::*;

    /// One version.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sequences")]
    pub struct Model {
        /// The sequence's name.
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// From 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        /// YAML or JSON, as it was given.
        pub source: String,
        /// SHA-256 of the source, in hex.
        pub hash: String,
        /// Came with a process instead of being published.
        pub inline: bool,
        /// Unix milliseconds.
        pub created_at: i64,
    }

    /// None that sea-orm needs to know.
    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Processes.
pub mod process {
    use sea_orm::entity::prelude::*;

    /// One process.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "processes")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        /// The caller's id.
        pub process_id: String,
        /// The sequence's name.
        pub sequence: String,
        /// The sequence's version.
        pub version: i32,
        /// `active`, `paused`, `completed`, `stopped`, `failed`.
        pub status: String,
        /// A step id.
        pub cursor: Option<String>,
        /// An IANA name.
        pub timezone: String,
        /// JSON object.
        pub data: String,
        /// JSON of `rungs_core::process::State`.
        pub state: String,
        /// Unix milliseconds.
        pub due_at: Option<i64>,
        /// There is news it has not heard.
        pub woken: bool,
        /// Why it failed or was stopped.
        pub reason: Option<String>,
        /// Unix milliseconds.
        pub started_at: i64,
        /// Unix milliseconds.
        pub ended_at: Option<i64>,
        /// 0 is the most urgent.
        pub priority: i32,
    }

    /// None that sea-orm needs to know.
    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Deliveries.
pub mod delivery {
    use sea_orm::entity::prelude::*;

    /// One delivery.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deliveries")]
    pub struct Model {
        /// A UUID made by the core.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// The process that wrote it.
        pub process_key: String,
        /// The step that wrote it.
        pub step: String,
        /// The channel that carries it.
        pub channel: String,
        /// JSON of what to send.
        pub request: String,
        /// JSON of `rungs_core::Retry`, where the step says so.
        pub retry: Option<String>,
        /// A `DeliveryStatus`.
        pub status: String,
        /// Attempts begun.
        pub attempts: i32,
        /// Unix milliseconds: when to try, or to ask.
        pub due_at: Option<i64>,
        /// Unix milliseconds.
        pub lease_until: Option<i64>,
        /// No further attempt.
        pub withdrawn: bool,
        /// The provider's id.
        pub provider_id: Option<String>,
        /// What went wrong last.
        pub error: Option<String>,
        /// JSON list of `rungs_core::delivery::LogLine`.
        pub log: String,
        /// The process has not heard of the status.
        pub news: bool,
        /// Unix milliseconds.
        pub created_at: i64,
        /// Unix milliseconds.
        pub settled_at: Option<i64>,
        /// A `rungs_core::Remedy`, where the step says so.
        pub in_doubt: Option<String>,
        /// Unix milliseconds: from when on it is late.
        pub late_at: Option<i64>,
        /// A `rungs_core::Remedy`: what becomes of it then.
        pub late_then: Option<String>,
        /// Unix milliseconds: when the last attempt began.
        pub begun_at: Option<i64>,
        /// 0 is the most urgent.
        pub priority: i32,
        /// JSON of a `rungs_runners::Answer`, once a question was answered.
        pub answer: Option<String>,
        /// JSON of a `rungs_runners::hours::Quiet`, where it has quiet hours.
        pub quiet: Option<String>,
        /// Unix milliseconds: from when on it may not begin without a look at them.
        pub quiet_at: Option<i64>,
    }

    /// None that sea-orm needs to know.
    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Events.
pub mod event {
    use sea_orm::entity::prelude::*;

    /// One event.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events")]
    pub struct Model {
        /// Order of arrival.
        #[sea_orm(primary_key)]
        pub seq: i64,
        /// The process it happened to.
        pub process_key: String,
        /// Unique for the process.
        pub id: String,
        /// Its type.
        pub r#type: String,
        /// JSON.
        pub data: String,
        /// Unix milliseconds.
        pub at: i64,
        /// The process has heard of it.
        pub applied: bool,
    }

    /// None that sea-orm needs to know.
    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// History.
pub mod history {
    use sea_orm::entity::prelude::*;

    /// What happened to one process at one moment.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "history")]
    pub struct Model {
        /// Order of writing.
        #[sea_orm(primary_key)]
        pub seq: i64,
        /// The process.
        pub process_key: String,
        /// Unix milliseconds.
        pub at: i64,
        /// JSON list of `rungs_core::Entry`.
        pub entries: String,
    }

    /// None that sea-orm needs to know.
    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
