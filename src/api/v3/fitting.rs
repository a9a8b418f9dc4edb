//! Values that Keystone's schemas let through and its tables do not take.

use serde_json::Value;

use crate::api::error::ApiError;

/// Fails unless the text at this place of a body, if there is one, fits into its column.
///
/// # Errors
/// 400 that names the column.
pub(super) fn require_fitting(
    json: &Value,
    place: &str,
    column: &str,
    limit: usize,
) -> Result<(), ApiError> {
    match json.pointer(place) {
        Some(Value::String(text)) if text.chars().count() > limit => {
            Err(ApiError::too_long(text, column, limit))
        }
        _ => Ok(()),
    }
}
