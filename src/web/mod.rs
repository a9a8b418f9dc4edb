//! Pages for people: signing in by passkey, managing passkeys, letting a command line in. Made on
//! the server, with one script and one style of their own; they ask [`crate::passkeys`] as the API
//! does, and are no part of the API's description. Without the script passwords still sign in.

mod add;
mod answer;
mod assets;
mod device;
mod html;
mod manage;
mod more;
mod recovery;
mod session;
mod sign_in;

use crate::api::router::Router;
use crate::api::routes::Routes;

/// Routes them.
pub fn routes(pages: &mut Router) {
    Routes::at("/passkeys").get(manage::show).register(pages);
    Routes::at("/passkeys/change")
        .get(answer::home)
        .post(manage::change)
        .register(pages);
    Routes::at("/passkeys/remove")
        .get(manage::confirm)
        .register(pages);
    Routes::at("/passkeys/recovery-codes")
        .get(answer::home)
        .post(manage::recovery_codes)
        .register(pages);
    Routes::at("/passkeys/sign-in")
        .get(sign_in::show)
        .post(sign_in::by_password)
        .register(pages);
    Routes::at("/passkeys/sign-in/begin")
        .post(sign_in::begin)
        .register(pages);
    Routes::at("/passkeys/sign-in/finish")
        .post(sign_in::finish)
        .register(pages);
    Routes::at("/passkeys/sign-in/more")
        .get(more::show)
        .post(more::by_form)
        .register(pages);
    Routes::at("/passkeys/sign-in/more/begin")
        .post(more::begin)
        .register(pages);
    Routes::at("/passkeys/sign-in/more/finish")
        .post(more::finish)
        .register(pages);
    Routes::at("/passkeys/sign-in/recovery")
        .get(sign_in::show)
        .post(recovery::by_form)
        .register(pages);
    Routes::at("/passkeys/sign-out")
        .get(answer::home)
        .post(sign_in::out)
        .register(pages);
    Routes::at("/passkeys/add").get(add::show).register(pages);
    Routes::at("/passkeys/add/begin")
        .post(add::begin)
        .register(pages);
    Routes::at("/passkeys/add/finish")
        .post(add::finish)
        .register(pages);
    Routes::at("/passkeys/invitation")
        .get(add::invited)
        .register(pages);
    Routes::at("/passkeys/invitation/begin")
        .post(add::begin_invited)
        .register(pages);
    Routes::at("/passkeys/invitation/finish")
        .post(add::finish_invited)
        .register(pages);
    Routes::at("/passkeys/device")
        .get(device::show)
        .post(device::deny)
        .register(pages);
    Routes::at("/passkeys/device/begin")
        .post(device::begin)
        .register(pages);
    Routes::at("/passkeys/device/allow")
        .post(device::allow)
        .register(pages);
    Routes::at("/passkeys/assets/{name}")
        .get(assets::show)
        .register(pages);
    Routes::at("/passkeys/{name}")
        .get(answer::missing)
        .register(pages);
}
