//! The server inside the test's own process, by the library's public interface: for faults that
//! nobody can provoke from outside. What it serves goes over the wire as ever.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web;
use keystone_ng::config::{Config, Sources};
use keystone_ng::node::Node;
use keystone_ng::server::{self, ServeOptions};

use super::cloud::until_up;
use super::{Api, Cloud, Options};

/// A server in this process, on the database and with the keys of another. Stopped when dropped.
pub(crate) struct Inside<'db> {
    /// Its configuration, and the ports that are its own.
    prepared: Cloud<'db>,
    node: web::Data<Node>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl<'db> Inside<'db> {
    /// Starts one beside `cloud`, with these options.
    pub(crate) async fn start(cloud: &Cloud<'db>, options: Options) -> Self {
        let prepared = cloud.prepare_node(options);
        let file = prepared.config_file();
        let sources = Sources {
            files: vec![file.clone()],
            ..Sources::default()
        };
        let loaded = Config::load(&sources).expect("a configuration");
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let (ready, is_ready) = mpsc::channel();
        let options = ServeOptions {
            listen: Vec::new(),
            ready: Some(Box::new(move |running| {
                let told = (running.node.clone(), running.server.clone());
                ready.send(told).expect("who started it");
            })),
            ..ServeOptions::default()
        };
        let thread = std::thread::spawn(move || {
            server::run(loaded, folder, options).expect("a server");
        });
        let (node, handle) = actix_rt::task::spawn_blocking(move || is_ready.recv())
            .await
            .expect("a thread to wait on")
            .expect("the server starts");
        until_up(prepared.api(), || None)
            .await
            .expect("the server is up");
        Self {
            prepared,
            node,
            handle,
            thread: Some(thread),
        }
    }

    /// A client of it.
    pub(crate) fn api(&self) -> &Api {
        self.prepared.api()
    }

    /// Its inside.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // Takes effect when it is called; the future only waits for it.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // Only a panic of its own, which has been shown.
            let _ = thread.join();
        }
    }
}
