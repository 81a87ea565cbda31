use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use std::sync::LazyLock;
use tower::ServiceExt;

/// What is made from a folder without runs, once: drawing the deals takes a while.
fn served() -> Arc<Served> {
    static SERVED: LazyLock<Arc<Served>> = LazyLock::new(|| {
        let results = Results::at("no such folder");
        Arc::new(Served::new(Options { port: 0, results, catalogue: Catalogue::embedded().expect("valid") }))
    });
    Arc::clone(&SERVED)
}

/// Status, headers and body of one request, in process.
fn ask(request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let response = app(served()).oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 10 << 20).await.expect("a body");
        (head.status, head.headers, String::from_utf8(body.to_vec()).expect("text"))
    })
}

fn request(method: Method, address: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(address).header(header::HOST, "127.0.0.1:8420");
    request.body(Body::empty()).expect("a request")
}

fn get(address: &str) -> (StatusCode, axum::http::HeaderMap, String) {
    ask(request(Method::GET, address))
}

#[test]
fn pages_and_exports_come_with_their_types_and_policies() {
    for (address, media, part) in [
        ("/explore", "text/html; charset=utf-8", "<h1>What would a token cost?</h1>"),
        ("/explore?chip=h100&price=3", "text/html; charset=utf-8", "NVIDIA H100"),
        ("/", "text/html; charset=utf-8", "Explore"),
        ("/deals/openai-aws-2026-02/edit?quarters=12", "text/html; charset=utf-8", "1 figure changed"),
        ("/deals/openai-aws-2026-02/edit.toml?quarters=12", "application/toml", "quarters = 12"),
        ("/explore.csv?chip=h100", "text/csv; charset=utf-8", "llama-3.1-8b,h100"),
        ("/explore.json?chip=h100", "application/json", "\"lines\""),
    ] {
        let (status, headers, body) = get(address);
        assert_eq!((status, headers[header::CONTENT_TYPE].as_bytes()), (StatusCode::OK, media.as_bytes()), "{address}");
        assert!(body.contains(part), "{address}: {body}");
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
        assert_eq!([header("x-content-type-options"), header("referrer-policy")], ["nosniff", "no-referrer"]);
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
}

#[test]
fn the_policy_of_a_page_is_sent_as_it_is_written_in_it() {
    let (_, headers, body) = get("/explore");
    let sent = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    let written = sent.strip_suffix("; frame-ancestors 'none'").expect("only a header can say that");
    assert!(
        body.contains(&format!("content=\"{written}\"")) || body.contains(&written.replace('\'', "&#39;")),
        "{written}"
    );
}

#[test]
fn foreign_names_are_refused_whatever_they_ask() {
    for host in ["evil.example", "127.0.0.1.evil.example:8420", ""] {
        let request = Request::builder().uri("/explore").header(header::HOST, host).body(Body::empty());
        let (status, _, body) = ask(request.expect("a request"));
        assert_eq!(status, StatusCode::FORBIDDEN, "{host}");
        assert!(!body.contains("<h1>"));
    }
    let (status, ..) = ask(Request::builder().uri("/explore").body(Body::empty()).expect("a request"));
    assert_eq!(status, StatusCode::FORBIDDEN, "no name at all");
}

#[test]
fn only_get_and_head_are_answered() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let (status, headers, _) = ask(request(method.clone(), "/explore"));
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(headers[header::ALLOW], "GET, HEAD");
    }
    let (status, _, body) = ask(request(Method::HEAD, "/explore"));
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
}

#[test]
fn long_queries_foreign_paths_and_traversals_are_refused() {
    let (status, _, body) = get(&format!("/explore?price={}", "1".repeat(40_000)));
    assert_eq!(status, StatusCode::URI_TOO_LONG);
    assert!(body.contains("32768"), "{body}");
    assert_eq!(get(&format!("/{}", "a/".repeat(1000))).0, StatusCode::URI_TOO_LONG);
    for path in [
        "/nothing",
        "/../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/explore/",
        "/explore.xml",
        "/deals/x/edit",
        "/deals/../edit",
        "/deals//edit",
    ] {
        assert_eq!(get(path).0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn a_bad_value_is_no_export_and_says_why() {
    let (status, _, body) = get("/explore.csv?price=-1");
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("price is -1; give finite dollars above 0"), "{body}");
}

#[test]
fn port_0_prints_the_port_that_was_taken_and_a_taken_port_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let options = Options { port, results: Results::at("none"), catalogue: Catalogue::embedded().expect("valid") };
    let error = run(options, &mut Vec::new()).expect_err("taken").to_string();
    assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
}

#[test]
fn every_page_of_the_site_is_served_as_it_is_published_live() {
    let served = served();
    let Ok(site) = served.site() else { panic!("an empty folder makes a site too") };
    assert!(site.files.len() > 10 && site.files.contains_key("index.html"));
    for (path, file) in &site.files {
        let reply = served.reply(&format!("/{path}"), "");
        assert_eq!((reply.status, &reply.body), (StatusCode::OK, &file.bytes), "{path}");
    }
    assert_eq!(served.reply("/", "").body, site.files["index.html"].bytes);
}
