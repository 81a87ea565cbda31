//! The frame of every page: head, policy, navigation, footer.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::link::relative;
use crate::chart::theme;

/// Figures are drawn in their light colours: a dark page recolours them, a printed one does not.
static STYLE: LazyLock<String> = LazyLock::new(|| {
    let dark = theme::dark_css();
    format!("{}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n", include_str!("layout/style.css"))
});
const SCRIPT: &str = include_str!("layout/script.js");

/// Parts of the site, in the order of the navigation.
const PARTS: [(&str, &str); 8] = [
    ("index.html", "Overview"),
    ("kernels.html", "Kernels"),
    ("backends.html", "Backends"),
    ("machines.html", "Machines"),
    ("cost.html", "Cost"),
    ("deals.html", "Deals"),
    ("method.html", "Method"),
    ("data.html", "Data"),
];

/// Where the explorer lies; there is one only where a server answers.
pub const EXPLORER: &str = "explore";

/// What all pages of a site share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether a server answers: then there is an explorer, and scripts may ask that server.
    pub live: bool,
    /// What the site was made from, for the footer: runs, their newest day, commit.
    pub edition: String,
}

/// What sets a page apart from others.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// Its path from the root of the site.
    pub path: &'a str,
    /// Its title, in plain text.
    pub title: &'a str,
    /// One sentence for search engines and previews.
    pub description: &'a str,
    /// A script of its own beside the one of all pages.
    pub script: Option<&'static str>,
}

impl<'a> Head<'a> {
    /// A page without a script of its own.
    pub fn new(path: &'a str, title: &'a str, description: &'a str) -> Head<'a> {
        Head { path, title, description, script: None }
    }
}

impl Frame {
    /// A whole page around its body, which begins with an `h1`.
    pub fn page(&self, head: &Head<'_>, body: &Markup) -> String {
        let policy = self.policy(head.script);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    meta name="description" content=(head.description);
                    title { (head.title) " · Farthing" }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(&*STYLE)) }
                }
                body {
                    a .skip href="#main" { "Skip to content" }
                    (self.header(head.path))
                    main #main tabindex="-1" { (body) }
                    footer {
                        p { "Farthing: what a token costs, measured from the kernel up. " (self.edition) }
                    }
                    script { (PreEscaped(SCRIPT)) }
                    @if let Some(script) = head.script { script { (PreEscaped(script)) } }
                }
            }
        }
        .into_string()
    }

    fn header(&self, path: &str) -> Markup {
        let explorer = self.live.then_some((EXPLORER, "Explore"));
        let parts = PARTS.into_iter().chain(explorer);
        // A page within a folder belongs to the part of the folder's name.
        let within = |part: &str| path == part || path.split('/').next() == part.strip_suffix(".html");
        html! {
            header .site {
                a .mark href=(relative(path, "index.html")) { "Farthing" }
                nav aria-label="Site" {
                    ul {
                        @for (part, name) in parts {
                            li {
                                @let current = within(part).then_some(if path == part { "page" } else { "true" });
                                a href=(relative(path, part)) aria-current=[current] { (name) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a page may do: show its own style and figures, run its own scripts, and, live, ask its own server.
    pub fn policy(&self, script: Option<&str>) -> String {
        let scripts: Vec<String> = [Some(SCRIPT), script].into_iter().flatten().map(hash).collect();
        let connect = if self.live { "connect-src 'self'; form-action 'self'" } else { "form-action 'none'" };
        format!(
            "default-src 'none'; style-src {}; script-src {}; img-src data:; {connect}; base-uri 'none'",
            hash(&STYLE),
            scripts.join(" ")
        )
    }
}

/// A text as a policy names it.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(live: bool) -> Frame {
        Frame { live, edition: "6 runs".into() }
    }

    #[test]
    fn a_page_allows_its_own_texts_and_nothing_else() {
        let head = Head { script: Some("let a = 1 < 2;"), ..Head::new("rows/x.html", "A <b>", "d") };
        let page = frame(false).page(&head, &html! { h1 { "x" } });
        assert!(page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"), "{page}");
        assert_eq!(page.matches("sha256-").count(), 3, "style and two scripts");
        assert!(page.contains("<title>A &lt;b&gt; · Farthing</title>"));
        // A script is text to the parser: only its end tag would end it.
        assert!(page.contains("<script>let a = 1 < 2;</script>"));
        assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
        for outside in ["http:", "https:", "src=\"", "url(", "@import", " style=\"", " onclick"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_part_of_a_page_is_marked_and_links_go_up() {
        let page = frame(false).page(&Head::new("deals/a.html", "t", "d"), &html! { h1 { "x" } });
        assert!(page.contains("<a href=\"../deals.html\" aria-current=\"true\">Deals</a>"), "{page}");
        assert!(!page.contains("explore"));
        let live = frame(true).page(&Head::new("explore", "t", "d"), &html! { h1 { "x" } });
        assert!(live.contains("<a href=\"explore\" aria-current=\"page\">Explore</a>"), "{live}");
        assert!(
            frame(true).policy(None).contains("connect-src 'self'") && !frame(false).policy(None).contains("connect")
        );
    }
}
