//! Rows as lines of JSON.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use vex_db::{FieldType, NamedVectors, Row, RowError, Schema, Value};

use super::rows::{Column, Columns};
use super::{ID, VECTOR};
use crate::io::Members;

/// A row that was read.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    pub(super) id: String,
    /// The vector, unless the line has none.
    pub(super) vector: Option<Vec<f32>>,
    /// The vectors with names.
    pub(super) named: NamedVectors,
    pub(super) fields: Row,
}

/// Why a line is not a row.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum RowProblem {
    #[error("column {column}: {message}")]
    Json { column: usize, message: String },
    #[error("{name}: {message}")]
    Text { name: String, message: String },
    #[error("expected {expected}, found {found}")]
    Line { expected: &'static str, found: String },
    #[error("{name}: expected {expected}, found {found}")]
    Value { name: String, expected: &'static str, found: String },
    #[error("{name}: expected a number at position {position}, found {found}")]
    Element { name: String, position: usize, found: String },
    #[error("{name}: named twice")]
    Twice { name: String },
    #[error("{0}")]
    Unknown(RowError),
}

impl RowProblem {
    /// The collection has no field of this name.
    pub(super) fn unknown(name: &str, schema: &Schema) -> Self {
        let known = schema.fields().map(|(name, _)| name.to_owned()).collect();
        Self::Unknown(RowError::UnknownField { field: name.to_owned(), known })
    }
}

/// Reads a row. Lengths, and whether the types of values fit, are checked by the database.
pub(super) fn parse(line: &str, names: &Columns, schema: &Schema) -> Result<Parsed, RowProblem> {
    if !line.trim_start().starts_with('{') {
        return Err(RowProblem::Line { expected: "an object", found: start(line) });
    }
    let members: Members<'_> = serde_json::from_str(line)
        .map_err(|error| RowProblem::Json { column: error.column(), message: message(&error) })?;
    let (mut id, mut vector, mut named, mut fields) = (None, None, Vec::new(), Row::new());
    for (at, (name, raw)) in members.0.iter().enumerate() {
        if members.0[..at].iter().any(|(other, _)| other == name) {
            return Err(RowProblem::Twice { name: name.clone() });
        }
        match names.of(name, members.0.iter().map(|(name, _)| name.as_str()), schema) {
            Column::Id => {
                if let Some((_, kind)) = schema.fields().find(|(field, _)| field == name)
                    && let Some(value) = value(name, raw, kind)?
                {
                    fields.insert(name.clone(), value);
                }
                id = Some(text(name, raw)?);
            }
            Column::Vector if vector.is_none() => vector = Some(elements(VECTOR, raw)?),
            Column::Named if raw.get() == "null" => (),
            Column::Named => named.push((name.clone(), elements(name, raw)?)),
            _ => {
                let field = schema.fields().find(|(field, _)| field == name);
                let Some((_, kind)) = field else { return Err(RowProblem::unknown(name, schema)) };
                if let Some(value) = value(name, raw, kind)? {
                    fields.insert(name.clone(), value);
                }
            }
        }
    }
    let missing = || RowProblem::Line { expected: "an id", found: "none".to_owned() };
    Ok(Parsed { id: id.ok_or_else(missing)?, vector, named, fields })
}

/// The message without its place, which counts lines of its own.
fn message(error: &serde_json::Error) -> String {
    let (message, place) =
        (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// JSON for a message.
fn start(json: &str) -> String {
    const MOST: usize = 40;
    let json = json.trim();
    match json.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}

fn text(name: &str, raw: &RawValue) -> Result<String, RowProblem> {
    let raw = raw.get();
    if !raw.starts_with('"') {
        return Err(RowProblem::Value { name: name.to_owned(), expected: "text", found: start(raw) });
    }
    serde_json::from_str(raw)
        .map_err(|error| RowProblem::Text { name: name.to_owned(), message: message(&error) })
}

fn elements(name: &str, raw: &RawValue) -> Result<Vec<f32>, RowProblem> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| RowProblem::Value {
        name: name.to_owned(),
        expected: "an array of numbers",
        found: start(raw.get()),
    })?;
    let element = |(position, raw): (usize, &&RawValue)| {
        // The standard library rounds once. It also reads words such as inf, which JSON has not.
        raw.get().parse().map_err(|_| RowProblem::Element {
            name: name.to_owned(),
            position,
            found: start(raw.get()),
        })
    };
    elements.iter().enumerate().map(element).collect()
}

/// Floats below this are all the whole numbers there are: 2 to the power of 53.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// The value of a field, or `None` for null.
fn value(name: &str, raw: &RawValue, kind: FieldType) -> Result<Option<Value>, RowProblem> {
    let json = raw.get();
    let refuse = |expected| Err(RowProblem::Value { name: name.to_owned(), expected, found: start(json) });
    Ok(Some(match json.as_bytes() {
        b"null" => return Ok(None),
        b"true" => true.into(),
        b"false" => false.into(),
        [b'"', ..] => text(name, raw)?.into(),
        [b'[' | b'{', ..] => {
            return refuse("text, a number, true or false; arrays and objects can be stored as text");
        }
        _ => {
            let is_whole = !json.contains(['.', 'e', 'E']);
            let float = json.parse::<f64>();
            match (kind, json.parse::<i64>(), float) {
                (FieldType::Float, _, Ok(float)) => float.into(),
                (_, Ok(int), _) => int.into(),
                // Some programs write whole numbers so, such as 2026.0.
                (FieldType::Int, _, Ok(float))
                    if !is_whole && float.fract() == 0.0 && float.abs() < WHOLE =>
                {
                    (float as i64).into()
                }
                (FieldType::Stored, _, Ok(float)) if !is_whole => float.into(),
                (FieldType::Int | FieldType::Stored, ..) => return refuse("a whole number of 64 bits"),
                (_, _, Ok(float)) => float.into(),
                _ => return refuse("a number"),
            }
        }
    }))
}

/// A row to be written: what [`parse`] reads.
pub(super) struct Line<'r> {
    pub(super) id: &'r str,
    pub(super) vector: Option<&'r [f32]>,
    pub(super) named: &'r [(String, Vec<f32>)],
    pub(super) fields: &'r Row,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(ID, self.id)?;
        for (name, value) in self.fields.iter() {
            map.serialize_entry(name, &Json(value))?;
        }
        if let Some(vector) = self.vector {
            map.serialize_entry(VECTOR, vector)?;
        }
        for (name, vector) in self.named {
            map.serialize_entry(name, vector)?;
        }
        map.end()
    }
}

/// The fields of a row as an object.
pub(super) struct Object<'r>(pub(super) &'r Row);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Json(value))))
    }
}

/// A value as JSON has it.
struct Json<'v>(&'v Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            // JSON has no infinity, but numbers of any size. Most readers take this one for infinite,
            // others refuse it, and none takes it for a text or for no value.
            Value::Float(float) if float.is_infinite() => {
                let number = if *float > 0.0 { "1e999" } else { "-1e999" };
                RawValue::from_string(number.to_owned())
                    .map_err(serde::ser::Error::custom)?
                    .serialize(serializer)
            }
            Value::Float(float) => serializer.serialize_f64(*float),
            other => Err(serde::ser::Error::custom(format!("no JSON for {}", other.type_name()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use vex_db::{Metric, row};

    use super::*;

    fn schema() -> Schema {
        Schema::new(2, Metric::Cosine).text("lang").int("year").float("price").bool("new").stored("doc")
    }

    fn fields(json: &str) -> Row {
        parse(&format!("{{\"id\": \"a\", {json}}}"), &Columns::default(), &schema()).unwrap().fields
    }

    fn refused(line: &str) -> String {
        parse(line, &Columns::default(), &schema()).unwrap_err().to_string()
    }

    #[test]
    fn numbers_are_read_as_the_field_keeps_them() {
        assert_eq!(fields(r#""year": 9223372036854775807"#), row! { year: i64::MAX });
        assert_eq!(fields(r#""year": -9223372036854775808"#), row! { year: i64::MIN });
        assert_eq!(fields(r#""year": 2.026e3"#), row! { year: 2026 });
        assert_eq!(fields(r#""price": 3, "doc": 3"#), row! { price: 3.0, doc: 3 });
        assert_eq!(fields(r#""doc": 3.0"#), row! { doc: 3.0 });
        // Rounded to the nearest, which a reader that rounds twice misses.
        assert_eq!(fields(r#""price": 7.0385313e-26"#), row! { price: 7.0385313e-26 });
        assert_eq!(fields(r#""price": 1e999"#), row! { price: f64::INFINITY });
        assert_eq!(fields(r#""price": null, "new": false"#), row! { new: false });
        for json in ["9223372036854775808", "2.5", "1e300", "9007199254740992.0"] {
            let expected = format!("year: expected a whole number of 64 bits, found {json}");
            assert_eq!(refused(&format!(r#"{{"id": "a", "year": {json}}}"#)), expected);
        }
        let expected = "doc: expected a whole number of 64 bits, found 9223372036854775808";
        assert_eq!(refused(r#"{"id": "a", "doc": 9223372036854775808}"#), expected);
    }

    #[test]
    fn elements_are_rounded_once() {
        let parsed = parse(
            r#"{"vector": [1, -0.5, 1.00000017881393432617187499], "id": "a"}"#,
            &Columns::default(),
            &schema(),
        );
        // Just below the middle of two f32, which f64 cannot tell from the middle.
        assert_eq!(parsed.unwrap().vector, Some(vec![1.0, -0.5, 1.000_000_1]));
    }

    #[test]
    fn lines_that_are_no_rows_are_refused_with_the_place() {
        for (line, expected) in [
            ("[1]", "expected an object, found [1]"),
            ("{\"id\": \"a\"", "column 10: EOF while parsing an object"),
            (r#"{"id": "a"} x"#, "column 13: trailing characters"),
            (r#"{"id": "a", "vector": [NaN]}"#, "column 24: expected value"),
            ("{}", "expected an id, found none"),
            (r#"{"id": 7}"#, "id: expected text, found 7"),
            (r#"{"id": null}"#, "id: expected text, found null"),
            (r#"{"id": "a", "id": "b"}"#, "id: named twice"),
            (r#"{"id": "a", "year": 1, "year": 1}"#, "year: named twice"),
            (
                r#"{"id": "a", "lng": null}"#,
                "no field \"lng\" in the collection, which has lang, year, price, new, doc",
            ),
            (r#"{"id": "a", "vector": 3}"#, "vector: expected an array of numbers, found 3"),
            (r#"{"id": "a", "vector": [1, null]}"#, "vector: expected a number at position 1, found null"),
            (r#"{"id": "a", "vector": ["inf"]}"#, "vector: expected a number at position 0, found \"inf\""),
            (r#"{"id": "a", "doc": "\ud800"}"#, "doc: unexpected end of hex escape"),
            (
                r#"{"id": "a", "doc": [1]}"#,
                "doc: expected text, a number, true or false; arrays and objects can be stored as text, found [1]",
            ),
        ] {
            assert_eq!(refused(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let fields = row! { lang: "é\u{7f}\"", year: -7, price: f64::NEG_INFINITY, new: true, doc: 1.0 };
        let vector = [f32::MIN_POSITIVE, 1.000_000_1];
        let named = vec![("title".to_owned(), vec![0.5; 3]), ("embedding".to_owned(), vec![1.0])];
        let line = Line { id: "note/\u{9b}7", vector: Some(&vector), named: &named, fields: &fields };
        let line = serde_json::to_string(&line).unwrap();
        let expected = Parsed { id: "note/\u{9b}7".to_owned(), vector: Some(vector.to_vec()), named, fields };
        let schema = schema().vector("title", 3).vector("embedding", 1);
        assert_eq!(parse(&line, &Columns::default(), &schema), Ok(expected));
    }
}
