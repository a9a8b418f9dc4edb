// What the tests share: a browser, people with passkeys, the API.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const { PAGES: base, PASSWORD, KEYSTONE_NG, CHROMIUM, CERTIFICATE, KEY, SCREENSHOTS } = process.env;
export const PASSWORD_OF_USERS = 'correct horse battery';
// Both nodes: where they are without HAProxy, what they log, and the files with their process IDs.
const each = (name) => process.env[name].split(' ');
export const NODES = each('NODES');
export const LOGS = each('LOGS');
export const PIDS = each('PIDS');

// How long anything may take, in milliseconds, on a machine that is busy.
const PATIENCE = 120_000;

let browser;
export async function launch() {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    timeout: PATIENCE,
    // As root there is no sandbox; nothing is asked of the network. A key is believed, so that to the
    // browser this certificate is as good as any.
    args: [`--ignore-certificate-errors-spki-list=${process.env.SPKI}`, '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
export const quit = () => browser.close();

// Waits until something is so.
export async function until(what, check) {
  const began = Date.now();
  while (Date.now() - began < PATIENCE) {
    if (await check()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`it did not become so: ${what}`);
}

// What a node said of why it refused, which nobody else is told. Something else, for another reason
// or none, would be refused alike.
export async function refusedBecause(reason, act) {
  const before = LOGS.map((file) => statSync(file).size);
  const answer = await act();
  await until(`logged: ${reason}`, () => LOGS.some((file, at) => readFileSync(file).subarray(before[at]).includes(reason)));
  return answer;
}

// A request to the API: its status, headers and body. `at` is one node of the two.
export async function ask(method, path, { token, body, subject, at = base } = {}) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers['X-Auth-Token'] = token;
  if (subject) headers['X-Subject-Token'] = subject;
  const answer = await fetch(at + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  let json = null;
  try { json = JSON.parse(text); } catch { /* a page, or nothing */ }
  return { status: answer.status, headers: answer.headers, body: json, text };
}

// A token of the administrator, for the system.
let admin;
export async function adminToken() {
  if (admin) return admin;
  const identity = { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: PASSWORD } } };
  const answer = await ask('POST', '/v3/auth/tokens', { body: { auth: { identity, scope: { system: { all: true } } } } });
  assert.equal(answer.status, 201, answer.text);
  admin = answer.headers.get('x-subject-token');
  return admin;
}

export const validate = async (token, at = base) => ask('GET', '/v3/auth/tokens', { token: await adminToken(), subject: token, at });

// Waits until a token is dead at both nodes: at the one that ended it it is so at once.
export const ends = (token) => until('the token is dead', async () => {
  const answers = await Promise.all(NODES.map((node) => validate(token, node)));
  return answers.every(({ status }) => status === 404);
});

// Gives a user multi-factor rules, and waits until both nodes go by them.
export async function giveRules(user, rules) {
  const token = await adminToken();
  const options = { multi_factor_auth_enabled: true, multi_factor_auth_rules: rules };
  const changed = await ask('PATCH', `/v3/users/${user.id}`, { token, body: { user: { options } } });
  assert.equal(changed.status, 200, changed.text);
  await until('both nodes know the rules', async () => {
    const answers = await Promise.all(NODES.map((at) => ask('GET', `/v3/users/${user.id}`, { token, at })));
    return answers.every(({ body }) => body.user.options.multi_factor_auth_rules?.length === rules.length);
  });
}

// A new user, with a project in which it has a role.
export async function person() {
  const token = await adminToken();
  const name = `user-${randomBytes(6).toString('hex')}`;
  const made = await ask('POST', '/v3/users', { token, body: { user: { name, domain_id: 'default', password: PASSWORD_OF_USERS } } });
  assert.equal(made.status, 201, made.text);
  return { id: made.body.user.id, name };
}

export async function giveProject(user) {
  const token = await adminToken();
  const made = await ask('POST', '/v3/projects', { token, body: { project: { name: `p-${user.name}`, domain_id: 'default' } } });
  assert.equal(made.status, 201, made.text);
  const { project } = made.body;
  const roles = await ask('GET', '/v3/roles?name=member', { token });
  const given = await ask('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${roles.body.roles[0].id}`, { token });
  assert.equal(given.status, 204, given.text);
  return project;
}

// A browser of somebody's, with a page and an authenticator on it. A virtual authenticator takes up
// what a page offers as soon as it does, so only those pages offer anything that are to (`offers`).
export async function device({ offers = false, ...options } = {}, authenticatorOptions = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  if (!offers) await context.addInitScript(() => { window.PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
  const page = await context.newPage();
  const key = authenticatorOptions ? await authenticator(page, authenticatorOptions) : null;
  // Which node answered what the script asked for, in order: [path, node].
  const answered = [];
  page.on('response', (answer) => {
    if (answer.request().method() === 'POST') answered.push([new URL(answer.url()).pathname, answer.headers()['x-node']]);
  });
  return { context, page, key, answered, close: () => context.close() };
}

export const ROAMING = { transport: 'usb', hasResidentKey: false };

// A virtual authenticator (CDP WebAuthn domain); by default one that is built in, and verifies users.
export async function authenticator(page, options = {}) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...options },
  });
  const send = (method, more = {}) => cdp.send(`WebAuthn.${method}`, { authenticatorId, ...more });
  const credentials = async () => (await send('getCredentials')).credentials;
  return {
    credentials,
    verifies: (isUserVerified) => send('setUserVerified', { isUserVerified }),
    // The same keys as those of another relying party.
    moveTo: async (rpId) => {
      const all = await credentials();
      await send('clearCredentials');
      for (const credential of all) await send('addCredential', { credential: { ...credential, rpId } });
    },
    // The same key with an older counter, as a copy has it.
    rewind: async () => {
      const all = await credentials();
      await send('clearCredentials');
      for (const credential of all) await send('addCredential', { credential: { ...credential, signCount: 1 } });
    },
  };
}

// Fills what the form to sign in asks for, and sends it.
export async function typePassword(page, user, password = PASSWORD_OF_USERS) {
  await page.getByLabel('User name').fill(user.name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in with password' }).click();
}

export const at = (page) => new URL(page.url()).pathname;
export const arrives = (page, path) => page.waitForURL((url) => url.pathname === path);

// Signs in by the form.
export async function byPassword(page, user, path = '/passkeys') {
  await page.goto(`${base}/passkeys/sign-in?next=${encodeURIComponent(path)}`);
  await typePassword(page, user);
  await arrives(page, path.split('?')[0]);
}

// Adds a passkey, signed in already.
export async function addPasskey(page, name) {
  await page.goto(`${base}/passkeys/add`);
  await page.getByLabel('A name for it').fill(name);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await arrives(page, '/passkeys');
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await arrives(page, '/passkeys/sign-in');
}

// A person with a passkey on a device, signed out.
export async function withPasskey(authenticatorOptions = {}, options = {}) {
  const user = await person();
  const own = await device(options, authenticatorOptions);
  await byPassword(own.page, user);
  await addPasskey(own.page, 'Laptop');
  await signOut(own.page);
  return { ...own, user };
}

// Presses the button.
export async function byPasskey({ page, user }, { named = false, url = `${base}/passkeys/sign-in` } = {}) {
  if (!page.url().startsWith(url)) await page.goto(url);
  if (named) await page.getByLabel('User name').fill(user.name);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
}

// What the script does, step by step, so that a test can do something else in between.
export const begin = (page, who = {}) => post(page, '/passkeys/sign-in/begin', who);
export const finish = (page, credential, who = {}) => post(page, '/passkeys/sign-in/finish', { ...who, credential });
export const post = (page, path, body, headers = {}) => page.evaluate(async ([path, body, headers]) => {
  const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}, [path, body, headers]);
export const sign = (page, options) => page.evaluate(async (options) => {
  const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return credential.toJSON();
}, options);

export async function refused(page) {
  const told = page.locator('#say .bad');
  await told.waitFor();
  assert.equal(at(page), '/passkeys/sign-in');
  return told.innerText();
}

export const session = async (context) => {
  const cookies = await context.cookies(base);
  return cookies.find((cookie) => cookie.name === '__Host-keystone-ng');
};
