//! Makes two indexes of the demo's definitions and searches them on the host. The firmware gets
//! both, with the answers.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;
use std::{env, fs};

use vex_format::{AlignedBytes, Image, Meta, Store, Writer};
use vex_graph::{Hnsw, Metric, Params, Serial};
use vex_kernels::{Distance, Isa};

// The board uses more of this file.
#[allow(dead_code)]
#[path = "src/answers.rs"]
mod answers;

use answers::{CODES, DIM, Memory, NODES, vector};

const DEFINITIONS: &str = "../../vex-cli/demo/definitions.f16.npy";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/answers.rs");
    println!("cargo::rerun-if-changed={DEFINITIONS}");
    let isa = Distance::<f32>::new(Metric::InnerProduct).isa();
    assert_eq!(isa, Isa::Scalar, "run from this folder, whose configuration sets VEX_SIMD");

    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let definitions = fs::read(DEFINITIONS).expect("the demo's definitions");
    for (name, count, store) in [("codes", NODES, Store::None), ("vectors", NODES / 4, Store::All)] {
        let index = index(&definitions, count, store);
        let image = Image::open(&index).expect("what was written");
        let mut answers = Vec::new();
        answers::ask(&image, &mut Memory::new(), &mut |word: u32| answers.extend(word.to_le_bytes()));
        write(&out.join(format!("{name}.vex")), &index);
        write(&out.join(format!("{name}.answers")), &answers);
    }
    memory_map(out);
}

/// The file of an index of the first `count` definitions. Their keys are their rows.
fn index(definitions: &[u8], count: usize, store: Store) -> AlignedBytes {
    let params = Params::new().m(8).quantization(Some(CODES));
    let mut row = 0;
    let next = |to: &mut [f32]| -> Result<(), Infallible> {
        to.copy_from_slice(&vector(definitions, row));
        row += 1;
        Ok(())
    };
    let (graph, order) =
        Hnsw::build(Metric::Cosine, DIM, params, count, next, &Serial, |_| ControlFlow::Continue(()))
            .expect("definitions are vectors");
    let keys: Vec<u64> = order.into_iter().map(u64::from).collect();
    let view = graph.view();
    let writer = Writer::new(&view, &keys, &Meta::new(params).store(store)).expect("a graph and its keys");
    let mut bytes = Vec::new();
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), Infallible>(())
    });
    AlignedBytes::copy_of(&bytes).expect("memory for a small index")
}

/// Writes the addresses of the board's flash and memory.
fn memory_map(out: &Path) {
    let map = match &*env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it") {
        "arm" => include_str!("arm.x"),
        "riscv32" => include_str!("riscv32.x"),
        other => panic!("no board with {other}"),
    };
    write(&out.join("memory.x"), map.as_bytes());
    println!("cargo::rustc-link-search={}", out.display());
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("room in the build folder");
}
