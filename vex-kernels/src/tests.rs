use crate::{Distance, Level, Metric};

#[test]
fn smoke() {
    let a: [f32; 100] = core::array::from_fn(|i| i as f32);
    let b: [f32; 100] = core::array::from_fn(|i| (i * i % 17) as f32);
    for metric in Metric::ALL {
        for level in Level::ALL {
            if let Some(d) = Distance::<f32>::with_level(metric, level) {
                std::println!("{metric} {level} {}", d.distance(&a, &b));
            }
        }
    }
}
