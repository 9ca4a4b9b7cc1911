//! Texts and what they mean, or why they mean nothing.

mod random;

use super::*;
use crate::column::Key;
use crate::{Metric, Row, Schema, row};

fn parse(text: &str) -> Filter {
    Filter::parse(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn message(text: &str, params: &[Value]) -> String {
    Filter::parse(text, params).expect_err(text).to_string()
}

/// The rows, by number, that match a filter.
fn matching(filter: &Filter, rows: &[Row]) -> Vec<usize> {
    let schema =
        Schema::new(1, Metric::SquaredEuclidean).text("lang").int("year").float("score").bool("done");
    let filter = filter.compile(&schema).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let matches = |row: &Row| {
        filter.matches(&|number| {
            let (name, kind) = schema.nth(number).expect("a field");
            Key::of(row.get(name)?, kind)
        })
    };
    (0..rows.len()).filter(|at| matches(&rows[*at])).collect()
}

#[test]
fn each_test_has_its_text() {
    let (lang, year) = (|| field("lang"), || field("year"));
    for (text, expected) in [
        ("year = 2020", year().eq(2020)),
        ("year == 2020", year().eq(2020)),
        ("year != 2020", year().ne(2020)),
        ("year <> 2020", year().ne(2020)),
        ("year < 2020", year().lt(2020)),
        ("year <= 2020", year().le(2020)),
        ("year > 2020", year().gt(2020)),
        ("year >= 2020", year().ge(2020)),
        ("year between 2019 and 2021", year().between(2019, 2021)),
        ("lang in ('de', 'en')", lang().any_of(["de", "en"])),
        ("lang in ('de')", lang().any_of(["de"])),
        ("lang in ()", lang().any_of(Vec::<&str>::new())),
        ("lang not in ('de', 'en')", lang().exists() & !lang().any_of(["de", "en"])),
        ("lang prefix 'de'", lang().prefix("de")),
        ("lang not prefix 'de'", lang().exists() & !lang().prefix("de")),
        ("lang exists", lang().exists()),
        ("lang is not null", lang().exists()),
        ("lang is null", !lang().exists()),
    ] {
        assert_eq!(parse(text), expected, "{text}");
        let capitals = text.to_uppercase().replace("LANG", "lang").replace("YEAR", "year");
        let capitals = capitals.replace("'DE'", "'de'").replace("'EN'", "'en'");
        assert_eq!(parse(&capitals), expected, "{capitals}");
    }
}

#[test]
fn rows_without_a_value_match_plain_complements_alone() {
    let rows =
        [row! { lang: "de", year: 2020 }, row! { lang: "de-AT" }, row! { lang: "en", year: 2021 }, row! {}];
    for (text, expected) in [
        ("lang = 'de'", &[0][..]),
        ("lang != 'de'", &[1, 2]),
        ("not lang = 'de'", &[1, 2, 3]),
        ("lang in ('de', 'en', 'fr')", &[0, 2]),
        ("lang not in ('de', 'en', 'fr')", &[1]),
        ("not lang in ('de', 'en', 'fr')", &[1, 3]),
        ("not lang not in ('de', 'en', 'fr')", &[0, 2, 3]),
        ("lang in ()", &[]),
        ("lang not in ()", &[0, 1, 2]),
        ("not lang in ()", &[0, 1, 2, 3]),
        ("lang prefix 'de'", &[0, 1]),
        ("lang not prefix 'de'", &[2]),
        ("not lang prefix 'de'", &[2, 3]),
        ("year is null", &[1, 3]),
        ("year is not null", &[0, 2]),
        ("not year exists", &[1, 3]),
        ("year between 2020 and 2021 and not lang = 'en'", &[0]),
        ("not (year = 2020 or lang = 'en')", &[1, 3]),
        ("year != 2020 or lang is null", &[2, 3]),
    ] {
        assert_eq!(matching(&parse(text), &rows), expected, "{text}");
    }
}

#[test]
fn not_binds_most_tightly_and_or_least() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| field(name).exists());
    let of = |filter: &Filter| filter.clone();
    for (text, expected) in [
        ("a exists or b exists and c exists", of(&a) | (of(&b) & of(&c))),
        ("a exists and b exists or c exists", (of(&a) & of(&b)) | of(&c)),
        ("(a exists or b exists) and c exists", (of(&a) | of(&b)) & of(&c)),
        ("not a exists and b exists", !of(&a) & of(&b)),
        ("not (a exists and b exists)", !(of(&a) & of(&b))),
        ("not not a exists", of(&a)),
        ("not (not (a exists))", of(&a)),
        ("not not not a exists", !of(&a)),
        // Chains are flat, however they are grouped.
        ("a exists and (b exists and c exists) and d exists", of(&a) & of(&b) & of(&c) & of(&d)),
        ("((a exists or b exists) or c exists) or d exists", of(&a) | of(&b) | of(&c) | of(&d)),
        ("a exists and b not in () and c exists", of(&a) & of(&b) & !field("b").any_of(vec![0; 0]) & of(&c)),
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
}

#[test]
fn space_is_needed_between_words_alone() {
    let expected = parse("not (lang in ('de', 'en') and year >= 2020) or score between -1 and 1.5");
    for text in [
        "not(lang in('de','en')and year>=2020)or score between-1 and 1.5",
        "\n\tNOT ( lang\u{a0}iN ( 'de' , 'en' ) AnD year >= 2020 ) Or score\r\nBETWEEN -1 And 1.5 ",
        "not(\"lang\"in('de','en')and\"year\">=2020)or\"score\"between-1 and 1.5",
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
    assert_eq!(
        message("year=2020or year=1", &[]),
        message("year=2020or", &[]),
        "a number ends with its word"
    );
}

#[test]
fn literals_have_the_types_of_their_forms() {
    for (text, expected) in [
        ("''", Value::from("")),
        ("'a'", "a".into()),
        ("'it''s'", "it's".into()),
        ("''''", "'".into()),
        ("' \\n \" ? ä and\n'", " \\n \" ? ä and\n".into()),
        ("0", 0.into()),
        ("-0", 0.into()),
        ("007", 7.into()),
        ("9223372036854775807", i64::MAX.into()),
        ("-9223372036854775808", i64::MIN.into()),
        ("1.0", 1.0.into()),
        ("-1.5", (-1.5).into()),
        ("1e3", 1e3.into()),
        ("1E3", 1e3.into()),
        ("2.5e+3", 2.5e3.into()),
        ("25e-1", 2.5.into()),
        ("5e-324", 5e-324.into()),
        ("1e999", f64::INFINITY.into()),
        ("-1e999", f64::NEG_INFINITY.into()),
        ("true", true.into()),
        ("FALSE", false.into()),
    ] {
        assert_eq!(parse(&format!("f = {text}")), field("f").eq(expected.clone()), "{text}");
        assert_eq!(parse(&format!("f in ({text},{text})")), field("f").any_of([expected.clone(), expected]));
    }
}

#[test]
fn parameters_take_their_places_in_order() {
    let params = ["de".into(), 1.into(), 2.into(), 3.into(), true.into(), "a' or 'b".into(), 0.5.into()];
    let text = "lang = ? and year between ? and ? or not (year in (7, ?) and done = ?) and lang prefix ? and score<?";
    let expected = (field("lang").eq("de") & field("year").between(1, 2))
        | (!(field("year").any_of([7, 3]) & field("done").eq(true))
            & field("lang").prefix("a' or 'b")
            & field("score").lt(0.5));
    assert_eq!(Filter::parse(text, &params), Ok(expected));
    for found in (0..12).filter(|found| *found != params.len()) {
        let params: Vec<Value> = params.iter().cloned().cycle().take(found).collect();
        assert_eq!(
            message(text, &params),
            format!("filter: expected 7 parameters, one for each `?`, found {found}")
        );
    }
    // A `?` in quotes is no parameter.
    assert_eq!(Filter::parse("lang = '?'", &[]), Ok(field("lang").eq("?")));
    assert_eq!(Filter::parse("lang = ?", &["?".into()]), Ok(field("lang").eq("?")));
}

#[test]
fn names_are_those_of_fields() {
    let longest = "x".repeat(MAX_FIELD_NAME);
    for name in ["a", "_", "A_1", "Between_", "ins", "nothing", &longest] {
        assert_eq!(parse(&format!("{name} exists")), field(name).exists());
        assert_eq!(parse(&format!("\"{name}\" exists")), field(name).exists());
    }
    for keyword in ["in", "And", "OR", "not", "between", "prefix", "is", "null", "exists", "true", "false"] {
        assert_eq!(parse(&format!("\"{keyword}\" = 3")), field(keyword).eq(3));
        let error = Filter::parse(&format!("{keyword} = 3"), &[]);
        assert!(matches!(error, Err(ParseError::Unexpected { .. })), "{error:?}");
        assert_eq!(field(keyword).eq(3).to_string(), format!("\"{keyword}\" = 3"));
    }
}

#[test]
fn each_error_says_what_and_where() {
    let value = "expected a value: `?`, a text in single quotes, a number, `true` or `false`";
    let comparison = "expected `=`, `!=`, `<`, `<=`, `>`, `>=`, `between`, `in`, `prefix`, `is`, `exists`, \
                      `not in` or `not prefix`";
    let name = "expected a field: a letter or _, then letters, digits and _, at most 64 in all";
    let keyword = "expected a field (in double quotes if named like this), `not` or `(`";
    let long = "x".repeat(65);
    for (text, at, expected) in [
        ("", 0, "expected a field, `not` or `(`, found the end"),
        (" \n ", 3, "expected a field, `not` or `(`, found the end"),
        ("a = 1 and", 9, "expected a field, `not` or `(`, found the end"),
        ("not", 3, "expected a field, `not` or `(`, found the end"),
        ("()", 1, "expected a field, `not` or `(`, found `)`"),
        ("'a' = 1", 0, "expected a field, `not` or `(`, found `'a'`"),
        ("? = 1", 0, "expected a field, `not` or `(`, found `?`"),
        ("5 = 1", 0, "expected a field, `not` or `(`, found `5`"),
        ("in = 3", 0, &format!("{keyword}, found `in`")),
        ("a = 1 or Null", 9, &format!("{keyword}, found `Null`")),
        ("größe = 1", 0, &format!("{name}, found `größe`")),
        ("a = 1 and \"b c\" = 1", 10, &format!("{name}, found `\"b c\"`")),
        ("\"\" = 1", 0, &format!("{name}, found `\"\"`")),
        ("\"a\"\"b\" = 1", 0, &format!("{name}, found `\"a\"\"b\"`")),
        (&format!("{long} = 1"), 0, &format!("{name}, found `{}…`", &long[..40])),
        ("a", 1, &format!("{comparison}, found the end")),
        ("a b", 2, &format!("{comparison}, found `b`")),
        ("a ! = 1", 2, &format!("{comparison}, found `!`")),
        ("a => 1", 3, &format!("{value}, found `>`")),
        ("a and b", 2, &format!("{comparison}, found `and`")),
        ("a not = 1", 6, "expected `in` or `prefix`, found `=`"),
        ("a not exists", 6, "expected `in` or `prefix`, found `exists`"),
        ("a not", 5, "expected `in` or `prefix`, found the end"),
        ("a =", 3, &format!("{value}, found the end")),
        ("a = de", 4, &format!("{value}, found `de`")),
        ("a = \"de\"", 4, &format!("{value}, found `\"de\"`")),
        ("a = null", 4, &format!("{value}, found `null`")),
        ("a = (1)", 4, &format!("{value}, found `(`")),
        ("a = 1_000", 4, &format!("{value}, found `1_000`")),
        ("a = 0x1f", 4, &format!("{value}, found `0x1f`")),
        ("a = 1.", 4, &format!("{value}, found `1.`")),
        ("a = .5", 4, &format!("{value}, found `.`")),
        ("a = 1e", 4, &format!("{value}, found `1e`")),
        ("a = 1.5.2", 4, &format!("{value}, found `1.5.2`")),
        ("a = 1e5e5", 4, &format!("{value}, found `1e5e5`")),
        ("a = - 1", 4, &format!("{value}, found `-`")),
        ("a = --1", 4, &format!("{value}, found `-`")),
        ("a = +1", 4, &format!("{value}, found `+`")),
        ("a = -x", 4, &format!("{value}, found `-x`")),
        ("a = NaN", 4, &format!("{value}, found `NaN`")),
        ("a = 1 und", 6, "expected `and`, `or` or the end, found `und`"),
        ("a = 1)", 5, "expected `and`, `or` or the end, found `)`"),
        ("a = 1 && b = 2", 6, "expected `and`, `or` or the end, found `&`"),
        ("a = 1; x", 5, "expected `and`, `or` or the end, found `;`"),
        ("a = 1\0", 5, "expected `and`, `or` or the end, found `\u{fffd}`"),
        ("(a = 1", 6, "expected `and`, `or` or `)`, found the end"),
        ("(a = 1, b", 6, "expected `and`, `or` or `)`, found `,`"),
        ("a in 1", 5, "expected `(`, found `1`"),
        ("a in (", 6, &format!("{value}, found the end")),
        ("a in (1", 7, "expected `,` or `)`, found the end"),
        ("a in (1 2)", 8, "expected `,` or `)`, found `2`"),
        ("a in (1,)", 8, &format!("{value}, found `)`")),
        ("a in (,)", 6, &format!("{value}, found `,`")),
        ("a between 1", 11, "expected `and`, found the end"),
        ("a between 1 or 2", 12, "expected `and`, found `or`"),
        ("a between 1 and", 15, &format!("{value}, found the end")),
        ("a is", 4, "expected `null` or `not null`, found the end"),
        ("a is 1", 5, "expected `null` or `not null`, found `1`"),
        ("a is not", 8, "expected `null`, found the end"),
        ("a is not 1", 9, "expected `null`, found `1`"),
        ("a = 'it", 4, "expected another ' for the one there, found the end"),
        ("a = 'it''", 4, "expected another ' for the one there, found the end"),
        ("a = 1 and \"b = 1", 10, "expected another \" for the one there, found the end"),
        ("a 'it", 2, "expected another ' for the one there, found the end"),
        (
            "a = 9223372036854775808",
            4,
            "expected a whole number from -9223372036854775808 to 9223372036854775807, \
             found `9223372036854775808`",
        ),
        (
            &format!("a > -{}", "9".repeat(50)),
            4,
            &format!(
                "expected a whole number from -9223372036854775808 to 9223372036854775807, found `-{}…`",
                "9".repeat(39)
            ),
        ),
        ("a prefix 5", 9, "expected a text after `prefix`, found 5 (int)"),
        ("a not prefix true", 13, "expected a text after `prefix`, found true (bool)"),
    ] {
        assert_eq!(
            message(text, &["p".into()][..text.matches('?').count()]),
            format!("filter, byte {at}: {expected}")
        );
    }
    assert_eq!(
        message("a = 1 and b prefix ?", &[0.5.into()]),
        "filter, byte 19: expected a text after `prefix`, found 0.5 (float)"
    );
}

#[test]
fn hostile_texts_end_with_an_error() {
    let nested = |levels: usize, open: &str, close: &str| {
        Filter::parse(&format!("{}a exists{}", open.repeat(levels), close.repeat(levels)), &[])
    };
    for (open, close) in [("(", ")"), ("not ", "")] {
        let at = MAX_FILTER_NESTING * open.len();
        assert_eq!(nested(MAX_FILTER_NESTING, open, close), Ok(field("a").exists()));
        for levels in [MAX_FILTER_NESTING + 1, MAX_FILTER_TEXT / 8] {
            assert_eq!(nested(levels, open, close), Err(ParseError::TooDeep { at }));
        }
        let found = open.len() * 1_000_000;
        assert_eq!(Filter::parse(&open.repeat(1_000_000), &[]), Err(ParseError::TooLong { found }));
    }
    assert_eq!(
        message(&"not (".repeat(51), &[]),
        "filter, byte 250: expected at most 100 levels of `(` and `not`, found another"
    );
    assert_eq!(message(&" ".repeat(65_537), &[]), "filter: expected at most 65536 bytes, found 65537");
    // What is nested as deeply as a text can be is not too deep for a collection.
    let deepest = "lang exists or lang exists and (".repeat(MAX_FILTER_NESTING);
    let deepest = format!("{deepest}lang exists or lang not in (){}", ")".repeat(MAX_FILTER_NESTING));
    assert_eq!(matching(&parse(&deepest), &[row! {}, row! { lang: "de" }]), [1]);
    // Levels that are closed again do not count, and chains have none.
    let groups = vec!["(not (a = 1 or b = 2))"; 2_000].join(" and ");
    assert_eq!(parse(&groups).to_string().matches("not").count(), 2_000);
    let chain = vec!["a=1"; MAX_FILTER_TEXT / 7].join(" or ");
    assert_eq!(parse(&chain).to_string().matches("or").count(), MAX_FILTER_TEXT / 7 - 1);
    let quotes = format!("a = '{}'", "''".repeat(30_000));
    assert_eq!(parse(&quotes), field("a").eq("'".repeat(30_000)));
}

#[test]
fn filters_are_written_as_they_would_be_typed() {
    let (a, b) = (|| field("a"), || field("b"));
    for (filter, expected) in [
        (a().eq("it's \"ä\""), "a = 'it''s \"ä\"'"),
        (a().ne(-5), "a != -5"),
        (a().lt(1.0), "a < 1.0"),
        (a().le(1e300), "a <= 1e300"),
        (a().gt(f64::INFINITY), "a > 1e999"),
        (a().ge(f64::NEG_INFINITY), "a >= -1e999"),
        (a().between(true, false), "a between true and false"),
        (a().any_of(["x", "y"]), "a in ('x', 'y')"),
        (a().any_of(Vec::<i64>::new()), "a in ()"),
        (!a().prefix("x"), "not a prefix 'x'"),
        (field("Exists").exists(), "\"Exists\" exists"),
        (
            (a().exists() | b().exists()) & !(a().exists() & b().exists()),
            "(a exists or b exists) and not (a exists and b exists)",
        ),
        ((a().exists() & b().exists()) | !b().exists(), "a exists and b exists or b is null"),
        (!a().exists() & !b().eq(1), "a is null and not b = 1"),
    ] {
        assert_eq!(filter.to_string(), expected);
        assert_eq!(format!("{filter:>99}"), expected, "the width is not that of a part");
        assert_eq!(parse(expected), filter);
    }
    // What no text describes is written, and is not read as something else.
    for filter in
        [a().eq(f64::NAN), field("a\" exists or \"b").exists(), field("").exists(), field("ä").exists()]
    {
        let text = filter.to_string();
        assert!(Filter::parse(&text, &[]).is_err(), "{text}");
    }
}
