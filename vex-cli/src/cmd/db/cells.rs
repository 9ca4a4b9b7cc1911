//! Rows of tables: columns by name are the id, the vector and the fields.

use vex_db::{FieldType, Row, Schema, Value};

use super::VECTOR;
use super::row::{Parsed, RowProblem};
use super::rows::{Column, Columns};
use crate::io::{Cell, array_of_f32, start};

/// Columns in which other programs count rows.
const COUNTS: [&str; 2] = ["", "__index_level_0__"];

/// Makes a row of the cells of a table. Lengths, and whether the types of values fit, are checked by
/// the database.
pub(super) fn parse(
    columns: &[String],
    cells: Vec<Cell>,
    names: &Columns,
    schema: &Schema,
) -> Result<Parsed, RowProblem> {
    let (mut id, mut vector, mut named, mut fields) = (None, None, Vec::new(), Row::new());
    for (index, (name, cell)) in columns.iter().zip(cells).enumerate() {
        if columns[..index].contains(name) {
            return Err(RowProblem::Twice { name: name.clone() });
        }
        match names.of(name, columns.iter().map(String::as_str), schema) {
            Column::Id => {
                if let Some((_, kind)) = schema.fields().find(|(field, _)| field == name)
                    && let Some(value) = value(name, cell.clone(), kind)?
                {
                    fields.insert(name.clone(), value);
                }
                id = Some(text(name, cell)?);
            }
            Column::Vector if vector.is_none() => vector = Some(elements(VECTOR, cell)?),
            Column::Named if is_empty(&cell) => (),
            Column::Named => named.push((name.clone(), elements(name, cell)?)),
            _ if COUNTS.contains(&name.as_str()) => {}
            _ => {
                let Some((_, kind)) = schema.fields().find(|(field, _)| field == name) else {
                    return Err(RowProblem::unknown(name, schema));
                };
                if let Some(value) = value(name, cell, kind)? {
                    fields.insert(name.clone(), value);
                }
            }
        }
    }
    let missing = || RowProblem::Line { expected: "a column id, or --id-column", found: "none".to_owned() };
    Ok(Parsed { id: id.ok_or_else(missing)?, vector, named, fields })
}

/// An id. Whole numbers are taken as they are spelled.
fn text(name: &str, cell: Cell) -> Result<String, RowProblem> {
    match cell {
        Cell::Text(text) | Cell::Spelled(text) => Ok(text),
        Cell::Int(int) => Ok(int.to_string()),
        other => Err(refuse(name, "text or a whole number", &other)),
    }
}

/// Whether a cell has no value, as text has it or a table.
fn is_empty(cell: &Cell) -> bool {
    matches!(cell, Cell::Null) || matches!(cell, Cell::Spelled(text) if text.trim().is_empty())
}

fn elements(name: &str, cell: Cell) -> Result<Vec<f32>, RowProblem> {
    match cell {
        Cell::Numbers(numbers) => Ok(numbers),
        Cell::Spelled(text) | Cell::Text(text) => {
            let refused = |(position, found)| RowProblem::Element { name: name.to_owned(), position, found };
            array_of_f32(&text).map_err(refused)
        }
        other => Err(refuse(name, "a list of numbers", &other)),
    }
}

/// The value of a field, or `None` for none.
fn value(name: &str, cell: Cell, kind: FieldType) -> Result<Option<Value>, RowProblem> {
    /// Floats below this are all the whole numbers there are: 2 to the power of 53.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let whole = |int: i128| i64::try_from(int).ok();
    let value = match (cell, kind) {
        (Cell::Null, _) => return Ok(None),
        // A data frame has NaN where a number is missing.
        (Cell::Float(float), _) if float.is_nan() => return Ok(None),
        (Cell::Text(text), _) => text.into(),
        (Cell::Bool(bool), _) => bool.into(),
        (Cell::Int(int), FieldType::Float) => (int as f64).into(),
        (Cell::Int(int), _) => match whole(int) {
            Some(int) => int.into(),
            None => return Err(refuse(name, "a whole number of 64 bits", &Cell::Int(int))),
        },
        // A data frame that misses some whole numbers has the others as floats.
        (Cell::Float(float), FieldType::Int) if float.fract() == 0.0 && float.abs() < WHOLE => {
            (float as i64).into()
        }
        (Cell::Float(float), _) => float.into(),
        (Cell::Spelled(text), FieldType::Text | FieldType::Stored) => text.into(),
        (Cell::Spelled(text), _) if text.trim().is_empty() => return Ok(None),
        (Cell::Spelled(text), kind) => {
            let spelled = text.trim();
            let value = match kind {
                FieldType::Int => spelled.parse::<i64>().ok().map(Value::from),
                FieldType::Float => spelled.parse::<f64>().ok().map(Value::from),
                FieldType::Bool => match spelled.to_ascii_lowercase().as_str() {
                    "true" | "1" => Some(true.into()),
                    "false" | "0" => Some(false.into()),
                    _ => None,
                },
                _ => None,
            };
            let expected = match kind {
                FieldType::Int => "a whole number of 64 bits",
                FieldType::Float => "a number",
                _ => "true or false",
            };
            value.ok_or_else(|| refuse(name, expected, &Cell::Spelled(text)))?
        }
        (other, _) => return Err(refuse(name, "text, a number, true or false", &other)),
    };
    Ok(Some(value))
}

fn refuse(name: &str, expected: &'static str, cell: &Cell) -> RowProblem {
    let found = match cell {
        Cell::Null => "no value".to_owned(),
        Cell::Text(text) | Cell::Spelled(text) => start(text),
        Cell::Int(int) => int.to_string(),
        Cell::Float(float) => format!("{float:?}"),
        Cell::Bool(bool) => bool.to_string(),
        Cell::Numbers(numbers) => format!("a list of {}", numbers.len()),
        Cell::Other(kind) => kind.clone(),
    };
    RowProblem::Value { name: name.to_owned(), expected, found }
}

#[cfg(test)]
mod tests {
    use vex_db::{Metric, row};

    use super::*;

    fn schema() -> Schema {
        Schema::new(2, Metric::Cosine).text("lang").int("year").float("price").bool("new").stored("doc")
    }

    fn read(columns: &[&str], cells: &[Cell]) -> Result<Parsed, String> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        parse(&columns, cells.to_vec(), &Columns::default(), &schema()).map_err(|problem| problem.to_string())
    }

    fn spelled(text: &str) -> Cell {
        Cell::Spelled(text.to_owned())
    }

    #[test]
    fn cells_become_values_of_their_fields() {
        let typed = [
            Cell::Int(7),
            Cell::Numbers(vec![0.5, 1.0]),
            Cell::Text("de".to_owned()),
            Cell::Float(2026.0),
            Cell::Int(3),
            Cell::Bool(true),
            Cell::Null,
            Cell::Int(0),
        ];
        let columns = ["id", "vector", "lang", "year", "price", "new", "doc", "__index_level_0__"];
        let expected = Parsed {
            id: "7".to_owned(),
            vector: Some(vec![0.5, 1.0]),
            named: Vec::new(),
            fields: row! { lang: "de", year: 2026, price: 3.0, new: true },
        };
        assert_eq!(read(&columns, &typed), Ok(expected));
        let text = ["7", "[0.5, 1]", "de", "2026", "3", "True", "x", "0"].map(spelled);
        let expected = Parsed {
            id: "7".to_owned(),
            vector: Some(vec![0.5, 1.0]),
            named: Vec::new(),
            fields: row! { lang: "de", year: 2026, price: 3.0, new: true, doc: "x" },
        };
        assert_eq!(read(&columns, &text), Ok(expected));
        let missing = read(&["id", "price"], &[spelled("a"), Cell::Float(f64::NAN)]);
        assert_eq!(missing.unwrap().fields, Row::new());
    }

    #[test]
    fn cells_that_do_not_fit_are_refused_by_name() {
        let id = spelled("a");
        for (column, cell, message) in [
            ("year", spelled("2.5"), "year: expected a whole number of 64 bits, found 2.5"),
            (
                "year",
                Cell::Int(i128::from(u64::MAX)),
                "year: expected a whole number of 64 bits, found 18446744073709551615",
            ),
            ("new", spelled("yes"), "new: expected true or false, found yes"),
            ("vector", spelled("[1, x]"), "vector: expected a number at position 1, found x"),
            ("vector", Cell::Null, "vector: expected a list of numbers, found no value"),
            (
                "doc",
                Cell::Other("Date32".to_owned()),
                "doc: expected text, a number, true or false, found Date32",
            ),
            ("lng", Cell::Null, "no field \"lng\" in the collection, which has lang, year, price, new, doc"),
            ("id", Cell::Null, "id: named twice"),
        ] {
            assert_eq!(read(&["id", column], &[id.clone(), cell]), Err(message.to_owned()), "{column}");
        }
        assert_eq!(
            read(&["lang"], &[Cell::Null]),
            Err("expected a column id, or --id-column, found none".to_owned())
        );
    }
}
