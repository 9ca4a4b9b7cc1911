//! Indexes with codes, beside their vectors and instead of them.

use serde_json::Value;
use vex::{Index, Store};

use crate::support::{Folder, bytes, floats, read_ivecs, vectors};

const DIM: usize = 40;

/// A folder with vectors, queries and ground truth.
fn folder(metric: &str) -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(11, 2000, DIM))));
    folder.write("queries.npy", vectors(&floats(&bytes(12, 50, DIM))));
    folder
        .succeed(&format!("gt base.npy --queries queries.npy -k 10 --metric {metric} --output truth.ivecs"));
    folder
}

fn recall(folder: &Folder, search: &str) -> f64 {
    let truth = read_ivecs(&folder.read("truth.ivecs"));
    let answers = folder.json(search);
    let right = answers.as_array().unwrap().iter().zip(&truth).map(|(answer, truth)| {
        let keys: Vec<i64> =
            answer["keys"].as_array().unwrap().iter().map(|key| key.as_i64().unwrap()).collect();
        assert_eq!(keys.len(), 10);
        truth.iter().filter(|id| keys.contains(&i64::from(**id))).count()
    });
    right.sum::<usize>() as f64 / (truth.len() * 10) as f64
}

#[test]
fn codes_find_what_vectors_find() {
    for metric in ["squared-euclidean", "inner-product", "cosine"] {
        let folder = folder(metric);
        // Uniform vectors of 40 elements are far harder to code than embeddings. With 16 values an
        // element they are harder still.
        for (quantize, reranked, alone) in
            [("none", 0.97, 0.97), ("sq8", 0.97, 0.9), ("sq4", 0.95, 0.6), ("sq2x2", 0.95, 0.6)]
        {
            let build = format!(
                "build base.npy --output {quantize}.vex --metric {metric} --quantize {quantize} --json"
            );
            let report = folder.json(&build);
            let expected = if quantize == "none" { Value::Null } else { quantize.into() };
            assert_eq!(report["quantization"], expected);
            folder.succeed(&format!("verify {quantize}.vex"));
            let search = format!("search {quantize}.vex --queries queries.npy --ef-search 200 --json");
            let found = recall(&folder, &search);
            assert!(found >= reranked, "{metric}, {quantize}: {found}");
            let found = recall(&folder, &format!("{search} --rerank 0"));
            assert!(found >= alone, "{metric}, {quantize} alone: {found}");
        }
    }
}

#[test]
fn codes_alone_answer_as_codes_without_reranking_do() {
    let folder = folder("cosine");
    for quantize in ["sq8", "sq4", "sq2x2"] {
        let build = format!("build base.npy --metric cosine --quantize {quantize}");
        let with = folder.json(&format!("{build} --output with.vex --json"));
        let without = folder.json(&format!("{build} --store none --output alone.vex --json"));
        assert!(
            without["index_bytes"].as_u64().unwrap() + 2000 * DIM as u64 * 4
                < with["index_bytes"].as_u64().unwrap()
        );
        folder.succeed("verify alone.vex");
        let search = "--queries queries.npy --ef-search 100 --json";
        let expected = folder.json(&format!("search with.vex {search} --rerank 0"));
        assert_eq!(folder.json(&format!("search alone.vex {search}")), expected);
        let info = folder.json("info alone.vex --json");
        assert_eq!((&info["stores_vectors"], &info["quantization"]), (&false.into(), &quantize.into()));
        let sections = info["sections"].as_array().unwrap();
        assert!(sections.iter().all(|section| section["tag"] != "VECS"), "{sections:?}");
    }
}

#[test]
fn threads_and_instruction_sets_do_not_change_a_byte() {
    let folder = folder("squared-euclidean");
    for quantize in ["sq8", "sq4", "sq2x2"] {
        let build = |name: &str, level: &str, threads: usize| {
            let arguments =
                format!("build base.npy --output {name} --quantize {quantize} --threads {threads}");
            let mut command = folder.command(&arguments);
            command.env("VEX_SIMD", level);
            assert_eq!(crate::support::run(command).code, Some(0), "{level}");
            folder.read(name)
        };
        let expected = build("scalar.vex", "scalar", 1);
        for (level, threads) in [("avx2", 2), ("avx512", 4), ("neon", 8)] {
            assert!(build("other.vex", level, threads) == expected, "{quantize}, {level}, {threads} threads");
        }
    }
}

#[test]
fn an_index_that_was_read_is_benched_as_one_that_is_mapped() {
    let folder = folder("cosine");
    folder.succeed("build base.npy --output base.vex --metric cosine --quantize sq4");
    let bench = "bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 40";
    let recall = |arguments: &str| folder.json(&format!("{bench} --json {arguments}"))[0]["recall"].as_f64();
    let mapped = recall("");
    assert!(mapped.is_some());
    for load in ["--load", "--load=all", "--load=codes"] {
        assert_eq!(recall(load), mapped, "{load}");
    }
    assert!(folder.succeed(bench).contains("sq4 codes\n"));
}

#[test]
fn a_search_ends_at_the_distances_it_was_given() {
    let folder = folder("cosine");
    folder.succeed("build base.npy --output base.vex --metric cosine --quantize sq4");
    let bench = "bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 40 --json";
    let figure =
        |arguments: &str, name: &str| folder.json(&format!("{bench} {arguments}"))[0][name].as_f64().unwrap();
    let distances = figure("", "distances_per_query");
    let factor = distances / 40.0 / 2.0;
    let limited = format!("--max-distances {factor}");
    // A row of links that was begun is ranked to its end, and so is the row that was prefetched
    // meanwhile.
    assert!((distances / 4.0..distances / 2.0 + 64.0).contains(&figure(&limited, "distances_per_query")));
    assert!(figure(&limited, "recall") < figure("", "recall"));
    assert_eq!(figure("--max-distances 1000", "recall"), figure("", "recall"));
}

#[test]
fn slack_saves_work_and_infinity_is_the_default() {
    let folder = folder("cosine");
    folder.succeed("build base.npy --output base.vex --metric cosine --quantize sq4");
    let bench = "bench base.vex --queries queries.npy --ground-truth truth.ivecs --ef-search 200 --json";
    let figures = |arguments: &str| {
        let row = folder.json(&format!("{bench} {arguments}"))[0].clone();
        ["recall", "distances_per_query"].map(|name| row[name].as_f64().unwrap())
    };
    let plain = figures("");
    assert_eq!(figures("--slack inf"), plain);
    let [recall, distances] = figures("--slack 0.2");
    assert!(distances < 0.9 * plain[1], "{distances} of {}", plain[1]);
    assert!(recall >= plain[0] - 0.01, "{recall} of {}", plain[0]);
    for wrong in ["-0.1", "nan", "much"] {
        let refused = folder.run(&format!("search base.vex --queries queries.npy --slack={wrong}"));
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains(&format!("{wrong} is not 0 or more, or inf")), "{}", refused.stderr);
    }
}

#[test]
fn an_index_of_nothing_is_refused() {
    let folder = folder("cosine");
    folder.refuse(
        "build base.npy --output base.vex --quantize none --store none",
        "--store none needs codes: expected --quantize sq8, sq4 or sq2x2, found none",
    );
}

/// These vectors differ in eight directions only. So some are far nearer than others, as among
/// embeddings, and two bits distinguish them.
#[test]
fn auto_takes_two_planes_where_they_are_accurate_enough() {
    let folder = Folder::new();
    let (count, dim) = (1200, 512);
    let (directions, steps) = (floats(&bytes(21, 8, dim)), floats(&bytes(22, count, 8)));
    let row = |steps: &Vec<f32>| {
        let sum = |i: usize| steps.iter().zip(&directions).map(|(step, along)| step * along[i]).sum();
        (0..dim).map(sum).collect()
    };
    folder.write("base.npy", vectors(&steps.iter().map(row).collect::<Vec<Vec<f32>>>()));
    let report = folder.json("build base.npy --output auto.vex --json");
    assert_eq!(report["quantization"], "sq2x2");
    folder.succeed("gt base.npy --queries base.npy -k 10 --output truth.ivecs");
    let found = recall(&folder, "search auto.vex --queries base.npy --json");
    assert!(found >= 0.99, "{found}");
}

/// The errors of 4-bit codes are larger than the distances within tight clusters. In the tightest,
/// so are those of 8-bit codes.
#[test]
fn auto_takes_finer_codes_where_coarse_ones_are_not_accurate_enough() {
    let folder = Folder::new();
    let count = 1200;
    for (dim, tightness, expected) in [
        (256, 0.5, Some("sq4")),
        (256, 0.1, Some("sq8")),
        (256, 0.02, None),
        (512, 0.5, Some("sq4")),
        (512, 0.1, Some("sq8")),
        (512, 0.02, None),
    ] {
        let (centres, noise) = (floats(&bytes(21, 8, dim)), floats(&bytes(22, count, dim)));
        let rows = (0..count).map(|row| {
            let centre = &centres[row % centres.len()];
            centre.iter().zip(&noise[row]).map(|(centre, noise)| centre + tightness * noise).collect()
        });
        let rows: Vec<Vec<f32>> = rows.collect();
        folder.write("base.npy", vectors(&rows));
        let report = folder.json("build base.npy --output auto.vex --json");
        assert_eq!(report["quantization"].as_str(), expected, "{dim}, {tightness}");
        // The library takes the same codes.
        let index = Index::builder(dim).build_from((0..).zip(&rows).take(count)).unwrap();
        let mut bytes = Vec::new();
        index.save_to(&mut bytes, Store::All).unwrap();
        assert!(bytes == folder.read("auto.vex"), "{dim}, {tightness}");
        folder.succeed("verify auto.vex");
        folder.succeed("gt base.npy --queries base.npy -k 10 --output truth.ivecs");
        let found = recall(&folder, "search auto.vex --queries base.npy --json");
        assert!(found >= 0.97, "{dim}, {tightness}: {found}");
    }
}

#[test]
fn info_says_how_many_vectors_codes_leave_in_doubt() {
    let folder = folder("squared-euclidean");
    // Twenty clusters of a hundred vectors. Within a cluster, vectors are ten thousand times as
    // near to each other as clusters are.
    let (centres, noise) = (floats(&bytes(13, 20, DIM)), floats(&bytes(14, 2000, DIM)));
    let near = |(row, noise): (usize, &Vec<f32>)| -> Vec<f32> {
        centres[row % 20].iter().zip(noise).map(|(centre, noise)| centre + noise / 1e4).collect()
    };
    folder.write("tight.npy", vectors(&noise.iter().enumerate().map(near).collect::<Vec<_>>()));
    let in_doubt = |base: &str, codes: &str| {
        folder.succeed(&format!("build {base} --output index.vex --quantize {codes}"));
        let info = folder.json("info index.vex --json")["codes_in_doubt"].clone();
        let number = |name: &str| info[name].as_u64();
        number("sampled").zip(number("in_doubt"))
    };
    assert_eq!(in_doubt("base.npy", "none"), None);
    let (sampled, doubtful) = in_doubt("base.npy", "sq8").unwrap();
    assert!(sampled == 100 && doubtful <= 5, "{doubtful} of {sampled}");
    let (sampled, doubtful) = in_doubt("tight.npy", "sq4").unwrap();
    assert!(sampled == 100 && doubtful >= 50, "{doubtful} of {sampled}");
}
