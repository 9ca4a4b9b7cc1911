//! Every kind of graph that the command can build: rows of links, vectors and codes of every width.

use std::collections::BTreeSet;

use crate::support::{Folder, bytes, floats, vectors};

/// Numbers of links around the groups in which searches read them, and the ends of the range.
const M: [usize; 16] = [4, 5, 16, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 128, 256, 512];

/// Dimensions around the blocks of kernels, and around the limits from which on other codes are
/// taken.
const DIMS: [usize; 10] = [1, 2, 63, 64, 65, 127, 128, 129, 768, 4096];

const CODES: [&str; 4] = ["none", "sq8", "sq4", "sq2x2"];

/// All combinations take a quarter of an hour. So without `VEX_DEEP=1` the test takes one in nine,
/// in which each value occurs.
#[test]
fn every_combination_is_built_and_searched() {
    let is_deep = std::env::var_os("VEX_DEEP").is_some_and(|value| value == "1");
    let folder = Folder::new();
    let (mut builds, mut searches, mut number) = (0, 0, 0);
    for dim in DIMS {
        // There must be more vectors than the widest rows have links, so that these are filled.
        let count = if is_deep && dim < 768 { 2_500 } else { 400 };
        folder.write("base.npy", vectors(&floats(&bytes(dim as u64, count, dim))));
        folder.write("queries.npy", vectors(&floats(&bytes(dim as u64 + 1, 3, dim))));
        for m in M {
            for codes in CODES {
                number += 1;
                if !is_deep && number % 9 != 0 {
                    continue;
                }
                let build = format!(
                    "build base.npy --output index.vex --m {m} --ef-construction 60 --quantize {codes}"
                );
                folder.succeed(&build);
                builds += 1;
                folder.succeed("verify index.vex");
                for (k, ef) in [(1, 1), (10, 300), (count + 7, count + 7)] {
                    let search =
                        format!("search index.vex --queries queries.npy -k {k} --ef-search {ef} --json");
                    for answer in folder.json(&search).as_array().unwrap() {
                        let keys = answer["keys"].as_array().unwrap();
                        let distinct: BTreeSet<_> = keys.iter().map(|key| key.as_u64().unwrap()).collect();
                        assert_eq!(
                            (keys.len(), distinct.len()),
                            (k.min(count), k.min(count)),
                            "{build}, {search}"
                        );
                        assert!(distinct.iter().all(|key| *key < count as u64), "{build}, {search}");
                    }
                    searches += 1;
                }
            }
        }
    }
    println!("{builds} builds, {searches} commands of 3 searches each");
}
