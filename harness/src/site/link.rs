//! Paths of pages, and how they name one another without a server.

use sha2::{Digest, Sha256};

pub(super) use crate::report::clipped;

/// Longest name of a file that is taken over from a row or a run.
const MAX_NAME: usize = 64;

/// The way from a page to another of the site, both given from the site's root: `../cost.html`.
pub fn relative(from: &str, to: &str) -> String {
    "../".repeat(from.matches('/').count()) + to
}

/// A name that is safe as a file and in an address: the text itself if it is short and plain, else it plain with the
/// beginning of its hash, so that two texts never share a name.
pub fn slug(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == 'T' || c == 'Z';
    if !text.is_empty() && text.len() <= MAX_NAME && text.chars().all(plain) {
        return text.to_string();
    }
    let kept: String = text.chars().take(MAX_NAME / 2).map(|c| c.to_ascii_lowercase()).collect();
    let words: Vec<&str> = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let hash = Sha256::digest(text.as_bytes());
    let stem = if words.is_empty() { "x".to_string() } else { words.join("-") };
    format!("{stem}-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}

/// The page of a run.
pub fn of_run(run: &str) -> String {
    format!("machines/{}.html", slug(run))
}

/// The page of a row of a run.
pub fn of_row(run: &str, id: &str) -> String {
    format!("rows/{}/{}.html", slug(run), slug(id))
}

/// The page of a kernel: the first where its rows take several.
pub fn of_kernel(op: &str, page: usize) -> String {
    let number = if page == 0 { String::new() } else { format!("-{}", page + 1) };
    format!("kernels/{}{number}.html", slug(op))
}

/// The page of a backend.
pub fn of_backend(backend: &str) -> String {
    format!("backends/{}.html", slug(backend))
}

/// The page of what a model costs.
pub fn of_cost(model: &str) -> String {
    format!("cost/{}.html", slug(model))
}

/// The page of a deal.
pub fn of_deal(id: &str) -> String {
    format!("deals/{}.html", slug(id))
}

/// The place of an entry of the catalogue.
pub fn of_entry(id: &str) -> String {
    format!("catalogue.html#{}", slug(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_find_one_another_from_any_depth() {
        assert_eq!(relative("index.html", "cost.html"), "cost.html");
        assert_eq!(relative("rows/a/b.html", "cost.html"), "../../cost.html");
    }

    #[test]
    fn a_slug_is_a_plain_file_name_and_tells_texts_apart() {
        assert_eq!(slug("20261126T072901Z-c6b49b"), "20261126T072901Z-c6b49b");
        let hostile = ["../../etc/passwd", "..", "", "a/b", "A b", "a b", "<script>alert(1)</script>", "\u{0}", "é"];
        let slugs: Vec<String> = hostile.iter().map(|text| slug(text)).collect();
        for (text, slug) in hostile.iter().zip(&slugs) {
            assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{text}: {slug}");
            assert!(!slug.starts_with('-') && slug.len() <= MAX_NAME, "{text}: {slug}");
        }
        let distinct: std::collections::BTreeSet<&String> = slugs.iter().collect();
        assert_eq!(distinct.len(), hostile.len(), "{slugs:?}");
        assert!(slug(&"x".repeat(10_000_000)).len() <= MAX_NAME);
    }
}
