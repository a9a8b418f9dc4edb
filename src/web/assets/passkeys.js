// The pages' script: the ceremonies of WebAuthn, and small comforts. Without it passwords still work.
'use strict';
(() => {
  const { base, csrf, next } = document.body.dataset;
  const at = (id) => document.getElementById(id);
  const supported = typeof window.PublicKeyCredential === 'function' && window.isSecureContext;

  // What people read: one message at a time, said by screen readers too.
  function say(text, kind = '', link = null) {
    const place = at('say');
    place.replaceChildren();
    if (!text) return;
    const line = document.createElement('p');
    line.className = `message ${kind}`;
    line.append(text);
    if (link) {
      const a = document.createElement('a');
      a.href = base + link.path;
      a.append(link.text);
      line.append(' ', a);
    }
    place.append(line);
    if (kind === 'bad') place.focus();
  }

  class Refused extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  async function post(path, body, more = {}) {
    let answer;
    try {
      answer = await fetch(base + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': csrf, ...more },
        body: JSON.stringify(body),
        credentials: 'same-origin',
        redirect: 'error',
      });
    } catch {
      throw new Refused(0, 'The server cannot be reached. Check your connection and try again.');
    }
    let said = {};
    try { said = await answer.json(); } catch { /* no JSON, no words */ }
    if (!answer.ok) throw new Refused(answer.status, said.error?.message ?? 'Something went wrong. Try again.');
    return said;
  }

  // WebAuthn's JSON (Level 3), also where the browser does not speak it yet.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const listed = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  function creation(options) {
    if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: listed(options.excludeCredentials) };
  }
  function request(options) {
    if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) };
  }
  function spelled(credential) {
    if (credential.toJSON) {
      try { return credential.toJSON(); } catch { /* some password managers break it */ }
    }
    const from = credential.response;
    const response = { clientDataJSON: text(from.clientDataJSON) };
    for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
      if (from[name]) response[name] = text(from[name]);
    }
    if (from.getTransports) response.transports = from.getTransports();
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: credential.getClientExtensionResults() };
  }

  // What a browser says, in words that help.
  function words(error) {
    if (error instanceof Refused) return error.message;
    switch (error?.name) {
      case 'NotAllowedError': return 'Nothing happened: it was cancelled, took too long, or no passkey of yours is here.';
      case 'InvalidStateError': return 'This device or key has a passkey of yours already.';
      case 'SecurityError': return 'Passkeys do not work at this address. Use the address that your administrator gave you.';
      case 'NotSupportedError': return 'This device has no kind of passkey that is accepted here.';
      case 'ConstraintError': return 'This device cannot check that it is you. Set up a screen lock or a PIN first.';
      default: return 'That did not work on this device. Try again, or another passkey.';
    }
  }

  // Runs what a form is for, once at a time.
  function on(form, work) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const button = form.querySelector('button');
      if (button.getAttribute('aria-busy') === 'true') return;
      button.setAttribute('aria-busy', 'true');
      say('');
      try {
        await work();
      } catch (error) {
        const again = error instanceof Refused && (error.status === 401 || error.status === 403) && csrf;
        say(words(error), 'bad', again ? { path: '/passkeys/sign-in?next=' + encodeURIComponent((location.pathname + location.search).slice(base.length)), text: 'Sign in again' } : null);
      } finally {
        button.removeAttribute('aria-busy');
      }
    });
  }

  const go = (path) => location.assign(base + path);

  // Signing in: by the button, and by what browsers offer while a name is typed.
  function signIn(form) {
    const { receipt } = form.dataset;
    let waiting = null;
    const named = () => {
      const user = at('user').value.trim();
      return user ? { user, domain: at('domain').value.trim() } : {};
    };
    async function ceremony(who, extra) {
      const { publicKey } = await post('/passkeys/sign-in/begin', who);
      const credential = await navigator.credentials.get({ publicKey: request(publicKey), ...extra });
      const done = await post('/passkeys/sign-in/finish', { ...who, next, credential: spelled(credential) }, receipt ? { 'OpenStack-Auth-Receipt': receipt } : {});
      go(done.next);
    }
    async function offer() {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      waiting = new AbortController();
      // A challenge does not last; long before it is stale, a new one is asked for.
      const { signal } = waiting;
      const renew = setTimeout(() => { waiting?.abort(); offer(); }, 120000);
      try {
        await ceremony({}, { mediation: 'conditional', signal });
      } catch (error) {
        if (error instanceof Refused && error.status !== 0) say(words(error), 'bad');
      } finally {
        if (!signal.aborted) clearTimeout(renew);
      }
    }
    form.hidden = false;
    on(form, async () => {
      waiting?.abort();
      await ceremony(named(), {});
    });
    offer();
  }

  async function add(begin, finish, extra) {
    const { publicKey } = await post(begin, extra);
    const credential = await navigator.credentials.create({ publicKey: creation(publicKey) });
    const description = at('name').value.trim() || null;
    const done = await post(finish, { ...extra, next, description, credential: spelled(credential) });
    go(done.next);
  }

  // Letting a command line in takes the passkey once more.
  async function allow(code) {
    const { publicKey } = await post('/passkeys/device/begin', {});
    const credential = await navigator.credentials.get({ publicKey: request(publicKey) });
    const done = await post('/passkeys/device/allow', { code, credential: spelled(credential) });
    go(done.next);
  }

  const forms = { passkey: at('passkey'), add: at('add'), invitation: at('invitation'), device: at('device') };
  if (!supported) {
    const why = window.isSecureContext
      ? 'This browser does not know passkeys. Use a newer one.'
      : 'Passkeys work over HTTPS only. Use the address that your administrator gave you.';
    if (Object.values(forms).some(Boolean)) say(why, 'warn');
  } else {
    if (forms.passkey) signIn(forms.passkey);
    if (forms.add) on(forms.add, () => add('/passkeys/add/begin', '/passkeys/add/finish', {}));
    if (forms.device) on(forms.device, () => allow(forms.device.dataset.code));
    if (forms.invitation) {
      // What stands behind # is sent to no server by itself; out of sight and history with it.
      const secret = location.hash.slice(1);
      history.replaceState(null, '', location.pathname);
      if (secret) on(forms.invitation, () => add('/passkeys/invitation/begin', '/passkeys/invitation/finish', { secret }));
      else {
        forms.invitation.hidden = true;
        say('This link is not whole. Open the invitation again as you got it.', 'bad');
      }
    }
  }

  // Times in the reader's own words.
  for (const time of document.querySelectorAll('time[datetime]')) {
    const when = new Date(time.dateTime);
    time.title = time.textContent;
    time.textContent = when.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  }
  // A message of the server's is read first.
  document.querySelector('.message.bad[role="alert"]')?.focus?.();
})();
