//! The actix actor around a provider.

use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler, Message, ResponseFuture};
use tracing::{Instrument, Span};

use super::handle::Permit;
use super::{Provider, Serve};

/// The actor that a provider lives in.
pub(crate) struct Room<P> {
    provider: P,
    mailbox: usize,
    /// Told when the actor is gone, however it ended.
    ended: Arc<tokio::sync::Notify>,
}

impl<P: Provider> Room<P> {
    pub(super) fn new(provider: P, mailbox: usize, ended: Arc<tokio::sync::Notify>) -> Self {
        Self {
            provider,
            mailbox,
            ended,
        }
    }
}

impl<P> Drop for Room<P> {
    fn drop(&mut self) {
        // Also when unwinding: whoever waits learns of the end without polling for it.
        self.ended.notify_one();
    }
}

impl<P: Provider> Actor for Room<P> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.mailbox);
    }
}

/// A message on its way, with the place that it takes up and the request that it belongs to.
pub(super) struct Call<M> {
    pub message: M,
    pub permit: Permit,
    pub span: Span,
}

impl<M: Message> Message for Call<M>
where
    M::Result: 'static,
{
    type Result = M::Result;
}

impl<P, M> Handler<Call<M>> for Room<P>
where
    P: Serve<M>,
    M: Message + 'static,
    M::Result: 'static,
{
    type Result = ResponseFuture<M::Result>;

    fn handle(&mut self, call: Call<M>, _: &mut Self::Context) -> Self::Result {
        let Call {
            message,
            permit,
            span,
        } = call;
        let provider = self.provider.clone();
        let answer = async move {
            let answer = provider.serve(message).await;
            drop(permit);
            answer
        };
        Box::pin(answer.instrument(span))
    }
}

/// What the supervisor, and a test of it, may do to an actor.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub enum Control {
    /// Stop in good order.
    Stop,
    /// Panic inside the actor, as a defect would.
    Panic,
}

impl<P: Provider> Handler<Control> for Room<P> {
    type Result = ();

    fn handle(&mut self, control: Control, ctx: &mut Self::Context) {
        match control {
            Control::Stop => ctx.stop(),
            #[expect(clippy::panic, reason = "the fault that supervision is tested with")]
            Control::Panic => panic!("asked to"),
        }
    }
}
