//! Filters as text, for a command line and for other languages.
//!
//! ```text
//! any    := all ("or" all)*
//! all    := not ("and" not)*
//! not    := "not" not | "(" any ")" | test
//! test   := field ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
//!         | field "between" value "and" value
//!         | field ["not"] "in" "(" [value ("," value)*] ")"
//!         | field ["not"] "prefix" value
//!         | field "is" ["not"] "null"
//!         | field "exists"
//! value  := "?" | text | number | "true" | "false"
//! text   := "'" (any character, a quote twice)* "'"
//! number := ["-"] digits ["." digits] ["e" ["-" | "+"] digits]
//! field  := name | '"' name '"'
//! ```
//!
//! The parser has a function for each rule, which reads tokens that borrow from the text. The
//! functions call each other again only for a `(` and a `not`. Both are counted, so no text
//! overflows the stack. Chains of `and` and `or` are loops, and give flat lists.

mod display;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

use crate::schema::is_name;
use crate::{Field, Filter, MAX_FIELD_NAME, Value, field};
use token::{Spanned, Token, Tokens};

/// The longest text of a [`Filter`], in bytes.
pub const MAX_FILTER_TEXT: usize = 1 << 16;

/// The most levels of `(` and `not` in the text of a [`Filter`].
pub const MAX_FILTER_NESTING: usize = 100;

const VALUE: &str = "a value: `?`, a text in single quotes, a number, `true` or `false`";
const COMPARISON: &str =
    "`=`, `!=`, `<`, `<=`, `>`, `>=`, `between`, `in`, `prefix`, `is`, `exists`, `not in` or `not prefix`";

impl Filter {
    /// The filter that a text describes, for a command line and for other languages. A Rust program
    /// writes filters with [`field`](crate::field()).
    ///
    /// | text | means |
    /// |---|---|
    /// | `year = 2020`, `year == 2020` | [`eq`](Field::eq) |
    /// | `year != 2020`, `year <> 2020` | [`ne`](Field::ne) |
    /// | `year < 2020`, `year <= 2020` | [`lt`](Field::lt), [`le`](Field::le) |
    /// | `year > 2020`, `year >= 2020` | [`gt`](Field::gt), [`ge`](Field::ge) |
    /// | `year between 2019 and 2021` | [`between`](Field::between) |
    /// | `lang in ('de', 'en')` | [`any_of`](Field::any_of) |
    /// | `lang not in ('de', 'en')` | rows that have a value, but none of these |
    /// | `lang prefix 'de'` | [`prefix`](Field::prefix) |
    /// | `lang not prefix 'de'` | rows that have a value, which begins otherwise |
    /// | `lang exists`, `lang is not null` | [`exists`](Field::exists) |
    /// | `lang is null` | rows without a value |
    /// | `not …`, `… and …`, `… or …` | `!`, `&`, `\|`: `not` binds most tightly, `or` least |
    ///
    /// Parentheses group. Keywords are written in any case. A field that is named like a keyword
    /// goes in double quotes: `"in" = 3`.
    ///
    /// A value is a text in single quotes, a number, `true` or `false`. A quote in a text is
    /// written twice. A number with a point or an exponent is a float, which is infinite if it is
    /// too large.
    ///
    /// A value can be a `?` as well, which stands for the next of `params`. **Text that comes from
    /// elsewhere belongs into a parameter, never into the text of the filter.** There it could
    /// change what the filter means.
    ///
    /// # Errors
    /// Whatever is wrong with the text, and where. Whether fields and types are those of a
    /// collection is checked by the search.
    ///
    /// # Examples
    /// ```
    /// use vex_db::{Filter, field};
    ///
    /// let lang = "de"; // From a user.
    /// let filter = Filter::parse("lang = ? and year >= 2020", &[lang.into()])?;
    /// assert_eq!(filter, field("lang").eq("de") & field("year").ge(2020));
    /// assert_eq!(filter.to_string(), "lang = 'de' and year >= 2020");
    ///
    /// let error = Filter::parse("lang = \"de\"", &[]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "filter, byte 7: expected a value: `?`, a text in single quotes, a number, `true` or `false`, found `\"de\"`"
    /// );
    /// # Ok::<(), vex_db::ParseError>(())
    /// ```
    pub fn parse(text: &str, params: &[Value]) -> Result<Self, ParseError> {
        if text.len() > MAX_FILTER_TEXT {
            return Err(ParseError::TooLong { found: text.len() });
        }
        let expected = Tokens::new(text).filter(|token| token.token == Token::Param).count();
        if params.len() != expected {
            return Err(ParseError::Params { expected, found: params.len() });
        }
        let mut parser = Parser { tokens: Tokens::new(text), params: params.iter(), levels: 0 };
        let filter = parser.any()?;
        let end = parser.tokens.step();
        match end.token {
            Token::End => Ok(filter),
            _ => Err(end.unexpected("`and`, `or` or the end")),
        }
    }
}

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is longer than [`MAX_FILTER_TEXT`].
    #[error("filter: expected at most {MAX_FILTER_TEXT} bytes, found {found}")]
    TooLong {
        /// Bytes of the text.
        found: usize,
    },
    /// There are more parameters than `?`, or fewer.
    #[error("filter: expected {expected} parameters, one for each `?`, found {found}")]
    Params {
        /// How many `?` there are.
        expected: usize,
        /// How many parameters there are.
        found: usize,
    },
    /// The text goes on in another way than a filter does.
    #[error("filter, byte {at}: expected {expected}, found {}", Found(found))]
    Unexpected {
        /// Where, in bytes from the start.
        at: usize,
        /// What can be there.
        expected: &'static str,
        /// What is there: the first characters of it, or nothing at the end.
        found: String,
    },
    /// A name cannot be the name of a field.
    #[error(
        "filter, byte {at}: expected a field: a letter or _, then letters, digits and _, \
         at most {MAX_FIELD_NAME} in all, found {}",
        Found(found)
    )]
    FieldName {
        /// Where, in bytes from the start.
        at: usize,
        /// The first characters of the name.
        found: String,
    },
    /// A quote is opened and not closed.
    #[error("filter, byte {at}: expected another {quote} for the one there, found the end")]
    Unclosed {
        /// Where the quote is, in bytes from the start.
        at: usize,
        /// The quote.
        quote: char,
    },
    /// A whole number needs more than 64 bits.
    #[error(
        "filter, byte {at}: expected a whole number from {} to {}, found {}",
        i64::MIN,
        i64::MAX,
        Found(found)
    )]
    TooLarge {
        /// Where, in bytes from the start.
        at: usize,
        /// The first digits of the number.
        found: String,
    },
    /// The value after `prefix` is not a text.
    #[error("filter, byte {at}: expected a text after `prefix`, found {found} ({})", found.type_name())]
    Prefix {
        /// Where the value is, in bytes from the start.
        at: usize,
        /// The value.
        found: Value,
    },
    /// There are more than [`MAX_FILTER_NESTING`] levels of `(` and `not`.
    #[error(
        "filter, byte {at}: expected at most {MAX_FILTER_NESTING} levels of `(` and `not`, found another"
    )]
    TooDeep {
        /// Where the next level begins, in bytes from the start.
        at: usize,
    },
}

/// Part of a text in a message.
struct Found<'f>(&'f str);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("the end"),
            found => write!(f, "`{found}`"),
        }
    }
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    /// As many as the text has `?`.
    params: std::slice::Iter<'t, Value>,
    /// How many `(` and `not` are open.
    levels: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Result<Filter, ParseError> {
        let mut any = self.all()?;
        while self.take(Token::Keyword("or")).is_some() {
            any = any | self.all()?;
        }
        Ok(any)
    }

    fn all(&mut self) -> Result<Filter, ParseError> {
        let mut all = self.not()?;
        while self.take(Token::Keyword("and")).is_some() {
            all = all & self.not()?;
        }
        Ok(all)
    }

    fn not(&mut self) -> Result<Filter, ParseError> {
        if let Some(not) = self.take(Token::Keyword("not")) {
            return Ok(!self.inner(&not, Self::not)?);
        }
        if let Some(open) = self.take(Token::Symbol("(")) {
            let filter = self.inner(&open, Self::any)?;
            self.expect(Token::Symbol(")"), "`and`, `or` or `)`")?;
            return Ok(filter);
        }
        self.test()
    }

    /// What a rule reads one level below a `(` or a `not`.
    fn inner(
        &mut self,
        outer: &Spanned<'_>,
        rule: fn(&mut Self) -> Result<Filter, ParseError>,
    ) -> Result<Filter, ParseError> {
        if self.levels == MAX_FILTER_NESTING {
            return Err(ParseError::TooDeep { at: outer.at });
        }
        self.levels += 1;
        let filter = rule(self)?;
        self.levels -= 1;
        Ok(filter)
    }

    fn test(&mut self) -> Result<Filter, ParseError> {
        let field = self.field()?;
        let test = self.tokens.step();
        Ok(match test.token {
            Token::Symbol("=" | "==") => field.eq(self.value()?),
            Token::Symbol("!=" | "<>") => field.ne(self.value()?),
            Token::Symbol("<") => field.lt(self.value()?),
            Token::Symbol("<=") => field.le(self.value()?),
            Token::Symbol(">") => field.gt(self.value()?),
            Token::Symbol(">=") => field.ge(self.value()?),
            Token::Keyword("between") => {
                let low = self.value()?;
                self.expect(Token::Keyword("and"), "`and`")?;
                field.between(low, self.value()?)
            }
            Token::Keyword("in") => field.any_of(self.values()?),
            Token::Keyword("prefix") => field.prefix(self.prefix()?),
            Token::Keyword("exists") => field.exists(),
            Token::Keyword("is") => {
                if self.take(Token::Keyword("not")).is_some() {
                    self.expect(Token::Keyword("null"), "`null`")?;
                    field.exists()
                } else {
                    self.expect(Token::Keyword("null"), "`null` or `not null`")?;
                    !field.exists()
                }
            }
            Token::Keyword("not") => {
                let test = self.tokens.step();
                let refused = match test.token {
                    Token::Keyword("in") => field.clone().any_of(self.values()?),
                    Token::Keyword("prefix") => field.clone().prefix(self.prefix()?),
                    _ => return Err(test.unexpected("`in` or `prefix`")),
                };
                // As for `!=`, a row without a value does not match.
                field.exists() & !refused
            }
            _ => return Err(test.unexpected(COMPARISON)),
        })
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let name = self.tokens.step();
        match name.token {
            Token::Word(word) | Token::Name(word) if is_name(word) => Ok(field(word)),
            Token::Word(_) | Token::Name(_) => {
                Err(ParseError::FieldName { at: name.at, found: name.excerpt() })
            }
            Token::Keyword(_) => {
                Err(name.unexpected("a field (in double quotes if named like this), `not` or `(`"))
            }
            _ => Err(name.unexpected("a field, `not` or `(`")),
        }
    }

    fn values(&mut self) -> Result<Vec<Value>, ParseError> {
        self.expect(Token::Symbol("("), "`(`")?;
        let mut values = Vec::new();
        if self.take(Token::Symbol(")")).is_some() {
            return Ok(values);
        }
        loop {
            values.push(self.value()?);
            if self.take(Token::Symbol(",")).is_none() {
                self.expect(Token::Symbol(")"), "`,` or `)`")?;
                return Ok(values);
            }
        }
    }

    fn prefix(&mut self) -> Result<String, ParseError> {
        let at = self.tokens.peek().at;
        match self.value()? {
            Value::Text(prefix) => Ok(prefix),
            found => Err(ParseError::Prefix { at, found }),
        }
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        let value = self.tokens.step();
        Ok(match value.token {
            Token::Param => self.params.next().expect("as many as the text has").clone(),
            Token::Text(text) => Value::Text(text.replace("''", "'")),
            Token::Int(digits) => match digits.parse() {
                Ok(int) => Value::Int(int),
                Err(_) => return Err(ParseError::TooLarge { at: value.at, found: value.excerpt() }),
            },
            Token::Float(digits) => match digits.parse() {
                Ok(float) => Value::Float(float),
                Err(_) => return Err(value.unexpected(VALUE)),
            },
            Token::Keyword("true") => Value::Bool(true),
            Token::Keyword("false") => Value::Bool(false),
            _ => return Err(value.unexpected(VALUE)),
        })
    }

    /// The next token, if it is this one.
    fn take(&mut self, token: Token<'_>) -> Option<Spanned<'t>> {
        (self.tokens.peek().token == token).then(|| self.tokens.step())
    }

    fn expect(&mut self, token: Token<'_>, expected: &'static str) -> Result<(), ParseError> {
        match self.take(token) {
            Some(_) => Ok(()),
            None => Err(self.tokens.peek().unexpected(expected)),
        }
    }
}
