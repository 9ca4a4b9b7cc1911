//! How files of settings say what JSON has no numbers for.

use serde::{Deserialize, Deserializer};

use crate::SearchParams;

pub(crate) fn ef_search() -> usize {
    SearchParams::EF_SEARCH
}

/// No limit is null, or absent: its number does not fit into the integers of TOML.
pub(crate) mod max_distance_evals {
    use serde::{Serialize, Serializer};

    use super::*;

    pub(crate) fn default() -> usize {
        usize::MAX
    }

    pub(crate) fn serialize<S: Serializer>(most: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*most).filter(|most| *most != usize::MAX).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(usize::MAX))
    }
}

pub(crate) fn rerank() -> f32 {
    SearchParams::RERANK
}

pub(crate) fn slack() -> f32 {
    f32::INFINITY
}

/// JSON has null for infinity.
pub(crate) mod infinite {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        if deserializer.is_human_readable() {
            return Ok(Option::deserialize(deserializer)?.unwrap_or(f32::INFINITY));
        }
        f32::deserialize(deserializer)
    }
}
