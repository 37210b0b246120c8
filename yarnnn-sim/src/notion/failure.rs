//! Notion's errors.
//!
//! Those of the frame (rate limits, planned faults) are made there; these follow from the request and the workspace.

use serde_json::{Map, Value, json};

use crate::Fault;
use crate::sample::identifier;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The integration's id, which only `object_not_found` tells.
    integration: Option<String>,
}

impl Failure {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), integration: None }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "API token is invalid.")
    }

    pub(crate) fn missing_version() -> Self {
        let what = "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.";
        Self::new(400, "missing_version", what)
    }

    pub(crate) fn unknown_url() -> Self {
        Self::new(400, "invalid_request_url", "Invalid request URL.")
    }

    pub(crate) fn invalid_json() -> Self {
        Self::new(400, "invalid_json", "Error parsing JSON body.")
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_error", message)
    }

    pub(crate) fn restricted() -> Self {
        Self::new(403, "restricted_resource", "Insufficient permissions for this endpoint.")
    }

    /// Nothing under this id, or nothing that the integration may see: the same answer on purpose.
    pub(crate) fn not_found(what: &str, id: &str, integration: &str, integration_id: String) -> Self {
        let message = format!(
            "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration \"{integration}\"."
        );
        Self { integration: Some(integration_id), ..Self::new(404, "object_not_found", message) }
    }

    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut body = Map::new();
        body.insert("object".to_owned(), json!("error"));
        body.insert("status".to_owned(), json!(self.status));
        body.insert("code".to_owned(), json!(self.code));
        body.insert("message".to_owned(), json!(self.message));
        if let Some(id) = &self.integration {
            body.insert("additional_data".to_owned(), json!({ "integration_id": id }));
        }
        body.insert("request_id".to_owned(), json!(request_id));
        Value::Object(body)
    }
}

/// Errors of the service itself, which no request deserves. Plan them as faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceError {
    /// 409 `conflict_error`.
    Conflict,
    /// 500 `internal_server_error`.
    Internal,
    /// 503 `service_unavailable`.
    Unavailable,
    /// 504 `gateway_timeout`.
    Timeout,
}

impl From<ServiceError> for Fault {
    fn from(error: ServiceError) -> Self {
        let failure = match error {
            ServiceError::Conflict => Failure::new(409, "conflict_error", "Conflict occurred while saving. Please try again."),
            ServiceError::Internal => Failure::new(500, "internal_server_error", "Unexpected error occurred."),
            ServiceError::Unavailable => {
                Failure::new(503, "service_unavailable", "Public API service is temporarily unavailable.")
            }
            ServiceError::Timeout => Failure::new(504, "gateway_timeout", "Public API service timed out."),
        };
        let request_id = identifier::grouped("request", failure.code);
        Self::Status(failure.status, failure.body(&request_id).to_string())
    }
}
