//! What a build allocates is what its plan says.

use vex_graph::{
    Hnsw, InsertError, MemoryLimitExceeded, MemoryPlan, Metric, Params, ParamsError, Quantization, Serial,
};

use crate::allocator::holding;
use crate::support::{Shape, Snapshot, built, inserted, vectors};

/// Plan and truth of a build: what is left, and the peak.
fn plan_and_truth(params: Params, metric: Metric, dim: usize, count: usize) -> [(usize, usize); 2] {
    let data = vectors(Shape::Uniform, dim, count, 1);
    let plan = MemoryPlan::of(&params, metric, dim, count).unwrap();
    let ((graph, order), left, peak) = holding(|| built(metric, params, &data, &Serial));
    assert_eq!((graph.count(), order.len()), (count, count));
    [(plan.graph() + plan.order, left), (plan.peak(1), peak)]
}

#[test]
fn a_built_graph_holds_what_its_plan_says_to_the_byte() {
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        for (m, dim, count, seed) in [
            (4, 3, 0, 0),
            (4, 3, 1, 1),
            (16, 1, 2, 2),
            (5, 20, 63, 3),
            (16, 130, 700, 4),
            (4, 64, 2_000, 5),
            (8, 256, 300, 6),
        ] {
            let params = Params::new().m(m).ef_construction(20).seed(seed).quantization(quantization);
            // Without vectors the tests' own helper takes three dimensions.
            for metric in [Metric::Cosine, Metric::InnerProduct] {
                let [(planned, left), (bound, peak)] = plan_and_truth(params, metric, dim, count);
                assert_eq!(left, planned, "{metric}, {params:?}, {count} x {dim}");
                assert!(
                    peak <= bound,
                    "{metric}, {params:?}, {count} x {dim}: {peak}, at most {bound} planned"
                );
            }
        }
    }
}

/// Chains take 8 bytes a node, which the peak has room for.
#[test]
fn a_graph_of_copies_holds_its_chains_beside_what_its_plan_says() {
    for (kinds, dim, count) in [(1, 3, 2), (1, 16, 3000), (700, 16, 3000), (2999, 4, 3000)] {
        let different = vectors(Shape::Uniform, dim, kinds, 1);
        let data: Vec<Vec<f32>> = (0..count).map(|index| different[index % kinds].clone()).collect();
        let params = Params::new().m(4).ef_construction(20);
        let plan = MemoryPlan::of(&params, Metric::SquaredEuclidean, dim, count).unwrap();
        let ((graph, order), left, peak) =
            holding(|| built(Metric::SquaredEuclidean, params, &data, &Serial));
        assert_eq!(left, plan.graph() + plan.order + 8 * count);
        assert_eq!(left, graph.memory() + size_of_val(&order[..]));
        assert!(peak <= plan.peak(1), "{peak} of {}", plan.peak(1));
    }
}

#[test]
fn the_peak_of_a_build_is_near_its_bound() {
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        for (dim, count) in [(64, 20_000), (128, 10_000), (256, 5_000)] {
            let params = Params::new().ef_construction(40).quantization(quantization);
            let [_, (bound, peak)] = plan_and_truth(params, Metric::SquaredEuclidean, dim, count);
            println!("{quantization:?}, {dim}: {peak} of {bound}, {:.3}", peak as f64 / bound as f64);
            assert!(peak <= bound && peak as f64 >= 0.8 * bound as f64, "{quantization:?}: {peak}, {bound}");
        }
    }
}

#[test]
fn a_plan_checks_what_a_build_checks_and_knows_its_limit() {
    let of = |m, dim| MemoryPlan::of(&Params::new().m(m), Metric::Cosine, dim, 1_000);
    assert_eq!(of(2, 8), Err(ParamsError::M { found: 2 }));
    assert_eq!(of(16, 0), Err(ParamsError::Dim { found: 0 }));
    let plan = of(16, 8).unwrap();
    let peak = plan.peak(2);
    assert!(plan.check(peak, 2).is_ok());
    let error = plan.check(peak - 1, 2).unwrap_err();
    assert_eq!((error.limit, error.needed), (peak - 1, peak));
    // Sizes that no machine has do not overflow.
    let plan = MemoryPlan::of(&Params::new().m(512), Metric::Cosine, 65_536, 100_000).unwrap();
    assert!(plan.peak(usize::MAX) >= plan.graph());
}

#[test]
fn inserts_stay_within_a_limit() {
    for quantization in [None, Some(Quantization::Sq8)] {
        let params = Params::new().m(4).ef_construction(20).quantization(quantization);
        let data = vectors(Shape::Uniform, 20, 600, 1);
        let mut graph = Hnsw::new(Metric::SquaredEuclidean, 20, params).unwrap();
        let empty = graph.memory();
        let limit = 60_000;
        graph.limit_memory(limit);
        let refused = data.iter().find_map(|vector| graph.insert(vector).err()).unwrap();
        let InsertError::MemoryLimit(MemoryLimitExceeded { limit: 60_000, needed }) = refused else {
            panic!("{refused}")
        };
        assert!(needed > limit && graph.memory() > limit / 3 && graph.memory() > empty);
        let before = Snapshot::of(&graph.view());
        assert!(graph.insert(&data[0]).is_err());
        assert!(Snapshot::of(&graph.view()) == before);

        // A free slot needs no memory, and a higher limit lets the graph grow on.
        graph.delete(7).unwrap();
        assert_eq!(graph.insert(&data[0]), Ok(7));
        graph.limit_memory(2 * needed);
        assert_eq!(graph.insert(&data[0]), Ok(graph.count() as u32 - 1));
    }
}

#[test]
fn what_a_graph_says_it_holds_it_holds() {
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let params = Params::new().m(4).ef_construction(20).quantization(quantization);
        let data = vectors(Shape::Uniform, 20, 600, 1);
        let ((graph, order), left, _) = holding(|| built(Metric::Cosine, params, &data, &Serial));
        assert_eq!(graph.memory() + size_of_val(&order[..]), left);

        // Appended nodes and tombstones, without the workspace that inserts leave behind.
        let mut grown = inserted(Metric::Cosine, params, &data);
        (0..600).step_by(5).for_each(|id| grown.delete(id).unwrap());
        let (copy, left, _) = holding(|| Hnsw::from_view(&grown.view(), params).unwrap());
        assert_eq!(copy.memory(), left);
    }
}
