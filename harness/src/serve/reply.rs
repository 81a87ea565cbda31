//! An answer: status, media type, policy, body.

use crate::site::HTML;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const PLAIN: &str = "text/plain; charset=utf-8";

/// What is sent back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    media: &'static str,
    /// What the page may do; without one, nothing.
    policy: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A page with its content security policy, which no other site may frame.
    pub(super) fn page(text: impl Into<Vec<u8>>, policy: String) -> Reply {
        let policy = Some(format!("{policy}; frame-ancestors 'none'"));
        Reply { status: StatusCode::OK, media: HTML, policy, body: text.into() }
    }

    /// A file that does nothing.
    pub(super) fn file(media: &'static str, body: Vec<u8>) -> Reply {
        Reply { status: StatusCode::OK, media, policy: None, body }
    }

    /// A message.
    pub(super) fn text(status: StatusCode, text: String) -> Reply {
        Reply { status, media: PLAIN, policy: None, body: text.into_bytes() }
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Response {
        let Reply { status, media, policy, body } = reply;
        let mut response = (status, [(header::CONTENT_TYPE, media)], body).into_response();
        // Policies are made of our own texts and hashes, all of which a header can hold.
        if let Some(policy) = policy.and_then(|policy| HeaderValue::try_from(policy).ok()) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}
