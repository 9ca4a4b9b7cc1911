//! Filters: which rows a search or a scroll may return.
//!
//! A [`Filter`] is a tree that knows the names of fields. [`Filter::compile`] checks it against the
//! schema, once for each query, and gives a [`Compiled`] tree of numbers of fields and ranges of
//! keys. That tree selects a set of nodes from the columns of a segment, or answers for a row.

use std::ops::{BitAnd, BitOr, Bound, Not};

use crate::bits::Bits;
use crate::column::{Column, Key, Range};
use crate::error::human_list;
use crate::{FieldType, Schema, Value};

/// The most levels of a filter's tree. One that was parsed from text has fewer: each of the 100
/// levels of a text is at most an `or` and an `and`.
const MAX_DEPTH: usize = 250;

/// A condition on the fields of a row. It begins with [`field`], and is combined with `&`, `|` and
/// `!`.
///
/// A comparison is false for a row that has no value for the field. So `!field("year").eq(2020)`
/// accepts rows without a year, and `field("year").ne(2020)` does not.
///
/// # Examples
/// ```
/// use vex_db::field;
///
/// let filter = field("lang").eq("de") & (field("year").ge(2020) | !field("year").exists());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(crate) tree: Tree,
    /// Levels of the tree.
    levels: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Test {
        field: String,
        test: Test,
    },
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Too many levels.
    TooDeep,
}

/// What is asked of one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Eq(Value),
    Ne(Value),
    Lt(Value),
    Le(Value),
    Gt(Value),
    Ge(Value),
    Between(Value, Value),
    In(Vec<Value>),
    Prefix(String),
    Exists,
}

/// A field, by its name, as the beginning of a [`Filter`].
pub fn field(name: impl Into<String>) -> Field {
    Field(name.into())
}

/// A field of which a [`Filter`] asks something: see [`field`].
#[derive(Clone, Debug)]
pub struct Field(String);

impl Field {
    /// Rows whose value equals this one.
    pub fn eq(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Eq(value.into()))
    }

    /// Rows that have a value, but another one.
    pub fn ne(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Ne(value.into()))
    }

    /// Rows with a smaller value.
    pub fn lt(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Lt(value.into()))
    }

    /// Rows with a smaller or an equal value.
    pub fn le(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Le(value.into()))
    }

    /// Rows with a greater value.
    pub fn gt(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Gt(value.into()))
    }

    /// Rows with a greater or an equal value.
    pub fn ge(self, value: impl Into<Value>) -> Filter {
        self.test(Test::Ge(value.into()))
    }

    /// Rows with a value from `low` to `high`, both included.
    pub fn between(self, low: impl Into<Value>, high: impl Into<Value>) -> Filter {
        self.test(Test::Between(low.into(), high.into()))
    }

    /// Rows with one of these values.
    pub fn any_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        self.test(Test::In(values.into_iter().map(Into::into).collect()))
    }

    /// Rows whose text begins with this prefix.
    pub fn prefix(self, prefix: impl Into<String>) -> Filter {
        self.test(Test::Prefix(prefix.into()))
    }

    /// Rows that have a value.
    pub fn exists(self) -> Filter {
        self.test(Test::Exists)
    }

    fn test(self, test: Test) -> Filter {
        Filter::of(Tree::Test { field: self.0, test })
    }
}

impl Filter {
    /// A filter of this tree, or one that no collection takes if the tree has too many levels: its
    /// parts would be dropped by as many nested calls.
    fn of(tree: Tree) -> Self {
        let levels = match &tree {
            Tree::Test { .. } | Tree::TooDeep => 0,
            Tree::All(filters) | Tree::Any(filters) => {
                filters.iter().map(|filter| filter.levels).max().unwrap_or(0)
            }
            Tree::Not(inner) => inner.levels,
        };
        if levels < MAX_DEPTH {
            Self { tree, levels: levels + 1 }
        } else {
            Self { tree: Tree::TooDeep, levels: 1 }
        }
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        let mut all = match self.tree {
            Tree::All(all) => all,
            _ => vec![self],
        };
        match other.tree {
            Tree::All(more) => all.extend(more),
            _ => all.push(other),
        }
        Self::of(Tree::All(all))
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        let mut any = match self.tree {
            Tree::Any(any) => any,
            _ => vec![self],
        };
        match other.tree {
            Tree::Any(more) => any.extend(more),
            _ => any.push(other),
        }
        Self::of(Tree::Any(any))
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        match self.tree {
            Tree::Not(inner) => *inner,
            _ => Self::of(Tree::Not(Box::new(self))),
        }
    }
}

/// Why a filter does not fit a collection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The collection has no such field.
    #[error("filter: no field {field:?} in the collection, which has {}", human_list(.known, "none"))]
    UnknownField {
        /// The name.
        field: String,
        /// The fields that there are.
        known: Vec<String>,
    },
    /// The field is stored only.
    #[error("filter: field {field} is stored only, so no filter can ask for it")]
    StoredOnly {
        /// The name.
        field: String,
    },
    /// A value is of another type than the field.
    #[error("filter: field {field}: expected {expected}, found {found} ({})", found.type_name())]
    Type {
        /// The name.
        field: String,
        /// The type of the field.
        expected: FieldType,
        /// The value.
        found: Value,
    },
    /// A number is NaN, to which nothing compares.
    #[error("filter: field {field}: expected a number, found NaN")]
    Nan {
        /// The name.
        field: String,
    },
    /// The tree of conditions has too many levels.
    #[error("filter: expected at most {MAX_DEPTH} levels of conditions")]
    TooDeep,
}

impl Filter {
    /// Checks the filter against a schema.
    pub(crate) fn compile(&self, schema: &Schema) -> Result<Compiled, FilterError> {
        let each = |filters: &[Self]| -> Result<Vec<Compiled>, FilterError> {
            filters.iter().map(|filter| filter.compile(schema)).collect()
        };
        Ok(match &self.tree {
            Tree::Test { field, test } => {
                let (number, ranges) = test.compile(field, schema)?;
                Compiled::Test(number, ranges)
            }
            Tree::All(all) => Compiled::All(each(all)?),
            Tree::Any(any) => Compiled::Any(each(any)?),
            Tree::Not(inner) => Compiled::Not(Box::new(inner.compile(schema)?)),
            Tree::TooDeep => return Err(FilterError::TooDeep),
        })
    }
}

impl Test {
    /// The number of the field, and the ranges of keys in which the test holds.
    fn compile(&self, field: &str, schema: &Schema) -> Result<(u16, Vec<Range>), FilterError> {
        let Some((number, kind)) = schema.find(field) else {
            return Err(FilterError::UnknownField { field: field.to_owned(), known: schema.field_names() });
        };
        if kind == FieldType::Stored {
            return Err(FilterError::StoredOnly { field: field.to_owned() });
        }
        let key = |value: &Value| match Key::of(value, kind) {
            Some(key) => Ok(key),
            None if matches!(value, Value::Float(float) if float.is_nan()) => {
                Err(FilterError::Nan { field: field.to_owned() })
            }
            None => Err(FilterError::Type { field: field.to_owned(), expected: kind, found: value.clone() }),
        };
        use Bound::{Excluded, Included, Unbounded};
        let one = |from, to| vec![Range::Between(from, to)];
        let ranges = match self {
            Self::Eq(value) => one(Included(key(value)?), Included(key(value)?)),
            Self::Ne(value) => {
                let key = key(value)?;
                vec![
                    Range::Between(Unbounded, Excluded(key.clone())),
                    Range::Between(Excluded(key), Unbounded),
                ]
            }
            Self::Lt(value) => one(Unbounded, Excluded(key(value)?)),
            Self::Le(value) => one(Unbounded, Included(key(value)?)),
            Self::Gt(value) => one(Excluded(key(value)?), Unbounded),
            Self::Ge(value) => one(Included(key(value)?), Unbounded),
            Self::Between(low, high) => one(Included(key(low)?), Included(key(high)?)),
            Self::In(values) => values
                .iter()
                .map(|value| Ok(Range::Between(Included(key(value)?), Included(key(value)?))))
                .collect::<Result<_, _>>()?,
            Self::Prefix(prefix) if kind == FieldType::Text => vec![Range::Prefix(prefix.clone())],
            Self::Prefix(prefix) => {
                let found = Value::Text(prefix.clone());
                return Err(FilterError::Type { field: field.to_owned(), expected: kind, found });
            }
            Self::Exists => one(Unbounded, Unbounded),
        };
        Ok((number, ranges))
    }
}

/// A filter in terms of the schema.
#[derive(Debug)]
pub(crate) enum Compiled {
    /// The key of a field is in one of the ranges.
    Test(u16, Vec<Range>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Compiled {
    /// The nodes that match, of `len`, whose fields are in columns.
    pub(crate) fn select<E>(
        &self,
        len: usize,
        column: &impl Fn(u16) -> Result<std::sync::Arc<Column>, E>,
    ) -> Result<Bits, E> {
        Ok(match self {
            Self::Test(field, ranges) => {
                let (column, mut bits) = (column(*field)?, Bits::none(len));
                ranges.iter().for_each(|range| column.select(range, &mut bits));
                bits
            }
            Self::All(all) => {
                let mut bits = Bits::all(len);
                for filter in all {
                    bits.intersect(&filter.select(len, column)?);
                }
                bits
            }
            Self::Any(any) => {
                let mut bits = Bits::none(len);
                for filter in any {
                    bits.unite(&filter.select(len, column)?);
                }
                bits
            }
            Self::Not(inner) => {
                let mut bits = inner.select(len, column)?;
                bits.invert();
                bits
            }
        })
    }

    /// Whether a row matches, whose fields have these keys.
    pub(crate) fn matches(&self, key: &impl Fn(u16) -> Option<Key>) -> bool {
        match self {
            Self::Test(field, ranges) => {
                key(*field).is_some_and(|key| ranges.iter().any(|range| range.contains(&key)))
            }
            Self::All(all) => all.iter().all(|filter| filter.matches(key)),
            Self::Any(any) => any.iter().any(|filter| filter.matches(key)),
            Self::Not(inner) => !inner.matches(key),
        }
    }
}
