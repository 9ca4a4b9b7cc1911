//! Values of fields, and rows of them.

use std::fmt;

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text, ordered by its bytes.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number that is not NaN. `-0.0` equals `0.0`.
    Float(f64),
    /// Yes or no, ordered `false` before `true`.
    Bool(bool),
}

impl Value {
    /// The name of the value's type, as messages spell it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Bool(_) => "bool",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Int(int) => int.fmt(f),
            Self::Float(float) => float.fmt(f),
            Self::Bool(bool) => bool.fmt(f),
        }
    }
}

/// Each type that becomes a [`Value`] without a loss.
macro_rules! from {
    ($($Variant:ident: $($Type:ty),+;)*) => {$($(
        impl From<$Type> for Value {
            fn from(value: $Type) -> Self {
                Self::$Variant(value.into())
            }
        }
    )+)*};
}

from! {
    Text: &str, String, &String, Box<str>, std::borrow::Cow<'_, str>;
    Int: i8, i16, i32, i64, u8, u16, u32;
    Float: f32, f64;
    Bool: bool;
}

/// The fields of a row, by name. A field that the row does not have has no value.
///
/// [`row!`](crate::row!) makes one from literals. [`set`](Self::set) adds fields whose names are
/// known at run time.
///
/// # Examples
/// ```
/// use vex_db::{Row, row};
///
/// let row = row! { lang: "de", year: 2026 };
/// assert_eq!(row.text("lang"), Some("de"));
/// assert_eq!(Row::new().set("lang", "de").set("year", 2026), row);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Ascending by name.
    fields: Vec<(String, Value)>,
}

impl Row {
    /// A row without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field, in place of an earlier value.
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(field.into(), value.into());
        self
    }

    /// Sets a field, in place of an earlier value.
    pub fn insert(&mut self, field: String, value: Value) {
        match self.fields.binary_search_by(|(name, _)| name.as_str().cmp(&field)) {
            Ok(at) => self.fields[at].1 = value,
            Err(at) => self.fields.insert(at, (field, value)),
        }
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        let at = self.fields.binary_search_by(|(name, _)| name.as_str().cmp(field)).ok()?;
        Some(&self.fields[at].1)
    }

    /// The value of a field that is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.get(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a field that is a whole number.
    pub fn int(&self, field: &str) -> Option<i64> {
        match self.get(field)? {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The value of a field that is a number.
    pub fn float(&self, field: &str) -> Option<f64> {
        match self.get(field)? {
            Value::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The value of a field that is yes or no.
    pub fn bool(&self, field: &str) -> Option<bool> {
        match self.get(field)? {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The fields, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields have a value.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether no field has a value.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Row {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        fields.into_iter().fold(Self::new(), |row, (name, value)| row.set(name, value))
    }
}

/// A [`Row`](crate::Row) of these fields: `row! { lang: "de", year: 2026 }`.
#[macro_export]
macro_rules! row {
    ($($field:ident: $value:expr),* $(,)?) => {
        $crate::Row::new()$(.set(stringify!($field), $value))*
    };
}
