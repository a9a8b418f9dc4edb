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
            .filter(project::id.ne($crate::resource::ROOT))
            .select((project::id, project::is_domain))
            .first($conn)
            .await
            .optional()?;
        found
    }};
}
pub(crate) use hold;

/// Makes an enabled domain of this ID, name and description (each a `&str`), inside the transaction
/// that makes what it is for, whose error is made of a diesel error: `insert_domain!(conn, id, name,
/// description)`. Evaluates to the entity that is not what it was.
macro_rules! insert_domain {
    ($conn:expr, $id:expr, $name:expr, $description:expr) => {{
        use $crate::db::schema::project;
        let (id, name, description): (&str, &str, &str) = ($id, $name, $description);
        diesel::insert_into(project::table)
            .values((
                project::id.eq(id),
                project::name.eq(name),
                project::extra.eq("{}"),
                project::description.eq(description),
                project::enabled.eq(true),
                project::domain_id.eq($crate::resource::ROOT),
                project::parent_id.eq(None::<String>),
                project::is_domain.eq(true),
            ))
            .execute($conn)
            .await?;
        $crate::epoch::Entity::new($crate::epoch::Kind::Project, id)
    }};
}
pub(crate) use insert_domain;
