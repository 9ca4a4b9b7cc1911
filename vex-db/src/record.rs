//! A row as the store keeps it: its id, then its fields by number.
//!
//! ```text
//! text the id          u16 number of fields
//! each field: u16 its number, u8 0 text | 1 int | 2 float | 3 bool, then the value
//! ```
//!
//! A text is a `u32` length and the bytes. All numbers are little-endian.

use crate::bytes::{Damaged, Reader, put_text};
use crate::column::{Key, exact};
use crate::{FieldType, Row, Schema, Value};

/// The longest id, in bytes.
pub const MAX_ID: usize = 1_024;

/// The longest text in a field that filters can ask for, in bytes. Longer texts go to fields that
/// are stored only.
pub const MAX_INDEXED_TEXT: usize = 1_024;

/// The longest row, in bytes: the id and all fields.
pub const MAX_ROW: usize = 256 << 20;

/// Why a row does not fit a collection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The id is empty.
    #[error("the id is empty")]
    EmptyId,
    /// The id is longer than [`MAX_ID`].
    #[error("id: expected at most {MAX_ID} bytes, found {found}")]
    LongId {
        /// Its length, in bytes.
        found: usize,
    },
    /// The schema has no such field.
    #[error("no field {field:?} in the collection")]
    UnknownField {
        /// The name.
        field: String,
    },
    /// The value is of another type than the field, or is a whole number that no float equals.
    #[error("field {field}: expected {expected}, found {found} ({})", found.type_name())]
    Type {
        /// The name.
        field: String,
        /// The type of the field.
        expected: FieldType,
        /// The value.
        found: Value,
    },
    /// The value is NaN.
    #[error("field {field}: expected a number, found NaN")]
    Nan {
        /// The name.
        field: String,
    },
    /// The text is longer than [`MAX_INDEXED_TEXT`].
    #[error(
        "field {field}: expected at most {MAX_INDEXED_TEXT} bytes, found {found}; stored fields take more"
    )]
    LongText {
        /// The name.
        field: String,
        /// Its length, in bytes.
        found: usize,
    },
    /// The row is longer than [`MAX_ROW`].
    #[error("row: expected at most {MAX_ROW} bytes, found {found}")]
    LongRow {
        /// Its length, in bytes.
        found: usize,
    },
}

/// Checks an id.
pub(crate) fn check_id(id: &str) -> Result<(), RowError> {
    match id.len() {
        0 => Err(RowError::EmptyId),
        1..=MAX_ID => Ok(()),
        found => Err(RowError::LongId { found }),
    }
}

/// The bytes of a row, if it fits the schema.
pub(crate) fn encode(id: &str, row: &Row, schema: &Schema) -> Result<Vec<u8>, RowError> {
    check_id(id)?;
    let mut fields = Vec::with_capacity(row.len());
    for (name, value) in row.iter() {
        let Some((number, kind)) = schema.find(name) else {
            return Err(RowError::UnknownField { field: name.to_owned() });
        };
        fields.push((number, checked(name, value, kind)?));
    }
    fields.sort_unstable_by_key(|(number, _)| *number);
    let mut out = Vec::new();
    put_text(&mut out, id);
    out.extend_from_slice(&(fields.len() as u16).to_le_bytes());
    for (number, value) in fields {
        out.extend_from_slice(&number.to_le_bytes());
        match value {
            Value::Text(text) => {
                out.push(0);
                put_text(&mut out, &text);
            }
            Value::Int(int) => {
                out.push(1);
                out.extend_from_slice(&int.to_le_bytes());
            }
            Value::Float(float) => {
                out.push(2);
                out.extend_from_slice(&float.to_le_bytes());
            }
            Value::Bool(bool) => out.extend_from_slice(&[3, u8::from(bool)]),
        }
        if out.len() > MAX_ROW {
            return Err(RowError::LongRow { found: out.len() });
        }
    }
    Ok(out)
}

/// The value as a field of this type keeps it.
fn checked(name: &str, value: &Value, kind: FieldType) -> Result<Value, RowError> {
    let field = || name.to_owned();
    match (kind, value) {
        (_, Value::Float(float)) if float.is_nan() => Err(RowError::Nan { field: field() }),
        (FieldType::Text, Value::Text(text)) if text.len() > MAX_INDEXED_TEXT => {
            Err(RowError::LongText { field: field(), found: text.len() })
        }
        (FieldType::Float, Value::Int(int)) if exact(*int).is_some() => Ok(Value::Float(*int as f64)),
        (FieldType::Stored, _)
        | (FieldType::Text, Value::Text(_))
        | (FieldType::Int, Value::Int(_))
        | (FieldType::Float, Value::Float(_))
        | (FieldType::Bool, Value::Bool(_)) => Ok(value.clone()),
        _ => Err(RowError::Type { field: field(), expected: kind, found: value.clone() }),
    }
}

/// The id of a row.
pub(crate) fn id(bytes: &[u8]) -> Result<&str, Damaged> {
    Reader::new(bytes).text()
}

/// Calls `each` with every field of a row.
fn for_each(bytes: &[u8], mut each: impl FnMut(u16, Borrowed<'_>)) -> Result<(), Damaged> {
    let mut reader = Reader::new(bytes);
    reader.text()?;
    for _ in 0..reader.u16()? {
        let number = reader.u16()?;
        let value = match reader.u8()? {
            0 => Borrowed::Text(reader.text()?),
            1 => Borrowed::Value(Value::Int(reader.u64()? as i64)),
            2 => Borrowed::Value(Value::Float(f64::from_bits(reader.u64()?))),
            3 => Borrowed::Value(Value::Bool(match reader.u8()? {
                0 => false,
                1 => true,
                _ => return Err(Damaged),
            })),
            _ => return Err(Damaged),
        };
        each(number, value);
    }
    reader.end()
}

/// A value, whose text is not copied yet.
enum Borrowed<'b> {
    Text(&'b str),
    Value(Value),
}

impl Borrowed<'_> {
    fn into_owned(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Value(value) => value,
        }
    }
}

/// The fields of a row: all, or those with these numbers.
pub(crate) fn row(bytes: &[u8], schema: &Schema, wanted: Option<&[u16]>) -> Result<Row, Damaged> {
    let (mut row, mut is_known) = (Row::new(), true);
    for_each(bytes, |number, value| {
        if wanted.is_some_and(|wanted| !wanted.contains(&number)) {
            return;
        }
        match schema.nth(number) {
            Some((name, _)) => row.insert(name.to_owned(), value.into_owned()),
            None => is_known = false,
        }
    })?;
    if is_known { Ok(row) } else { Err(Damaged) }
}

/// The keys of the fields of a row that filters can ask for.
pub(crate) fn keys(bytes: &[u8], schema: &Schema) -> Result<Vec<(u16, Key)>, Damaged> {
    let mut keys = Vec::new();
    for_each(bytes, |number, value| {
        let kind = schema.nth(number).map_or(FieldType::Stored, |(_, kind)| kind);
        if kind != FieldType::Stored
            && let Some(key) = Key::of(&value.into_owned(), kind)
        {
            keys.push((number, key));
        }
    })?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, row};

    #[test]
    fn rows_come_back_and_damaged_rows_are_refused() {
        let schema =
            Schema::new(2, Metric::Cosine).text("lang").int("year").float("price").bool("new").stored("doc");
        let row = row! { lang: "de", year: -7, price: 3, new: true, doc: "ä".repeat(5_000) };
        let bytes = encode("note/7", &row, &schema).unwrap();
        assert_eq!(id(&bytes), Ok("note/7"));
        assert_eq!(super::row(&bytes, &schema, None), Ok(row.clone().set("price", 3.0)));
        assert_eq!(super::row(&bytes, &schema, Some(&[1])), Ok(row! { year: -7 }));
        assert_eq!(keys(&bytes, &schema).unwrap().len(), 4);
        for at in 0..bytes.len() {
            assert_eq!(super::row(&bytes[..at], &schema, None), Err(Damaged));
            for change in [1, 2, 4, 128, 255] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                // Whatever it says, it ends.
                let _ = (super::row(&bytes, &schema, None), keys(&bytes, &schema));
            }
        }
        let refused = |row: Row| encode("a", &row, &schema).unwrap_err();
        assert_eq!(refused(row! { lng: "de" }).to_string(), "no field \"lng\" in the collection");
        assert_eq!(
            refused(row! { year: "2020" }).to_string(),
            "field year: expected int, found \"2020\" (text)"
        );
        assert_eq!(refused(row! { price: f64::NAN }), RowError::Nan { field: "price".into() });
        assert_eq!(refused(row! { doc: f64::NAN }), RowError::Nan { field: "doc".into() });
        assert!(matches!(refused(row! { price: i64::MAX }), RowError::Type { .. }));
        assert!(matches!(refused(row! { lang: "x".repeat(1_025) }), RowError::LongText { found: 1_025, .. }));
        assert_eq!(encode("", &Row::new(), &schema), Err(RowError::EmptyId));
        assert_eq!(encode(&"x".repeat(1_025), &Row::new(), &schema), Err(RowError::LongId { found: 1_025 }));
    }
}
