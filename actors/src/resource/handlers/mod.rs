mod changes;
mod reads;
