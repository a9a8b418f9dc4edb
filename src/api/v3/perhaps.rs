//! Bodies that Keystone does not look into before it is known who sends them.

use serde_json::{Map, Value};

use crate::api::call::Body;
use crate::api::error::ApiError;

/// What is to be created, or an empty body, which is refused only to who may create something.
pub(super) struct Perhaps<T>(Option<T>);

impl<T: Body> Body for Perhaps<T> {
    fn read(json: &Value) -> Result<Self, ApiError> {
        if json.as_object().is_some_and(Map::is_empty) {
            return Ok(Self(None));
        }
        T::read(json).map(|new| Self(Some(new)))
    }
}

impl<T: Body + Clone> Perhaps<T> {
    /// What is to be created.
    ///
    /// # Errors
    /// 400 when the body is empty.
    pub(super) fn given(&self) -> Result<T, ApiError> {
        match &self.0 {
            Some(new) => Ok(new.clone()),
            None => T::read(&Value::Object(Map::new())),
        }
    }
}
