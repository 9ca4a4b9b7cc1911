//! The machine, which every report of a measurement names.

use std::thread::available_parallelism;

use vex::kernels::Isa;

use crate::human;

/// The processor, its cores and the instruction set in use, on one line.
pub(crate) fn describe() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| parse_model(&text));
    let model = model.as_deref().unwrap_or(std::env::consts::ARCH);
    format!("{model}, {}, {}", human::plural(cores() as u64, "core"), Isa::detect())
}

/// The cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The first `model name`. ARM kernels have none.
fn parse_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    let (_, model) = line.split_once(':')?;
    Some(model.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|model| !model.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_is_found_or_missing() {
        let text = "processor\t: 0\nmodel name\t: Some  CPU @ 2GHz\nmodel name\t: Other\n";
        assert_eq!(parse_model(text).as_deref(), Some("Some CPU @ 2GHz"));
        for text in ["", "model name\n", "model name\t:  \n", "CPU part\t: 0xd40\n"] {
            assert_eq!(parse_model(text), None, "{text:?}");
        }
    }
}
