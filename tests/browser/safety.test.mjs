// What keeps other sites out, and who needs more than a mouse.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as serve } from 'node:https';
import { connect, createServer as listen } from 'node:net';
import { after, before, test } from 'node:test';
import * as the from './support.mjs';
import { base } from './support.mjs';

const open = [];
before(() => the.launch());
after(async () => {
  for (const server of open) server.close();
  await the.quit();
});

const started = (server) => new Promise((done) => {
  open.push(server);
  server.listen(0, '127.0.0.1', () => done(server.address().port));
});

// The same server at another origin that nobody has listed.
const elsewhere = () => started(listen((from) => {
  const to = connect(new URL(base).port, '127.0.0.1');
  from.pipe(to).pipe(from);
  for (const end of [from, to]) end.on('error', () => { from.destroy(); to.destroy(); });
}));

// Another site, with the same certificate.
const pair = { cert: readFileSync(the.CERTIFICATE), key: readFileSync(the.KEY) };
const site = (html) => started(serve(pair, (request, answer) => {
  answer.setHeader('Content-Type', 'text/html');
  answer.end(html);
}));

test('a passkey that is used at another origin is refused', async () => {
  const alice = await the.withPasskey();
  const other = `https://localhost:${await elsewhere()}`;
  for (const path of ['/passkeys/sign-in?next=/passkeys/add', '/passkeys/invitation#secret']) {
    await alice.page.goto(other + path);
    assert.equal(await alice.page.locator('#say a').getAttribute('href'), base + path);
    assert.equal(alice.page.url(), other + path);
  }
  await the.refusedBecause('origin is not one of', async () => {
    await the.byPasskey(alice, { url: `${other}/passkeys/sign-in` });
    await the.refused(alice.page);
  });
  await the.byPasskey(alice);
  await the.arrives(alice.page, '/passkeys');
  await alice.close();
});

test('a passkey that is used for another relying party is refused', async () => {
  const alice = await the.withPasskey();
  const { page, key } = alice;
  // A host of the origins, which browsers let be a relying party of its own, but not ours.
  const other = base.replace('localhost', 'other.localhost');
  await the.byPasskey(alice, { url: `${other}/passkeys/sign-in` });
  assert.match(await the.refused(page), /not work at this address\. Use the address/);
  await key.moveTo('other.localhost');
  const { body } = await the.begin(page);
  const credential = await the.sign(page, { ...body.publicKey, rpId: 'other.localhost' });
  const answer = await the.refusedBecause('another relying party ID', () => the.finish(page, credential));
  assert.equal(answer.status, 401);
  await alice.close();
});

test('every page says what browsers may do with it', async () => {
  const user = await the.person();
  const { page, close } = await the.device();
  await the.byPassword(page, user);
  for (const path of ['/passkeys', '/passkeys/add', '/passkeys/sign-in', '/passkeys/device', '/passkeys/invitation', '/passkeys/device?code=BCDF-GHJK']) {
    const headers = (await page.goto(base + path)).headers();
    const policy = headers['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "connect-src 'self'"]) {
      assert.ok(policy.includes(part), `${path}: ${part}`);
    }
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.match(headers['permissions-policy'], /publickey-credentials-get=\(self\)/);
    assert.match(headers.vary, /Cookie/);
    const inline = await page.locator('[style], style, script:not([src]), [onclick], [onload]').count();
    assert.equal(inline, 0, path);
  }
  const style = await page.locator('link[rel=stylesheet]').getAttribute('href');
  const asset = await page.request.get(base + style);
  assert.match(asset.headers()['cache-control'], /immutable/);
  await close();
});

test('no other site puts a page of ours into a frame', async () => {
  const port = await site(`<iframe src="${base}/passkeys/sign-in"></iframe>`);
  const { page, close } = await the.device();
  const told = [];
  page.on('console', (message) => told.push(message.text()));
  await page.goto(`https://127.0.0.1:${port}/`);
  const [, frame] = page.frames();
  assert.equal(await frame.locator('#main').count(), 0);
  assert.ok(told.some((text) => /frame/i.test(text)), told.join('\n'));
  await close();
});

test('no other site sends our forms, not even one of the same host', async () => {
  const user = await the.person();
  const form = (action) => `<form method="post" action="${base}${action}"><input name="user" value="${user.name}"><input name="domain" value="default"><input name="password" value="${the.PASSWORD_OF_USERS}"></form>`;
  const port = await site(form('/passkeys/sign-in'));
  const { page, context, close } = await the.device();
  for (const host of ['127.0.0.1', 'localhost']) {
    await page.goto(`https://${host}:${port}/`);
    const [answer] = await Promise.all([page.waitForNavigation(), page.evaluate(() => document.forms[0].submit())]);
    assert.equal(answer.status(), 403, host);
    assert.equal(await the.session(context), undefined);
  }
  await close();
});

test('a form without the proof of its session does nothing', async () => {
  const alice = await the.withPasskey();
  const { page } = alice;
  await the.byPasskey(alice);
  await the.arrives(page, '/passkeys');
  for (const csrf of ['', 'AAAA', 'x'.repeat(43)]) {
    const status = await page.evaluate(async (csrf) => {
      const id = document.querySelector('[name=id]').value;
      const body = new URLSearchParams({ csrf, id, do: 'remove' });
      return (await fetch('/passkeys/change', { method: 'POST', body })).status;
    }, csrf);
    assert.equal(status, 403);
  }
  await page.reload();
  assert.equal(await page.locator('.key').count(), 1);
  await alice.close();
});

test('what was handed on signs nobody in', async () => {
  const user = await the.person();
  await the.giveProject(user);
  const identity = { methods: ['password'], password: { user: { id: user.id, password: the.PASSWORD_OF_USERS } } };
  const scope = { project: { name: `p-${user.name}`, domain: { id: 'default' } } };
  const own = await the.ask('POST', '/v3/auth/tokens', { body: { auth: { identity, scope } } });
  const token = own.headers.get('x-subject-token');
  const made = await the.ask('POST', `/v3/users/${user.id}/application_credentials`, { token, body: { application_credential: { name: 'a' } } });
  assert.equal(made.status, 201, made.text);
  const { id, secret } = made.body.application_credential;
  const handed = await the.ask('POST', '/v3/auth/tokens', { body: { auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } } } });
  assert.equal(handed.status, 201, handed.text);
  const visit = async (value) => {
    const answer = await fetch(`${base}/passkeys`, { headers: { Cookie: `__Host-keystone-ng=${value}` }, redirect: 'manual' });
    return [answer.status, answer.headers.get('location')];
  };
  assert.deepEqual(await visit(handed.headers.get('x-subject-token')), [303, '/passkeys/sign-in?next=%2Fpasskeys']);
  assert.deepEqual(await visit(token), [200, null]);
});

test('signing in leads to our own pages alone', async () => {
  const user = await the.person();
  const { page, close } = await the.device();
  for (const next of ['https://evil.example/', '//evil.example/passkeys', '/v3']) {
    await page.goto(`${base}/passkeys/sign-in?next=${encodeURIComponent(next)}`);
    await the.typePassword(page, user);
    await the.arrives(page, '/passkeys');
    assert.ok(page.url().startsWith(base), next);
  }
  await close();
});

test('all goes by keyboard', async () => {
  const user = await the.person();
  const { page, key, close } = await the.device();
  // Tabs to what has this name, and no further than a page is long.
  const reach = async (name) => {
    for (let steps = 0; steps < 30; steps += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const it = document.activeElement;
        return (it.labels?.[0]?.textContent ?? it.getAttribute('aria-label') ?? it.textContent ?? '').trim();
      });
      if (focus === name) return;
    }
    assert.fail(`${name} is not reached`);
  };
  await page.goto(`${base}/passkeys/sign-in`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await reach('User name');
  await page.keyboard.type(user.name);
  await reach('Password');
  await page.keyboard.type(the.PASSWORD_OF_USERS);
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys');
  await reach('Add a passkey');
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys/add');
  await reach('A name for it');
  await page.keyboard.type('Laptop');
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys');
  await reach('Rename');
  await page.keyboard.press('Enter');
  await reach('New name');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Desk');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Desk' }).waitFor();
  await reach('Sign out');
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys/sign-in');
  await reach('Sign in with a passkey');
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys');
  await close();
});

test('without JavaScript a password signs in', async () => {
  const user = await the.person();
  const { page, close } = await the.device({ javaScriptEnabled: false }, null);
  await the.byPassword(page, user);
  await page.getByText('You have no passkey yet').waitFor();
  await close();
});

test('a refusal is said, and does not say why', async () => {
  const user = await the.person();
  const { page, close } = await the.device();
  const texts = new Set();
  for (const [name, password] of [[user.name, 'wrong'], ['nobody', the.PASSWORD_OF_USERS]]) {
    await page.goto(`${base}/passkeys/sign-in`);
    await the.typePassword(page, { name }, password);
    texts.add(await page.getByRole('alert').innerText());
    assert.equal(await page.getByLabel('User name').inputValue(), name);
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
  }
  assert.equal(texts.size, 1);
  await close();
});
