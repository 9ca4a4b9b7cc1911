//! The product that search through packed codes is made of.

/// Σ qᵢ cᵢ between an 8-bit query and packed 4-bit codes, exactly. Byte j of line k has element 128 k + j in its low half and element
/// 128 k + 64 + j in its high one.
#[derive(Clone, Copy, Debug)]
pub struct NibbleProduct;

impl NibbleProduct {
    /// Resolves the product.
    #[expect(clippy::new_without_default, reason = "it asks the machine")]
    pub fn new() -> Self {
        Self
    }

    /// Σ qᵢ cᵢ
    pub fn dot(&self, query: &[[i8; 128]], codes: &[[u8; 64]]) -> i32 {
        let line = |(query, codes): (&[i8; 128], &[u8; 64])| -> i32 {
            let (low, high) = query.split_at(64);
            let pairs = low.iter().zip(high).zip(codes);
            pairs
                .map(|((low, high), code)| {
                    i32::from(*low) * i32::from(code & 15) + i32::from(*high) * i32::from(code >> 4)
                })
                .sum()
        };
        query.iter().zip(codes).map(line).sum()
    }

    /// The products with four rows.
    pub fn dot_batch_4(&self, query: &[[i8; 128]], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
        rows.map(|row| self.dot(query, row))
    }
}
