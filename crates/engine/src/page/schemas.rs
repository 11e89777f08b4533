//! What can be exported, and what a feature is, by the one table of columns.

use features::{Column, SCHEMAS, Sample, Schema};
use v1::page::{ColumnRow, FeatureValue, SchemaRow, Words};

/// Every schema with its columns.
pub(super) fn rows() -> Vec<SchemaRow> {
    let rows = SCHEMAS.iter().map(|schema| SchemaRow {
        name: schema.name.to_owned(),
        what: Words { en: schema.what.en.to_owned(), ru: schema.what.ru.to_owned() },
        columns: schema.columns.iter().map(column).collect(),
    });
    rows.collect()
}

/// A column as a row.
pub(crate) fn column(column: &Column) -> ColumnRow {
    ColumnRow {
        name: column.name.to_owned(),
        unit: column.unit.symbol().to_owned(),
        what: words(column),
    }
}

/// The features of a schema with their values, where there are any.
pub(super) fn values(schema: &Schema, sample: Option<&Sample>) -> Vec<FeatureValue> {
    let value = |column: &Column| FeatureValue {
        name: column.name.to_owned(),
        unit: column.unit.symbol().to_owned(),
        what: words(column),
        value: sample.and_then(|it| column.number(it)),
    };
    schema.features().map(value).collect()
}

/// What a column counts.
fn words(column: &Column) -> Words {
    Words { en: column.english(), ru: column.russian() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_offered_with_its_columns() {
        let rows = rows();
        assert_eq!(rows.len(), SCHEMAS.len());
        let column = rows.iter().flat_map(|it| &it.columns).find(|it| it.name == "min_fiat");
        let column = column.unwrap();
        assert_eq!(column.unit, "µs");
        assert!(
            column.what.en.starts_with("Least of ") && column.what.ru.starts_with("Наименьшее")
        );
    }
}
