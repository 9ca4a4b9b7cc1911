//! A row as the store keeps it: its id, which vectors it has, and its fields by number.
//!
//! ```text
//! text the id
//! short the vectors with names: bit 0 is set if the row has vector 1, and so on
//! short number of fields
//! each field: short 4 * its number + 0 text | 1 int | 2 float | 3 bool, then the value
//! ```
//!
//! Short numbers are those of [`bytes`](crate::bytes). A text is its length, a short number, and
//! its bytes. Of an int, the sign goes to the lowest bit: 0, -1, 1, -2 are the short numbers 0, 1,
//! 2, 3. A float is of 8 bytes, little-endian.

use crate::bytes::{Damaged, Reader, put_short, put_text};
use crate::column::{Key, exact};
use crate::error::human_list;
use crate::schema::MAIN;
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
    #[error("no field {field:?} in the collection, which has {}", human_list(.known, "none"))]
    UnknownField {
        /// The name.
        field: String,
        /// The fields that there are.
        known: Vec<String>,
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

/// The bytes of a row, if it fits the schema. The row has the main vector, and those of these
/// numbers.
pub(crate) fn encode(
    id: &str,
    named: impl IntoIterator<Item = u16>,
    row: &Row,
    schema: &Schema,
) -> Result<Vec<u8>, RowError> {
    check_id(id)?;
    let mut fields = Vec::with_capacity(row.len());
    for (name, value) in row.iter() {
        let Some((number, kind)) = schema.find(name) else {
            return Err(RowError::UnknownField { field: name.to_owned(), known: schema.field_names() });
        };
        fields.push((number, checked(name, value, kind)?));
    }
    fields.sort_unstable_by_key(|(number, _)| *number);
    let mut out = Vec::new();
    put_text(&mut out, id);
    put_short(&mut out, named.into_iter().fold(0, |bits, number| bits | 1 << (number - 1)));
    put_short(&mut out, fields.len() as u64);
    for (number, value) in fields {
        let kind = match value {
            Value::Text(_) => 0,
            Value::Int(_) => 1,
            Value::Float(_) => 2,
            Value::Bool(_) => 3,
        };
        put_short(&mut out, u64::from(number) << 2 | kind);
        match value {
            Value::Text(text) => put_text(&mut out, &text),
            Value::Int(int) => put_short(&mut out, (int << 1 ^ int >> 63) as u64),
            Value::Float(float) => out.extend_from_slice(&float.to_le_bytes()),
            Value::Bool(bool) => out.push(u8::from(bool)),
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

/// The numbers of the vectors that a row has, ascending. The main one is always there.
pub(crate) fn vectors(bytes: &[u8], schema: &Schema) -> Result<Vec<u16>, Damaged> {
    let mut reader = Reader::new(bytes);
    reader.text()?;
    let bits = reader.short()?;
    let numbers = 1..schema.vector_types().len() as u16;
    if bits >> numbers.len() != 0 {
        return Err(Damaged);
    }
    let has = |number: &u16| bits >> (number - 1) & 1 == 1;
    Ok([MAIN].into_iter().chain(numbers.filter(has)).collect())
}

/// Calls `each` with every field of a row.
fn for_each(bytes: &[u8], mut each: impl FnMut(u16, Borrowed<'_>)) -> Result<(), Damaged> {
    let mut reader = Reader::new(bytes);
    reader.text()?;
    reader.short()?;
    for _ in 0..reader.short()? {
        let head = reader.short()?;
        let number = u16::try_from(head >> 2).map_err(|_| Damaged)?;
        let value = match head & 3 {
            0 => Borrowed::Text(reader.text()?),
            1 => Borrowed::Value(Value::Int({
                let short = reader.short()?;
                (short >> 1) as i64 ^ -((short & 1) as i64)
            })),
            2 => Borrowed::Value(Value::Float(f64::from_bits(reader.u64()?))),
            _ => Borrowed::Value(Value::Bool(match reader.u8()? {
                0 => false,
                1 => true,
                _ => return Err(Damaged),
            })),
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
        let schema = schema.vector("title", 2).vector("cover", 3);
        let row = row! { lang: "de", year: -7, price: 3, new: true, doc: "ä".repeat(5_000) };
        let bytes = encode("note/7", [2], &row, &schema).unwrap();
        assert_eq!(id(&bytes), Ok("note/7"));
        assert_eq!(vectors(&bytes, &schema), Ok(vec![0, 2]));
        assert_eq!(vectors(&bytes, &Schema::new(2, Metric::Cosine)), Err(Damaged));
        assert_eq!(super::row(&bytes, &schema, None), Ok(row.clone().set("price", 3.0)));
        assert_eq!(super::row(&bytes, &schema, Some(&[1])), Ok(row! { year: -7 }));
        assert_eq!(keys(&bytes, &schema).unwrap().len(), 4);
        for year in [0, -1, 1, 63, -64, 64, i64::MAX, i64::MIN] {
            let bytes = encode("a", [], &row! { year: year }, &schema).unwrap();
            assert_eq!(super::row(&bytes, &schema, None), Ok(row! { year: year }));
        }
        for at in 0..bytes.len() {
            assert_eq!(super::row(&bytes[..at], &schema, None), Err(Damaged));
            for change in [1, 2, 4, 128, 255] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                // Whatever it says, it ends.
                let _ = (super::row(&bytes, &schema, None), keys(&bytes, &schema), vectors(&bytes, &schema));
            }
        }
        let refused = |row: Row| encode("a", [], &row, &schema).unwrap_err();
        assert_eq!(
            refused(row! { lng: "de" }).to_string(),
            "no field \"lng\" in the collection, which has lang, year, price, new, doc"
        );
        assert_eq!(
            refused(row! { year: "2020" }).to_string(),
            "field year: expected int, found \"2020\" (text)"
        );
        assert_eq!(refused(row! { price: f64::NAN }), RowError::Nan { field: "price".into() });
        assert_eq!(refused(row! { doc: f64::NAN }), RowError::Nan { field: "doc".into() });
        assert!(matches!(refused(row! { price: i64::MAX }), RowError::Type { .. }));
        assert!(matches!(refused(row! { lang: "x".repeat(1_025) }), RowError::LongText { found: 1_025, .. }));
        assert_eq!(encode("", [], &Row::new(), &schema), Err(RowError::EmptyId));
        assert_eq!(
            encode(&"x".repeat(1_025), [], &Row::new(), &schema),
            Err(RowError::LongId { found: 1_025 })
        );
    }
}
