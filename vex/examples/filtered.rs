//! Search among some of the vectors: `cargo run --release -p vex --example filtered`.

use vex::{Index, KeySet, Scratch, SearchParams};

/// The attributes of a vector, which the program keeps.
struct Article {
    year: u32,
    is_public: bool,
}

fn main() -> vex::Result<()> {
    let articles: Vec<Article> =
        (0..10_000).map(|i| Article { year: 2000 + i % 25, is_public: i % 3 > 0 }).collect();
    // The key of a vector is the number of its article.
    let vectors = (0..articles.len() as u64).map(|key| (key, vector(key)));
    let index = Index::builder(16).build_from(vectors)?;

    let (searcher, mut scratch) = (index.searcher(), Scratch::new());
    let (query, params) = (vector(77_777), SearchParams::new(5).ef_search(100));

    // A predicate is asked for keys during the search.
    let is_recent = |key: u64| articles[key as usize].year >= 2020;
    let found = searcher.search_filtered(query, &params, is_recent, &mut scratch)?;
    println!("since 2020: {:?}", found.hits.iter().map(|hit| hit.key).collect::<Vec<_>>());

    // A set of keys is collected once, kept, and combined with others.
    let keys_of = |accepts: fn(&Article) -> bool| -> KeySet {
        (0..).zip(&articles).filter(|(_, article)| accepts(article)).map(|(key, _)| key).collect()
    };
    let public = keys_of(|article| article.is_public);
    let old = keys_of(|article| article.year < 2005);
    let found = searcher.search_filtered(query, &params, &(&public & !&old), &mut scratch)?;
    println!("public and not old: {:?}", found.hits.iter().map(|hit| hit.key).collect::<Vec<_>>());

    // All matches are found, however few there are.
    let three: KeySet = [5, 50, 500].into_iter().collect();
    let found = searcher.search_filtered(query, &params, &three, &mut scratch)?;
    assert_eq!(found.hits.len(), 3);
    println!("of three keys: {:?}", found.hits.iter().map(|hit| hit.key).collect::<Vec<_>>());
    Ok(())
}

/// A vector that depends on the key alone.
fn vector(key: u64) -> [f32; 16] {
    std::array::from_fn(|i| ((key * 31 + 1) as f32 * (i + 1) as f32 * 0.37).sin())
}
