//! What the transactions of other providers do to these tables.

/// Keeps a project or domain (its ID as `&str`) from being changed or deleted until the end of a
/// transaction whose error is made of a diesel error: `hold!(conn, id)`. Evaluates to the ID as it
/// is stored and whether it is a domain, or `None` where there is none.
///
/// Projects are held before users and groups, as their deletion takes them in this order.
macro_rules! hold {
    ($conn:expr, $id:expr) => {{
        use $crate::db::schema::project;
        let id: &str = $crate::db::sought($id);
        // Changes nothing, but locks the row on all three (SQLite has no FOR UPDATE). Not the ID
        // itself, which may be spelt otherwise than the one that the database takes for equal.
        diesel::update(project::table.find(id))
            .set(project::domain_id.eq(project::domain_id))
            .execute($conn)
            .await?;
        let found: Option<(String, bool)> = project::table
            .find(id)
            .filter(project::id.ne("<<keystone.domain.root>>"))
            .select((project::id, project::is_domain))
            .first($conn)
            .await
            .optional()?;
        found
    }};
}
pub(crate) use hold;
