//! Documents of this repository as parts of pages.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A document without its title. Links to files of the repository become plain text, since a site stands alone; raw HTML
/// becomes text. Headings are so many levels lower than they are written.
pub(super) fn render(text: &str, lower: usize) -> Markup {
    let body = text.split_once('\n').filter(|(title, _)| title.starts_with("# ")).map_or(text, |(_, body)| body);
    let mut link_is_kept = Vec::new();
    let events = Parser::new_ext(body, Options::ENABLE_TABLES).flat_map(|event| match event {
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let kept = dest_url.starts_with("https://") || dest_url.starts_with('#');
            link_is_kept.push(kept);
            if kept { vec![event] } else { Vec::new() }
        }
        Event::End(TagEnd::Link) if link_is_kept.pop() == Some(false) => Vec::new(),
        Event::Start(Tag::Table(_)) => {
            vec![own("<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">"), event]
        }
        Event::End(TagEnd::Table) => vec![event, own("</div>")],
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            vec![Event::Start(Tag::Heading { level: lowered(level, lower), id, classes, attrs })]
        }
        Event::End(TagEnd::Heading(level)) => vec![Event::End(TagEnd::Heading(lowered(level, lower)))],
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        other => vec![other],
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    PreEscaped(out)
}

fn lowered(level: HeadingLevel, by: usize) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + by).unwrap_or(HeadingLevel::H6)
}

fn own(tag: &'static str) -> Event<'static> {
    Event::Html(CowStr::Borrowed(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_repository_and_raw_html_become_text() {
        let text = "# Title\n\n## Part\n\nSee [the code](../src/a.rs) and [a page](https://example.org/). <b onclick=x>bold</b>\n\n\
                    <script>alert(1)</script>\n\n| a |\n|---|\n| 1 |\n";
        let html = render(text, 1).into_string();
        assert!(
            !html.contains("Title")
                && html.contains("<h3>Part</h3>")
                && html.contains("See the code and <a href=\"https://example.org/\">"),
            "{html}"
        );
        assert!(!html.contains("<b") && !html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
        assert!(
            html.contains("tabindex=\"0\"><table>") && html.contains("</table></div>")
                || html.contains("</table>\n</div>"),
            "{html}"
        );
    }
}
