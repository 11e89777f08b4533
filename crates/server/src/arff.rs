//! Feature files in Weka's format (ARFF) as rows to learn from.
//!
//! Columns count by their place: the published files name theirs wrongly. One of them is the label.

use classify::Example;
use features::{Kind, Schema};

/// The rows of a file, in their order.
///
/// # Errors
/// Where a row does not have the schema's columns, in words.
pub fn examples(text: &str, schema: &Schema) -> Result<Vec<Example>, String> {
    let mut is_data = false;
    let mut examples = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('%') {
            continue;
        }
        if !is_data {
            is_data = line.eq_ignore_ascii_case("@data");
            continue;
        }
        examples.push(example(line, schema).map_err(|error| format!("line {number}: {error}"))?);
    }
    if is_data { Ok(examples) } else { Err("it has no @DATA".to_owned()) }
}

fn example(line: &str, schema: &Schema) -> Result<Example, String> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    if cells.len() != schema.columns.len() {
        let (found, wanted) = (cells.len(), schema.columns.len());
        return Err(format!("{found} columns where {} has {wanted}", schema.name));
    }
    let mut features = Vec::with_capacity(cells.len());
    let mut label = None;
    for (column, cell) in schema.columns.iter().zip(cells) {
        if column.kind() == Kind::Label {
            label = Some(cell.trim_matches(['"', '\'']).to_owned());
        }
        if !column.is_feature() {
            continue;
        }
        features.push(match (cell, cell.parse()) {
            ("?", _) => None,
            (_, Ok(value)) => Some(value),
            (_, Err(_)) => return Err(format!("`{cell}` is no number")),
        });
    }
    let label = label.ok_or_else(|| format!("{} has no label", schema.name))?;
    Ok(Example { features, label, origin: 0 })
}

#[cfg(test)]
mod tests {
    use features::ISCX_B;

    use super::*;

    #[test]
    fn a_row_is_its_features_and_its_label() {
        let text = format!("@RELATION a\n% words\n@DATA\n\n{},?,'VPN-P2P'\n", ["7"; 22].join(","));
        let examples = examples(&text, &ISCX_B).unwrap();
        assert_eq!((examples.len(), &*examples[0].label), (1, "VPN-P2P"));
        assert_eq!(examples[0].features[21..], [Some(7.0), None]);
    }

    #[test]
    fn a_row_of_another_schema_is_told_by_its_line() {
        let error = examples("@data\n1,2,P2P\n", &ISCX_B).unwrap_err();
        assert_eq!(error, "line 2: 3 columns where iscx-b has 24");
        let row = format!("@data\n{},x,P2P\n", ["7"; 22].join(","));
        assert_eq!(examples(&row, &ISCX_B).unwrap_err(), "line 2: `x` is no number");
        assert!(examples("", &ISCX_B).is_err());
    }
}
