//! The argument of a condition on the fields of rows.

use vex_db::{Filter, ParseError, Value};

use crate::error::Failure;

/// A condition, and the values that it leaves open.
#[derive(Debug, clap::Args)]
pub(super) struct Condition {
    /// Only rows that meet a condition, such as "lang = 'de' and year >= 2020"
    ///
    /// Conditions compare a field by =, !=, <, <=, >, >=, between 1 and 9, in (1, 2), not in (1, 2),
    /// prefix 'a', not prefix 'a', is null, is not null and exists. They are joined by and, or, not
    /// and parentheses. Text is in single quotes, and a quote in it is written twice: 'it''s'.
    ///
    /// A row without a value (null) meets is null alone: != and not in want a value, too. A field
    /// that is named like one of these words goes in double quotes. A ? stands for the next --param.
    #[arg(id = "where", long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// The value of a ? in the condition, once for each
    ///
    /// A number, or true or false, is that. All else is text, and so is whatever is in single
    /// quotes, as in --param "'7'".
    #[arg(long, value_name = "VALUE", requires = "where", allow_hyphen_values = true)]
    param: Vec<String>,
}

impl Condition {
    pub(super) fn filter(&self) -> Result<Option<Filter>, Failure> {
        let Some(condition) = &self.condition else { return Ok(None) };
        let params: Vec<Value> = self.param.iter().map(|text| value(text)).collect();
        let refuse = |error: ParseError| Failure::refused("--where".as_ref(), error);
        Filter::parse(condition, &params).map(Some).map_err(refuse)
    }
}

/// A value by its look.
fn value(text: &str) -> Value {
    if let Some(quoted) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return quoted.into();
    }
    if let Ok(int) = text.parse::<i64>() {
        return int.into();
    }
    // The standard library reads words such as infinity as well.
    let begins_as_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match text.parse::<f64>() {
        Ok(float) if begins_as_number && text.contains(|c: char| c.is_ascii_digit()) => float.into(),
        _ => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_type_that_they_look_like() {
        for (text, expected) in [
            ("2020", Value::from(2020)),
            ("-7", (-7).into()),
            ("2.50", 2.5.into()),
            ("-1e3", (-1000.0).into()),
            ("9223372036854775808", 9_223_372_036_854_775_808.0.into()),
            ("true", true.into()),
            ("false", false.into()),
            ("True", "True".into()),
            ("de", "de".into()),
            ("", "".into()),
            ("inf", "inf".into()),
            ("-inf", "-inf".into()),
            ("nan", "nan".into()),
            ("2020-01-01", "2020-01-01".into()),
            ("'7'", "7".into()),
            ("''", "".into()),
            ("'", "'".into()),
            ("'it's'", "it's".into()),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
