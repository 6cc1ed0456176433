//! Many rows in one statement.
//!
//! A bulk statement is written over a relation `r`, where `ROWS` stands. Its text does not
//! depend on the rows, so that it is prepared once: PostgreSQL takes them as one array per
//! column. SQLite, which reads JSON more slowly than it binds, takes them as `VALUES`, in
//! portions of a few fixed sizes.

use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    Result, Store,
    dialect::{Column, Dialect},
};

/// The largest portion on SQLite, which binds 32,766 values at most.
const MOST: usize = 512;

/// Rows for a bulk statement.
pub(super) struct Bulk<const N: usize> {
    columns: &'static [(&'static str, Column); N],
    cells: [Vec<Value>; N],
}

/// A statement and its parameters.
type Portion = (String, Vec<Value>);

impl<const N: usize> Bulk<N> {
    /// No rows yet, with room for so many.
    pub(super) fn new(columns: &'static [(&'static str, Column); N], rows: usize) -> Self {
        Self { columns, cells: std::array::from_fn(|_| Vec::with_capacity(rows)) }
    }

    /// One more row.
    pub(super) fn push(&mut self, row: [Value; N]) {
        for (cells, value) in self.cells.iter_mut().zip(row) {
            cells.push(value);
        }
    }

    fn len(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    fn portions(self, sql: &str, dialect: Dialect) -> Vec<Portion> {
        if self.len() == 0 {
            return Vec::new();
        }
        match dialect {
            Dialect::Postgres => vec![self.arrays(sql)],
            Dialect::Sqlite => self.values(sql),
        }
    }

    fn arrays(self, sql: &str) -> Portion {
        let relation = Dialect::arrays(self.columns);
        let values = self.columns.iter().zip(self.cells);
        let values = values.map(|((_, column), cells)| column.array(cells)).collect();
        (sql.replace("ROWS", &relation), values)
    }

    fn values(self, sql: &str) -> Vec<Portion> {
        let (mut left, columns) = (self.len(), self.columns);
        let mut cells = self.cells.map(Vec::into_iter);
        let mut portions = Vec::new();
        while left > 0 {
            // Powers of two: few different statements, whatever the number of rows.
            let rows = MOST.min(1 << left.ilog2());
            let mut values = Vec::with_capacity(rows * N);
            for _ in 0..rows {
                values.extend(cells.iter_mut().filter_map(Iterator::next));
            }
            portions.push((sql.replace("ROWS", &Dialect::values(columns, rows)), values));
            left -= rows;
        }
        portions
    }
}

impl Store {
    /// Runs a bulk statement.
    pub(super) async fn run_bulk<const N: usize>(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        bulk: Bulk<N>,
    ) -> Result<()> {
        for (sql, values) in bulk.portions(sql, self.dialect) {
            self.run(db, &sql, values).await?;
        }
        Ok(())
    }

    /// The rows that a bulk statement returns.
    pub(super) async fn rows_of_bulk<const N: usize>(
        &self,
        db: &impl ConnectionTrait,
        sql: &str,
        bulk: Bulk<N>,
    ) -> Result<Vec<QueryResult>> {
        let mut rows = Vec::new();
        for (sql, values) in bulk.portions(sql, self.dialect) {
            rows.extend(self.rows(db, &sql, values).await?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[(&str, Column); 2] = &[("key", Column::Text), ("at", Column::MaybeBigInt)];

    fn bulk(rows: i64) -> Bulk<2> {
        let mut bulk = Bulk::new(COLUMNS, 0);
        for row in 0..rows {
            bulk.push([row.to_string().into(), (row % 2 == 0).then_some(row).into()]);
        }
        bulk
    }

    #[test]
    fn sqlite_takes_portions_of_few_sizes_and_every_row_once() {
        let portions = bulk(1_541).portions("INSERT ... FROM ROWS", Dialect::Sqlite);
        let rows: Vec<usize> = portions.iter().map(|(_, values)| values.len() / 2).collect();
        assert_eq!(rows, [512, 512, 512, 4, 1]);
        assert_eq!(portions[0].0, portions[1].0, "prepared once");
        let keys: Vec<Value> =
            portions.into_iter().flat_map(|(_, values)| values).step_by(2).collect();
        let expected: Vec<Value> = (0..1_541).map(|row: i64| row.to_string().into()).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn postgresql_takes_an_array_of_each_column_and_one_text_for_any_number_of_rows() {
        let (sql, values) = bulk(3).portions("ROWS", Dialect::Postgres).remove(0);
        assert_eq!(values.len(), 2);
        assert_eq!(sql, bulk(700).portions("ROWS", Dialect::Postgres).remove(0).0);
        // Its library has no NULL in an array.
        assert_eq!(values[1], vec![0_i64, i64::MIN, 2].into());
    }

    #[test]
    fn no_rows_are_no_statement() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert!(bulk(0).portions("ROWS", dialect).is_empty());
        }
    }
}
