//! The tokens of a filter's text. Whatever the text is, it consists of tokens: what fits nowhere is
//! one of those that the parser expects nowhere.

use super::ParseError;

/// The words that mean something. A field of such a name goes in double quotes.
const KEYWORDS: [&str; 11] =
    ["and", "or", "not", "between", "in", "prefix", "is", "null", "exists", "true", "false"];

/// Each before those that it begins with.
const SYMBOLS: [&str; 11] = ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// The most characters of a text in a message.
const EXCERPT: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Keyword(&'static str),
    Symbol(&'static str),
    Param,
    /// Letters, digits and `_`, not only those that a name can have.
    Word(&'t str),
    /// What is between double quotes.
    Name(&'t str),
    /// What is between single quotes. A quote in it is there twice.
    Text(&'t str),
    Int(&'t str),
    Float(&'t str),
    /// A quote without another.
    Unclosed(char),
    Unknown,
    End,
}

/// The keyword that a word is.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// A token, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spanned<'t> {
    pub(super) at: usize,
    text: &'t str,
    pub(super) token: Token<'t>,
}

impl Spanned<'_> {
    /// The error that something else is expected here.
    pub(super) fn unexpected(&self, expected: &'static str) -> ParseError {
        match self.token {
            Token::Unclosed(quote) => ParseError::Unclosed { at: self.at, quote },
            _ => ParseError::Unexpected { at: self.at, expected, found: self.excerpt() },
        }
    }

    /// The first characters, none of which controls a terminal.
    pub(super) fn excerpt(&self) -> String {
        let mut characters = self.text.chars();
        let mut excerpt: String = characters
            .by_ref()
            .take(EXCERPT)
            .map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })
            .collect();
        if characters.next().is_some() {
            excerpt.push('…');
        }
        excerpt
    }
}

/// The tokens of a text, the first of which can be looked at.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    next: Spanned<'t>,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, next: token_at(text, 0) }
    }

    pub(super) fn peek(&self) -> Spanned<'t> {
        self.next
    }

    /// The next token. After the last there is no end of ends.
    pub(super) fn step(&mut self) -> Spanned<'t> {
        let token = self.next;
        self.next = token_at(self.text, token.at + token.text.len());
        token
    }
}

/// Those before the end.
impl<'t> Iterator for Tokens<'t> {
    type Item = Spanned<'t>;

    fn next(&mut self) -> Option<Spanned<'t>> {
        Some(self.step()).filter(|token| token.token != Token::End)
    }
}

/// The first token from a position on.
fn token_at(text: &str, from: usize) -> Spanned<'_> {
    let rest = text[from..].trim_start();
    let (token, len) = first_token(rest);
    Spanned { at: text.len() - rest.len(), text: &rest[..len], token }
}

/// The token with which a text begins, and its length.
fn first_token(text: &str) -> (Token<'_>, usize) {
    let Some(first) = text.chars().next() else { return (Token::End, 0) };
    if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol)) {
        return (Token::Symbol(symbol), symbol.len());
    }
    match first {
        '?' => (Token::Param, 1),
        '\'' | '"' => match quoted(text, first) {
            None => (Token::Unclosed(first), text.len()),
            Some(len) if first == '"' => (Token::Name(&text[1..len - 1]), len),
            Some(len) => (Token::Text(&text[1..len - 1]), len),
        },
        '-' | '0'..='9' => number(text),
        _ if is_word(first) => {
            let word = &text[..text.find(|character| !is_word(character)).unwrap_or(text.len())];
            (keyword(word).map_or(Token::Word(word), Token::Keyword), word.len())
        }
        _ => (Token::Unknown, first.len_utf8()),
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the text from a quote to the one that closes it. Two quotes close nothing.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut from = 1;
    loop {
        let end = from + text[from..].find(quote)?;
        if !text[end + 1..].starts_with(quote) {
            return Some(end + 1);
        }
        from = end + 2;
    }
}

/// The number with which a text begins. What a number runs into belongs to it, so `1_000` and
/// `2020and` are not numbers.
fn number(text: &str) -> (Token<'_>, usize) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let mut before = ' ';
    let end = unsigned.find(|character| {
        let is_sign = matches!(character, '-' | '+') && matches!(before, 'e' | 'E');
        before = character;
        !(is_sign || is_word(character) || character == '.')
    });
    let unsigned = &unsigned[..end.unwrap_or(unsigned.len())];
    let number = &text[..unsigned.len() + usize::from(text.starts_with('-'))];
    let are_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(unsigned) {
        return (Token::Int(number), number.len());
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let is_float = are_digits(whole) && part.is_none_or(are_digits) && exponent.is_none_or(are_digits);
    (if is_float { Token::Float(number) } else { Token::Unknown }, number.len())
}
