//! Which codes an index gets by default.

use support::Random;
use vex::{Coding, Element, Index, Quantization, Store};

const DIM: usize = 32;

/// Vectors around eight centers, each within `radius` of one.
fn around(radius: f32) -> Vec<(u64, Vec<f32>)> {
    let mut random = Random(1);
    let mut row = || (0..DIM).map(|_| random.element()).collect::<Vec<f32>>();
    let centres: [_; 8] = std::array::from_fn(|_| row());
    let near = |centre: &[f32], noise: Vec<f32>| {
        centre.iter().zip(noise).map(|(centre, noise)| centre + radius * noise).collect()
    };
    (0..800).map(|key| (key, near(&centres[key as usize % 8], row()))).collect()
}

fn built(coding: Coding, radius: f32) -> Index {
    Index::builder(DIM).quantization(coding).build_from(around(radius)).unwrap()
}

#[test]
fn codes_are_taken_where_they_tell_vectors_apart() {
    let index = Index::builder(DIM).build_from(around(1.0)).unwrap();
    assert_eq!(index.params().quantization, Some(Quantization::auto(DIM)));
    assert!(index.given_up_codes().is_empty());
}

#[test]
fn a_tight_set_gets_no_codes_and_the_index_tells_why() {
    let mut index = built(Coding::default(), 1e-3);
    assert_eq!(index.params().quantization, None);
    let [given_up] = index.given_up_codes() else { panic!("{:?}", index.given_up_codes()) };
    assert_eq!((given_up.quantization, given_up.check.sampled), (Quantization::Sq8, 200));
    assert!(given_up.check.share_in_doubt() > 0.25, "{given_up:?}");
    let copy = index.try_clone().unwrap();
    assert_eq!(copy.given_up_codes(), index.given_up_codes());
    index.compact().unwrap();
    assert_eq!(copy.given_up_codes(), index.given_up_codes());
}

#[test]
fn codes_are_kept_where_they_are_all_there_will_be() {
    let index = built(Coding::AutoCoded, 1e-3);
    assert_eq!(index.params().quantization, Some(Quantization::Sq8));
    assert!(index.given_up_codes().is_empty());
    index.save_to(&mut Vec::new(), Store::None).unwrap();
}

#[test]
fn what_was_asked_for_is_not_judged() {
    for kind in Quantization::ALL {
        let index = built(kind.into(), 1e-3);
        assert_eq!(index.params().quantization, Some(kind));
        assert!(index.given_up_codes().is_empty());
    }
    assert_eq!(built(None.into(), 1.0).params().quantization, None);
}

#[test]
fn an_empty_index_has_no_codes_until_it_is_given_some() {
    let mut index = Index::builder(DIM).build().unwrap();
    index.extend(around(1.0)).unwrap();
    assert_eq!(index.params().quantization, None);
    index.requantize(Quantization::auto(DIM)).unwrap();
    assert_eq!(index.params().quantization, Some(Quantization::Sq8));
    let coded = Index::builder(DIM).quantization(Coding::AutoCoded).build().unwrap();
    assert_eq!(coded.params().quantization, Some(Quantization::Sq8));
}

#[test]
fn elements_that_cannot_be_coded_get_no_codes() {
    let index = Index::builder(2).element(Element::I8).build_from([(1, [3i8, 4]), (2, [-3, 4])]).unwrap();
    assert_eq!(index.params().quantization, None);
    let refused = Index::builder(2).element(Element::I8).quantization(Coding::AutoCoded);
    assert!(refused.build_from([(1, [3i8, 4])]).is_err());
}

#[test]
fn the_memory_plan_has_room_for_the_codes_that_may_be_taken() {
    let [sq8, sq4, sq2x2] = Quantization::ALL;
    for (dim, kinds) in [(DIM, &[sq8][..]), (257, &[sq4, sq8]), (513, &[sq2x2, sq4, sq8])] {
        for count in [1, 5_000] {
            let plan = |coding: Coding| Index::builder(dim).quantization(coding).memory_plan(count).unwrap();
            let auto = plan(Coding::Auto);
            for kind in kinds.iter().copied() {
                assert!(plan(kind.into()).peak(2) <= auto.peak(2), "{count} of {dim}, {kind}");
                assert!(plan(kind.into()).graph() <= auto.graph(), "{count} of {dim}, {kind}");
            }
        }
    }
}
