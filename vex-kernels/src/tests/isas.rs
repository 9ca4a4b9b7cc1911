//! Which instruction set runs.

use std::println;
use std::vec::Vec;

use crate::cpu::{Capabilities, Capability};
use crate::{Distance, Isa, Metric, f16};

#[test]
fn names_of_instruction_sets_and_metrics_round_trip() {
    for isa in Isa::ALL {
        assert_eq!(Isa::from_name(isa.name()), Some(isa));
    }
    for metric in Metric::ALL {
        assert_eq!(metric.name().parse(), Ok(metric));
    }
    assert_eq!(Isa::from_name("AVX2"), None);
    let error = "".parse::<Metric>().unwrap_err();
    assert!(Metric::ALL.iter().all(|metric| error.expected.contains(metric.name())), "{error}");
}

#[test]
fn handle_exists_exactly_where_its_instruction_set_is_available() {
    for isa in Isa::ALL {
        for metric in Metric::NUMERIC {
            let handle = Distance::<f32>::with_isa(metric, isa);
            assert_eq!(handle.is_some(), isa.is_available(), "{metric} {isa}");
            if let Some(handle) = handle {
                assert_eq!((handle.metric(), handle.isa()), (metric, isa));
            }
        }
        if !isa.is_available() {
            println!("SKIPPED: this machine lacks {isa}");
        }
    }
    assert!(Isa::Scalar.is_available());
}

/// Meant to run under every value of `VEX_SIMD`. Without the variable there is no cap.
#[test]
fn best_available_instruction_set_up_to_the_cap_is_chosen() {
    let capped = std::env::var("VEX_SIMD").ok().filter(|_| cfg!(feature = "std"));
    let cap = capped.map_or(Isa::Avx512, |name| Isa::from_name(&name).expect("an instruction set"));
    let best = Isa::ALL.into_iter().rfind(|isa| *isa <= cap && isa.is_available());
    for metric in Metric::NUMERIC {
        assert_eq!(Some(Distance::<f32>::new(metric).isa()), best);
    }
    assert_eq!(Some(Isa::detect()), best);
}

/// Both variants are there to be tested, whichever is faster on this machine.
#[test]
fn f16_has_two_variants_on_avx512_and_the_faster_first() {
    let machine = Capabilities::detect();
    if !machine.has(Capability::Avx512) {
        return println!("SKIPPED: this machine lacks avx512");
    }
    let expected =
        if machine.has(Capability::Halves512) { ["avx512vl", "avx512"] } else { ["avx512", "avx512vl"] };
    for metric in Metric::NUMERIC {
        let handles = Distance::<f16>::all(metric).filter(|handle| handle.isa() == Isa::Avx512);
        assert_eq!(handles.map(|handle| handle.name()).collect::<Vec<_>>(), expected, "{metric}");
    }
}
