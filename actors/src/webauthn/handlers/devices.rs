use super::super::{
    AnswerDevice, Device, DeviceInfo, DevicePoll, Error, LookDevice, PollDevice, StartDevice,
    WebauthnProvider, codes, limits, store,
};
use crate::actor::Serve;
use crate::token::CryptoError;

/// Seconds between two questions: what RFC 8628 section 3.2 takes where nothing is said.
const INTERVAL: u32 = 5;

/// Whether Unicode has it for a format character (category Cf) or a separator of lines or paragraphs
/// (Zl, Zp): among them those that change the direction of what follows.
fn is_format(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}')
}

impl Serve<StartDevice> for WebauthnProvider {
    async fn serve(self, StartDevice { client, now }: StartDevice) -> Result<Device, Error> {
        // Nothing on the page that is not seen or moves what stands beside it, nor NUL, which PostgreSQL
        // takes in no text.
        let seen = |letter: &char| !letter.is_control() && !is_format(*letter);
        let client = client.chars().filter(seen);
        let client = client.take(limits::CLIENT).collect();
        let device_code = codes::secret()?;
        let user_code = codes::user_code()?;
        let hashes = codes::user_code_hashes(&self.keys.current(), &user_code);
        let device = store::NewDevice {
            device_hash: codes::hash_of(&device_code),
            user_hash: hashes.into_iter().next().ok_or(CryptoError)?,
            client,
            expires_at: now.saturating_add(self.settings.device_ttl),
        };
        // Also where there is no more place.
        self.prune(now);
        store::insert_device(&self.db, &device, now).await?;
        Ok(Device {
            device_code,
            user_code,
            expires_at: device.expires_at,
            interval: INTERVAL,
        })
    }
}

impl Serve<LookDevice> for WebauthnProvider {
    async fn serve(self, message: LookDevice) -> Result<Option<DeviceInfo>, Error> {
        let hashes = codes::user_code_hashes(&self.keys.current(), &message.user_code);
        store::find_device(&self.db, &hashes, message.now).await
    }
}

impl Serve<AnswerDevice> for WebauthnProvider {
    async fn serve(self, message: AnswerDevice) -> Result<bool, Error> {
        let hashes = codes::user_code_hashes(&self.keys.current(), &message.user_code);
        store::answer_device(&self.db, &hashes, &message).await
    }
}

impl Serve<PollDevice> for WebauthnProvider {
    async fn serve(self, PollDevice { device_code, now }: PollDevice) -> Result<DevicePoll, Error> {
        let hash = codes::hash_of(&device_code);
        store::poll_device(&self.db, &hash, INTERVAL.into(), now).await
    }
}
