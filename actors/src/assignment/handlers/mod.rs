mod grants;
mod lists;
mod scopes;
