//! Every link of a document leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no documents of the project.
const SKIPPED: [&str; 4] = ["target", "node_modules", "cache", "results"];

#[test]
fn links_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut documents = Vec::new();
    find_documents(root, &mut documents);
    assert!(documents.len() > 20, "{documents:?}");
    let mut broken = Vec::new();
    for document in &documents {
        for target in links(&fs::read_to_string(document).unwrap()) {
            if let Some(problem) = problem(document, &target) {
                broken
                    .push(format!("{}: {target}: {problem}", document.strip_prefix(root).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn find_documents(folder: &Path, documents: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || SKIPPED.contains(&name) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            find_documents(&path, documents);
        } else if name.ends_with(".md") {
            documents.push(path);
        }
    }
}

/// The lines of a document outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of all links to places in the repository.
fn links(text: &str) -> Vec<String> {
    let text = prose(text).collect::<Vec<_>>().join("\n");
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let named =
        text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|(_, target)| target);
    let inside = |target: &&str| !target.contains("://");
    inline.chain(named).filter(inside).map(|target| target.trim_matches(['<', '>']).to_string()).collect()
}

/// What is wrong with a link, if anything.
fn problem(document: &Path, target: &str) -> Option<String> {
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let file = if path.is_empty() { document.to_path_buf() } else { document.parent().unwrap().join(path) };
    if !file.exists() {
        return Some("no such file".to_string());
    }
    let heading = heading.filter(|_| file.extension().is_some_and(|extension| extension == "md"))?;
    let headings = headings(&fs::read_to_string(&file).unwrap());
    (!headings.contains(heading)).then(|| format!("no such heading, expected one of {headings:?}"))
}

/// The names of all headings in links, as GitHub makes them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in prose(text).filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        // Of several equal headings, the later ones are numbered.
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

#[test]
fn broken_links_are_noticed() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert_eq!(
        links("see [a](b.md#c) and\n```\n[no](code)\n```\n[d]: e.md\n[f](https://g)"),
        ["b.md#c", "e.md"]
    );
    assert!(headings("# One `two`, three\n## B\n## B").contains("one-two-three"));
    assert!(headings("## B\n## B").contains("b-1"));
    assert!(problem(&document, "nowhere.md").is_some());
    assert!(problem(&document, "#no-such-heading").is_some());
    assert!(problem(&document, "../ARCHITECTURE.md#invariants").is_none());
}
