//! Which level runs.

use std::println;
use std::vec::Vec;

use crate::isa::Capabilities;
use crate::{Distance, Level, Metric, f16};

#[test]
fn names_of_levels_and_metrics_round_trip() {
    for level in Level::ALL {
        assert_eq!(Level::from_name(level.name()), Some(level));
    }
    for metric in Metric::ALL {
        assert_eq!(Metric::from_name(metric.name()), Some(metric));
    }
    assert_eq!(Level::from_name("AVX2"), None);
    assert_eq!(Metric::from_name(""), None);
}

#[test]
fn handle_exists_exactly_where_its_level_is_available() {
    for level in Level::ALL {
        for metric in Metric::NUMERIC {
            let handle = Distance::<f32>::with_level(metric, level);
            assert_eq!(handle.is_some(), level.is_available(), "{metric} {level}");
            if let Some(handle) = handle {
                assert_eq!((handle.metric(), handle.level()), (metric, level));
            }
        }
        if !level.is_available() {
            println!("SKIPPED: this machine lacks {level}");
        }
    }
    assert!(Level::Scalar.is_available());
}

/// Meant to run under every value of `VEX_SIMD`; without it there is no cap.
#[test]
fn best_available_level_up_to_the_cap_is_chosen() {
    let capped = std::env::var("VEX_SIMD").ok().filter(|_| cfg!(feature = "std"));
    let cap = capped.map_or(Level::Avx512, |name| Level::from_name(&name).expect("a level"));
    let best = Level::ALL.into_iter().rfind(|level| *level <= cap && level.is_available());
    for metric in Metric::NUMERIC {
        assert_eq!(Some(Distance::<f32>::new(metric).level()), best);
    }
    assert_eq!(Some(Level::detect()), best);
}

/// Whichever is faster on this machine, both are there to be tested.
#[test]
fn f16_has_two_ways_on_avx512_and_the_faster_first() {
    let machine = Capabilities::detect();
    if !machine.avx512() {
        return println!("SKIPPED: this machine lacks avx512");
    }
    let expected = if machine.halves_512() { ["avx512vl", "avx512"] } else { ["avx512", "avx512vl"] };
    for metric in Metric::NUMERIC {
        let handles = Distance::<f16>::all(metric).filter(|handle| handle.level() == Level::Avx512);
        assert_eq!(handles.map(|handle| handle.name()).collect::<Vec<_>>(), expected, "{metric}");
    }
}
