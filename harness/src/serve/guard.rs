//! What is asked of every request before it is answered, and said with every answer.

use super::query::Query;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Names under which this machine calls itself. A page elsewhere can have its own name resolve to 127.0.0.1 and would
/// then read what is served here as its own; its requests carry that name (DNS rebinding).
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Most bytes of a path: several times our longest.
const MAX_PATH: usize = 1024;

/// Refuses foreign names, other methods than GET and HEAD, and long queries; adds headers to every answer.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refusal(&request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page brings the policy that allows its own texts; anything else may do nothing.
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
    response
}

fn refusal(request: &Request) -> Option<Response> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_ours) {
        let text = "this server answers to 127.0.0.1, localhost and [::1]; open the address that it printed\n";
        return Some((StatusCode::FORBIDDEN, text).into_response());
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return Some(
            (StatusCode::METHOD_NOT_ALLOWED, allow, "only GET and HEAD: nothing is changed here\n").into_response(),
        );
    }
    let (path, query) = (request.uri().path().len(), request.uri().query().map_or(0, str::len));
    (path > MAX_PATH || query > Query::MAX_BYTES).then(|| {
        let most = Query::MAX_BYTES;
        let text = format!("{path} bytes of path and {query} of query; give at most {MAX_PATH} and {most}\n");
        (StatusCode::URI_TOO_LONG, text).into_response()
    })
}

/// Whether a host, with or without a port, is this machine by one of its names.
fn is_ours(host: &str) -> bool {
    NAMES.iter().any(|name| {
        let rest = host.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(|_| &host[name.len()..]);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_ours() {
        for host in ["127.0.0.1", "127.0.0.1:8000", "LOCALHOST:1", "[::1]:80", "[::1]"] {
            assert!(is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil", "127.0.0.1:80@evil", "::1", "[::1]x"]
        {
            assert!(!is_ours(host), "{host}");
        }
    }
}
