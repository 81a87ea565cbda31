//! Rust text taken apart: code, comments and string literals, line by line. Enough of a lexer to tell the three apart.

/// One line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Without comments and with empty literals.
    pub(super) code: String,
    /// What its comments say, markers included.
    pub(super) comment: String,
    /// Contents of its string literals; of one that goes on, the part in this line.
    pub(super) strings: Vec<String>,
}

/// A Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root, with `/`.
    pub(super) path: String,
    /// In order.
    pub(super) lines: Vec<Line>,
    /// Lines from this index on are tests.
    tests_from: usize,
}

impl Source {
    /// Takes a file apart.
    pub(super) fn new(path: &str, text: &str) -> Source {
        let mut lexer = Lexer { state: State::Code };
        let lines: Vec<Line> = text.lines().map(|line| lexer.line(line)).collect();
        let tests_from = if is_test_path(path) { 0 } else { tests_from(&lines) };
        Source { path: path.into(), lines, tests_from }
    }

    /// Whether a line, by index, is part of the tests.
    pub(super) fn is_test(&self, index: usize) -> bool {
        index >= self.tests_from
    }
}

/// Files that only tests compile, by their name.
fn is_test_path(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs") || path.contains("/tests/")
}

/// Where the module of tests begins; by custom it is the last of a file.
fn tests_from(lines: &[Line]) -> usize {
    let code = |index: usize| lines.get(index).map_or("", |line| line.code.trim());
    let opens = |index: usize| code(index).starts_with("mod ") && code(index).ends_with('{');
    (0..lines.len()).find(|i| code(*i) == "#[cfg(test)]" && opens(i + 1)).unwrap_or(lines.len())
}

#[derive(Clone, Copy)]
enum State {
    Code,
    /// In as many block comments.
    Comment(usize),
    /// In a string; a raw one ends with a quote and as many hashes.
    Text {
        raw: Option<usize>,
    },
}

struct Lexer {
    state: State,
}

impl Lexer {
    fn line(&mut self, text: &str) -> Line {
        let mut line = Line::default();
        if let State::Text { .. } = self.state {
            line.strings.push(String::new());
        }
        let mut rest = text;
        while !rest.is_empty() {
            let n = match self.state {
                State::Code => self.code(rest, &mut line),
                State::Comment(depth) => self.comment(depth, rest, &mut line),
                State::Text { raw } => self.text(raw, rest, &mut line),
            };
            rest = &rest[n..];
        }
        line
    }

    /// Bytes taken, as in the other two.
    fn code(&mut self, rest: &str, line: &mut Line) -> usize {
        if rest.starts_with("//") {
            line.comment.push_str(rest);
            return rest.len();
        }
        if rest.starts_with("/*") {
            self.state = State::Comment(1);
            return 2;
        }
        let in_word = line.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some((n, raw)) = string_start(rest, in_word) {
            line.code.push_str("\"\"");
            line.strings.push(String::new());
            self.state = State::Text { raw };
            return n;
        }
        if let Some(n) = char_literal(rest) {
            line.code.push_str("''");
            return n;
        }
        push_first(rest, &mut line.code)
    }

    fn comment(&mut self, depth: usize, rest: &str, line: &mut Line) -> usize {
        if rest.starts_with("/*") {
            self.state = State::Comment(depth + 1);
            return 2;
        }
        if rest.starts_with("*/") {
            self.state = if depth == 1 { State::Code } else { State::Comment(depth - 1) };
            return 2;
        }
        push_first(rest, &mut line.comment)
    }

    fn text(&mut self, raw: Option<usize>, rest: &str, line: &mut Line) -> usize {
        let end = format!("\"{}", "#".repeat(raw.unwrap_or(0)));
        if rest.starts_with(&end) {
            self.state = State::Code;
            return end.len();
        }
        let string = line.strings.last_mut().expect("a line in a string has begun one");
        match rest.strip_prefix('\\').filter(|_| raw.is_none()) {
            Some(escaped) => 1 + escaped.chars().next().map_or(0, |c| push_char(c, string)),
            None => push_first(rest, string),
        }
    }
}

/// Length of what opens a string (`"`, `b"`, `r#"`, ...), and the hashes of a raw one.
fn string_start(rest: &str, in_word: bool) -> Option<(usize, Option<usize>)> {
    if rest.starts_with('"') {
        return Some((1, None));
    }
    let after = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    let after_r = after.strip_prefix('r').filter(|_| !in_word)?;
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    after_r[hashes..].starts_with('"').then(|| (rest.len() - after_r.len() + hashes + 1, Some(hashes)))
}

/// Length of a character literal; a lifetime is none.
fn char_literal(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    if let Some(escaped) = inner.strip_prefix('\\') {
        let first = escaped.chars().next()?.len_utf8();
        return Some(2 + first + escaped[first..].find('\'')? + 1);
    }
    let first = inner.chars().next()?.len_utf8();
    inner[first..].starts_with('\'').then_some(first + 2)
}

fn push_first(rest: &str, to: &mut String) -> usize {
    rest.chars().next().map_or(0, |c| push_char(c, to))
}

fn push_char(c: char, to: &mut String) -> usize {
    to.push(c);
    c.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn check(text: &str, code: &[&str], strings: &[&str]) {
        let source = Source::new("a.rs", text);
        assert_eq!(source.lines.iter().map(|line| line.code.trim()).collect::<Vec<_>>(), code);
        assert_eq!(source.lines.iter().flat_map(|line| &line.strings).collect::<Vec<_>>(), strings);
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        check("let a = 1; // unsafe", &["let a = 1;"], &[]);
        check("f(\"unsafe // \\\" x\", 'a', '\\'');", &["f(\"\", '', '');"], &["unsafe // \" x"]);
        check("a /* one /* two */ one\nstill */ b", &["a", "b"], &[]);
        check("r#\"a \" b\"# + br\"c\" + b\"d\"", &["\"\" + \"\" + b\"\""], &["a \" b", "c", "d"]);
    }

    #[test]
    fn strings_may_go_on_and_lifetimes_open_none() {
        check("f::<'a>(\"one\ntwo\", x)", &["f::<'a>(\"\"", ", x)"], &["one", "two"]);
        check("for r in r\"x\" {}", &["for r in \"\" {}"], &["x"]);
    }

    #[test]
    fn tests_are_the_last_module_or_a_file_of_their_own() {
        let source = Source::new("a.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!((source.is_test(0), source.is_test(3)), (false, true));
        assert!(!Source::new("a.rs", "#[cfg(test)]\nmod tests;\nfn f() {}").is_test(2));
        assert!(Source::new("a/tests.rs", "fn f() {}").is_test(0));
    }
}
