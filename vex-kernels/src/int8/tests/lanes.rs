//! Integers: each element is counted once and against its own partner, and nothing beyond either
//! end is read.

use std::vec;
use std::vec::Vec;

use super::exact::{Sample, check, variants};
#[cfg(unix)]
use crate::tests::{guard_page::Island, lengths};
use crate::{Code8, Element, Product};

fn every_element_counts_once<Q: Sample + Element<R, Value = f64>, R: Sample>() {
    let variants = variants();
    // Distinct for 251 elements, so that no two neighbors could be exchanged unnoticed.
    let counting: Vec<R> = (0..200usize).map(|i| R::from_byte((i % 251 + 1) as u8)).collect();
    for length in (1..=70).chain([127, 128, 129, 191, 192, 200]) {
        let mut one_hot = vec![Q::from_byte(0); length];
        let zero = vec![R::from_byte(0); length];
        let row = &counting[..length];
        for index in 0..length {
            one_hot[index] = Q::GREATEST;
            check(&variants, &one_hot, [row, &zero, row, row]);
            one_hot[index] = Q::from_byte(0);
        }
    }
}

#[test]
fn every_element_counts_once_at_every_length() {
    every_element_counts_once::<i8, i8>();
    every_element_counts_once::<u8, u8>();
    every_element_counts_once::<i8, u8>();
}

/// Loads are masked where a vector ends inside a register. Elements behind the end must not be
/// counted.
#[test]
fn elements_beyond_the_end_do_not_count() {
    let (signed, unsigned) = ([1i8; 1024], [1u8; 1024]);
    for length in 0..=300 {
        for start in [0, 1, 31, 500] {
            let range = start..start + length;
            for product in Product::<Code8>::all() {
                let found = product.dot(&signed[range.clone()], &unsigned[range.clone()]);
                assert_eq!(found, length as i32, "{product:?}");
            }
        }
    }
}

#[cfg(unix)]
fn no_load_crosses_an_end<Q, R>()
where
    Q: Sample + Element<R, Value = f64> + bytemuck::Pod,
    R: Sample + bytemuck::Pod,
{
    let variants = variants();
    let (mut first, mut second) = (Island::new(), Island::new());
    let a: &mut [Q] = first.elements();
    let b: &mut [R] = second.elements();
    a.fill(Q::from_byte(3));
    b.fill(R::from_byte(201));
    for length in lengths() {
        let (starts, ends) = ((&a[..length], &b[..length]), (&a[a.len() - length..], &b[b.len() - length..]));
        for (query, row) in [starts, ends, (starts.0, ends.1), (ends.0, starts.1)] {
            check(&variants, query, [row; 4]);
        }
    }
}

#[cfg(unix)]
#[test]
fn no_load_crosses_either_end_of_a_vector() {
    no_load_crosses_an_end::<i8, i8>();
    no_load_crosses_an_end::<u8, u8>();
    no_load_crosses_an_end::<i8, u8>();
}
