//! Not there yet.
use actix::Message;

use super::*;
use crate::actor::Serve;

macro_rules! stub {
    ($($message:ident)*) => {$(
        impl Serve<$message> for WebauthnProvider {
            async fn serve(self, _: $message) -> <$message as Message>::Result {
                let _ = (&self.db, &self.invalidations, &self.keys, &self.settings);
                Err(Error::Unavailable(Unavailable::Restarting))
            }
        }
    )*};
}
stub!(StartRegistration FinishRegistration StartLogin FinishLogin NoteToken ListPasskeys GetPasskey UpdatePasskey
      DeletePasskey DeletePasskeys CreateInvitation LookInvitation NewRecoveryCodes UseRecoveryCode
      CountRecoveryCodes StartDevice LookDevice AnswerDevice PollDevice);
