// The pages' script: the ceremonies of WebAuthn, and small comforts. Without it passwords still work.
'use strict';
(() => {
  const { base, csrf, next, origins } = document.body.dataset;
  // Where passkeys work, and this page there, unless it is this one.
  const known = origins.split(' ').filter(Boolean);
  const home = known.length > 0 && known[0] !== location.origin ? { href: known[0] + location.pathname + location.search + location.hash, text: known[0] } : null;
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
      a.href = link.href ?? base + link.path;
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

  async function post(path, body) {
    let answer;
    try {
      answer = await fetch(base + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': csrf },
        body: JSON.stringify(body),
        credentials: 'same-origin',
        redirect: 'error',
      });
    } catch {
      throw new Refused(0, 'The server cannot be reached. Check your connection and try again.');
    }
    let said = {};
    try { said = await answer.json(); } catch { /* no JSON, no words */ }
    if (answer.ok) return said;
    const why = said.error?.message ?? 'Something went wrong. Try again.';
    // What is said to programs before it helps nobody here.
    throw new Refused(answer.status, why.replace(/^You are not authorized to perform the requested action: /, ''));
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

  // What a browser says, in words that help: `otherwise` is what to do where it does not say.
  function words(error, otherwise) {
    if (error instanceof Refused) return error.message;
    switch (error?.name) {
      case 'NotAllowedError': return `Nothing happened. It was cancelled or took too long, or this device has nothing that fits. ${otherwise}`;
      case 'InvalidStateError': return 'This device or key has a passkey of yours already, with which you can sign in. To add another one, use another device or key.';
      case 'SecurityError': return 'Passkeys do not work at this address. Use the address that your administrator gave you.';
      case 'NotSupportedError': return 'This device has no kind of passkey that is accepted here. Use another device or key.';
      case 'ConstraintError': return 'This device cannot check that it is you. Set up a screen lock or a PIN first, or use another device or key.';
      default: return `That did not work on this device. ${otherwise}`;
    }
  }

  // Runs what a form is for, once at a time. `back` is where to be after signing in again, where
  // that may help.
  function on(form, work, otherwise, back = null) {
    form.hidden = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const button = form.querySelector('button');
      if (button.getAttribute('aria-busy') === 'true') return;
      button.setAttribute('aria-busy', 'true');
      say('');
      try {
        await work();
      } catch (error) {
        const again = error instanceof Refused && (error.status === 401 || error.status === 403) && back !== null;
        say(words(error, otherwise), 'bad', again ? { path: '/passkeys/sign-in?next=' + encodeURIComponent(back), text: 'Sign in again' } : error?.name === 'SecurityError' ? home : null);
      } finally {
        button.removeAttribute('aria-busy');
      }
    });
  }

  const go = (path) => location.assign(base + path);

  // Uses a passkey.
  async function use(path, { who = {}, said = {}, end = 'finish', how = {} } = {}) {
    const { publicKey } = await post(`${path}/begin`, who);
    const credential = await navigator.credentials.get({ publicKey: request(publicKey), ...how });
    const done = await post(`${path}/${end}`, { ...who, ...said, credential: spelled(credential) });
    go(done.next);
  }

  // Signing in: by the button, and by what browsers offer while a name is typed.
  function signIn(form) {
    let stop = () => {};
    const named = () => {
      const user = at('user').value.trim();
      return user ? { user, domain: at('domain').value.trim() } : {};
    };
    const ceremony = (who, how) => use('/passkeys/sign-in', { who, how, said: { next } });
    async function offer() {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      const waiting = new AbortController();
      // A challenge does not last; long before it is stale, a new one is asked for.
      const renew = setTimeout(() => { waiting.abort(); offer(); }, 120000);
      stop = () => { clearTimeout(renew); waiting.abort(); };
      try {
        await ceremony({}, { mediation: 'conditional', signal: waiting.signal });
      } catch (error) {
        if (waiting.signal.aborted) return;
        clearTimeout(renew);
        if (error instanceof Refused && error.status !== 0) say(words(error), 'bad');
      }
    }
    on(form, async () => {
      stop();
      try {
        await ceremony(named(), {});
      } catch (error) {
        offer();
        throw error;
      }
    }, 'Try again, or sign in with your password.');
    offer();
  }

  async function add(path, extra) {
    const { publicKey } = await post(`${path}/begin`, extra);
    const credential = await navigator.credentials.create({ publicKey: creation(publicKey) });
    const description = at('name').value.trim() || null;
    const done = await post(`${path}/finish`, { ...extra, next, description, credential: spelled(credential) });
    go(done.next);
  }

  const forms = { passkey: at('passkey'), more: at('more'), add: at('add'), invitation: at('invitation'), device: at('device') };
  if (!supported) {
    const why = window.isSecureContext
      ? 'This browser does not know passkeys. Use a newer one.'
      : 'Passkeys work over HTTPS only. Use the address that your administrator gave you.';
    if (Object.values(forms).some(Boolean)) say(why, 'warn', window.isSecureContext ? null : home);
  } else {
    const here = (location.pathname + location.search).slice(base.length);
    const other = 'Try again, or use another device or key.';
    const wrong = home && !known.includes(location.origin);
    if (wrong && Object.values(forms).some(Boolean)) say('Passkeys do not work at this address, but at', 'warn', home);
    if (forms.passkey) signIn(forms.passkey);
    if (forms.more) on(forms.more, () => use('/passkeys/sign-in/more'), 'Try again, or use a recovery code.', next);
    if (forms.add) on(forms.add, () => add('/passkeys/add', {}), other, here);
    // Letting a command line in takes the passkey once more.
    if (forms.device) on(forms.device, () => use('/passkeys/device', { end: 'allow', said: { code: forms.device.dataset.code } }), 'Try again with a passkey of this account.', here);
    if (forms.invitation) {
      // What stands behind # is sent to no server by itself; out of sight and history with it, unless
      // it is needed at the right address.
      const secret = location.hash.slice(1);
      if (!wrong) history.replaceState(null, '', location.pathname);
      if (secret) on(forms.invitation, () => add('/passkeys/invitation', { secret }), other);
      else {
        forms.invitation.hidden = true;
        say('This link is not whole. Open the invitation again as you got it.', 'bad');
      }
    }
  }

  // What was done is told once, not again where the page is loaded anew.
  const told = new URL(location.href);
  if (document.querySelector('.message.good[role="status"]') && told.searchParams.has('done')) {
    told.searchParams.delete('done');
    history.replaceState(null, '', told);
  }

  // Times in the reader's own words.
  for (const time of document.querySelectorAll('time[datetime]')) {
    const when = new Date(time.dateTime);
    time.title = time.textContent;
    time.textContent = when.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  }
  // A message of the server's is read first; where there is one thing to do, it has the focus.
  (document.querySelector('.message.bad[role="alert"]') ?? document.querySelector('.step:not([hidden]) :is(input:not([hidden]), button)'))?.focus();
})();
