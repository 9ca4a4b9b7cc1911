//! Settings are written to a file and read back.
#![cfg(feature = "serde")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{from_str, json, to_value};
use vex::{Coding, Element, Metric, Params, ParamsError, Quantization, SearchParams, Store};

/// Writes a value, reads it back, and checks the text.
fn returns<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: T,
    written: serde_json::Value,
) {
    let json = to_value(&value).unwrap();
    assert_eq!(json, written);
    assert_eq!(from_str::<T>(&json.to_string()).unwrap(), value);
}

#[test]
fn names_are_those_of_the_command() {
    Metric::ALL.into_iter().for_each(|metric| returns(metric, metric.name().into()));
    Element::ALL.into_iter().for_each(|element| returns(element, element.name().into()));
    Quantization::ALL.into_iter().for_each(|kind| returns(kind, kind.name().into()));
    Quantization::ALL.into_iter().for_each(|kind| returns(Coding::Just(kind), kind.name().into()));
    for coding in [Coding::Auto, Coding::AutoCoded, Coding::None] {
        returns(coding, coding.name().into());
    }
    returns(Store::All, "all".into());
    returns(Store::F16, "f16".into());
    returns(Store::None, "none".into());
    assert!(from_str::<Coding>("\"sq9\"").unwrap_err().to_string().starts_with("expected auto, auto-coded,"));
}

#[test]
fn parameters_of_a_build_come_back() {
    let params = Params::new().m(24).seed(u64::MAX).quantization(Some(Quantization::Sq4));
    returns(
        params.element(Element::F16),
        json!({
            "m": 24,
            "ef_construction": 200,
            "seed": u64::MAX,
            "keep_pruned": false,
            "element": "f16",
            "quantization": "sq4",
        }),
    );
    assert_eq!(from_str::<Params>("{}").unwrap(), Params::new());
    assert!(from_str::<Params>(r#"{"M": 24}"#).is_err(), "a misspelt parameter is no default");
}

#[test]
fn parameters_of_a_search_come_back() {
    let params = SearchParams::new(10);
    let rerank = SearchParams::RERANK;
    let defaults =
        json!({"k": 10, "ef_search": 64, "max_distance_evals": null, "rerank": rerank, "slack": null});
    returns(params, defaults);
    returns(
        params.ef_search(100).max_distance_evals(5_000).rerank(f32::INFINITY).slack(0.25),
        json!({"k": 10, "ef_search": 100, "max_distance_evals": 5_000, "rerank": null, "slack": 0.25}),
    );
    assert_eq!(from_str::<SearchParams>(r#"{"k": 10}"#).unwrap(), params);
    assert!(from_str::<SearchParams>("{}").is_err(), "how many is up to the caller");
}

#[test]
fn what_is_out_of_range_is_refused_where_it_is_used() {
    let params: Params = from_str(r#"{"m": 3}"#).unwrap();
    assert_eq!(params.validate(), Err(ParamsError::M { found: 3 }));
    let params: Params = from_str(r#"{"element": "bits", "quantization": "sq8"}"#).unwrap();
    assert_eq!(params.validate(), Err(ParamsError::Quantization { found: Element::Bits }));
}
