//! Filters, written as the text that is parsed as them.

use std::fmt::{self, Formatter};

use super::token::keyword;
use crate::filter::{Test, Tree};
use crate::schema::is_name;
use crate::{Filter, Value};

/// The text that [`Filter::parse`] reads as the same filter, with the feature `text`. Some filters
/// are written, and are refused when they are read: those with a value that is NaN, with a name
/// that no field can have, or beyond the limits of a text.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.tree {
            Tree::Test { field, test } => write!(f, "{} {}", Name(field), Operation(test)),
            Tree::TooDeep => f.write_str("(too many levels)"),
            Tree::All(all) => list(f, all, " and ", Self::group),
            Tree::Any(any) => list(f, any, " or ", fmt::Display::fmt),
            Tree::Not(inner) => match &inner.tree {
                Tree::Test { field, test: Test::Exists } => write!(f, "{} is null", Name(field)),
                _ => {
                    f.write_str("not ")?;
                    inner.group(f)
                }
            },
        }
    }
}

impl Filter {
    /// The filter as a part of `and` or `not`, which bind more tightly than what has parentheses
    /// here.
    fn group(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.tree {
            Tree::Test { .. } | Tree::Not(_) | Tree::TooDeep => fmt::Display::fmt(self, f),
            Tree::All(_) | Tree::Any(_) => write!(f, "({self})"),
        }
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    between: &str,
    write: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write(item, f)?;
    }
    Ok(())
}

struct Name<'f>(&'f str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_name(self.0) && keyword(self.0).is_none() {
            f.write_str(self.0)
        } else {
            // A name with quotes is no name, and must not be read as anything else.
            write!(f, "\"{}\"", self.0.replace('"', "\"\""))
        }
    }
}

struct Operation<'f>(&'f Test);

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Test::Eq(value) => write!(f, "= {}", Literal(value)),
            Test::Ne(value) => write!(f, "!= {}", Literal(value)),
            Test::Lt(value) => write!(f, "< {}", Literal(value)),
            Test::Le(value) => write!(f, "<= {}", Literal(value)),
            Test::Gt(value) => write!(f, "> {}", Literal(value)),
            Test::Ge(value) => write!(f, ">= {}", Literal(value)),
            Test::Between(low, high) => write!(f, "between {} and {}", Literal(low), Literal(high)),
            Test::In(values) => {
                f.write_str("in (")?;
                list(f, values, ", ", |value, f| Literal(value).fmt(f))?;
                f.write_str(")")
            }
            Test::Prefix(prefix) => write!(f, "prefix {}", Quoted(prefix)),
            Test::Exists => f.write_str("exists"),
        }
    }
}

struct Literal<'f>(&'f Value);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Text(text) => Quoted(text).fmt(f),
            Value::Int(int) => write!(f, "{int}"),
            // A number beyond the range of floats is read as an infinite one.
            Value::Float(f64::INFINITY) => f.write_str("1e999"),
            Value::Float(f64::NEG_INFINITY) => f.write_str("-1e999"),
            // With a point or an exponent always.
            Value::Float(float) => write!(f, "{float:?}"),
            Value::Bool(bool) => write!(f, "{bool}"),
        }
    }
}

struct Quoted<'f>(&'f str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}
