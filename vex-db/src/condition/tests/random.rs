//! Random filters, spellings and texts.

use proptest::prelude::*;

use super::{matching, parse};
use crate::{Filter, ParseError, Row, Value, field, row};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("NaN equals nothing", |float| !float.is_nan()).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a'\"? ]{0,4}".prop_map(Value::from),
    ]
}

/// A filter on fields of any name.
fn filter() -> impl Strategy<Value = Filter> {
    let name = prop_oneof![
        "[A-Za-z_][A-Za-z0-9_]{0,4}",
        prop::sample::select(vec!["in", "NOT", "e", "null"]).prop_map(String::from)
    ];
    let test = (name, 0..10usize, value(), value(), prop::collection::vec(value(), 0..4), any::<String>());
    let test = test.prop_map(|(name, test, value, other, values, prefix)| {
        let field = field(name);
        match test {
            0 => field.eq(value),
            1 => field.ne(value),
            2 => field.lt(value),
            3 => field.le(value),
            4 => field.gt(value),
            5 => field.ge(value),
            6 => field.between(value, other),
            7 => field.any_of(values),
            8 => field.prefix(prefix),
            _ => field.exists(),
        }
    });
    test.prop_recursive(6, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one & other),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one | other),
            inner.prop_map(|inner| !inner),
        ]
    })
}

/// A text in one of its spellings, with the filter that it means.
fn spelled() -> impl Strategy<Value = (String, Filter)> {
    let year = 2019..2023i64;
    let lang = prop::sample::select(vec!["", "d", "de", "de'", "e"]);
    let test = (0..13usize, year.clone(), year, lang).prop_map(|(test, low, high, lang)| {
        let (year, word) = (|| field("year"), || field("lang"));
        let text = lang.replace('\'', "''");
        match test {
            0 => (format!("year={low}"), year().eq(low)),
            1 => (format!("\"year\" == {low}"), year().eq(low)),
            2 => (format!("year<>{low}"), year().ne(low)),
            3 => (format!("year Between {low} AND {high}"), year().between(low, high)),
            4 => (format!("year in({low},{high})"), year().any_of([low, high])),
            5 => (format!("year Not In ({low} , {high})"), year().ne(low) & year().ne(high)),
            6 => (format!("year>= {low}"), year().ge(low)),
            7 => ("year is null".to_owned(), !year().exists()),
            8 => ("year is not null".to_owned(), year().exists()),
            9 => (format!("lang prefix'{text}'"), word().prefix(lang)),
            10 => (format!("lang NOT PREFIX '{text}'"), word().exists() & !word().prefix(lang)),
            11 => (format!("lang!='{text}'"), word().exists() & !word().eq(lang)),
            _ => (format!("lang<'{text}'"), word().lt(lang)),
        }
    });
    test.prop_recursive(5, 24, 3, |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            pair().prop_map(|((one, a), (other, b))| (format!("({one})and({other})"), a & b)),
            pair().prop_map(|((one, a), (other, b))| (format!("( {one} ) OR ({other})"), a | b)),
            inner.prop_map(|(text, inner)| (format!("Not({text})"), !inner)),
        ]
    })
}

/// Texts of the tokens that a filter has, and a few that it does not have.
fn soup() -> impl Strategy<Value = String> {
    let tokens = vec![
        "a", "b", "\"in\"", "and", "or", "not", "(", ")", "=", "!=", "<", ">", "in", "between", "prefix",
        "is", "null", "exists", "?", "'x'", "''", "5", "-1", "0.5", "1e9", "true", ",", "'", "\"", "ä", "-",
        ".", "\u{a0}",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..24).prop_map(|tokens| tokens.join(" "))
}

/// Parses without a panic, and finds that what was parsed is written as a text of the same filter.
fn check(text: &str) {
    let params = vec![Value::from("param"); text.matches('?').count()];
    let parsed = match Filter::parse(text, &[]) {
        Err(ParseError::Params { expected, .. }) => Filter::parse(text, &params[..expected]),
        parsed => parsed,
    };
    match parsed {
        Ok(filter) => assert_eq!(Filter::parse(&filter.to_string(), &[]).as_ref(), Ok(&filter), "{text}"),
        Err(error) => assert!(error.to_string().starts_with("filter"), "{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn a_filter_is_parsed_from_its_text(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text, &[]), Ok(filter), "{}", text);
    }

    #[test]
    fn every_spelling_selects_the_rows_that_it_means((text, expected) in spelled()) {
        let (years, langs) = (-1..5i64, ["", "d", "de", "de'", "en"]);
        let mut rows = vec![Row::new()];
        for (at, year) in years.enumerate() {
            rows.push(row! { year: 2018 + year });
            rows.extend(langs.map(|lang| row! { lang: lang, year: 2018 + year }));
            rows.push(row! { lang: langs[at % langs.len()] });
        }
        let filter = parse(&text);
        prop_assert_eq!(matching(&filter, &rows), matching(&expected, &rows), "{}", text);
        prop_assert_eq!(parse(&filter.to_string()), filter);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), bytes in any::<Vec<u8>>(), soup in soup()) {
        check(&text);
        check(&String::from_utf8_lossy(&bytes));
        check(&soup);
        check(&format!("{soup} {text}"));
    }

    #[test]
    fn a_text_with_a_flaw_is_refused_or_parsed(
        (text, _) in spelled(),
        at in any::<prop::sample::Index>(),
        cut in 0..4usize,
        soup in soup(),
    ) {
        let before: String = text.chars().take(at.index(text.chars().count())).collect();
        let after: String = text.chars().skip(before.chars().count() + cut).collect();
        check(&format!("{before}{after}"));
        check(&format!("{before}{soup}{after}"));
    }
}
