// Passkeys in a browser: added, used, managed; and what is not let in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as the from './support.mjs';
import { base } from './support.mjs';

let waits; // A login that was begun before all others.
before(async () => {
  await the.launch();
  const alice = await the.withPasskey();
  const begun = await the.begin(alice.page);
  waits = { alice, credential: await the.sign(alice.page, begun.body.publicKey), since: Date.now() };
});
after(() => the.quit());

test('a passkey is added by password and signs in', async () => {
  const user = await the.person();
  const { page, key, context, answered, close } = await the.device();
  await page.goto(`${base}/passkeys`);
  assert.equal(the.at(page), '/passkeys/sign-in');
  await the.byPassword(page, user);
  await page.getByText('You have no passkey yet').waitFor();
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await page.getByLabel('A name for it').fill('Laptop <b>');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await the.arrives(page, '/passkeys');
  await page.getByText('The passkey was added').waitFor();
  const listed = page.locator('.key');
  assert.equal(await listed.getByRole('heading', { level: 2 }).innerText(), 'Laptop <b>');
  assert.match(await listed.innerText(), /Last used\s*never/);
  assert.equal((await key.credentials()).length, 1);
  await page.reload();
  assert.equal(await page.getByText('The passkey was added').count(), 0);

  const cookie = await the.session(context);
  assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, 'Strict', '/']);
  await the.signOut(page);
  assert.equal(await the.session(context), undefined);
  await page.getByText('You are signed out').waitFor();
  await the.ends(cookie.value);

  await the.byPasskey({ page, key });
  await the.arrives(page, '/passkeys');
  assert.doesNotMatch(await page.locator('.key').innerText(), /never/);
  const token = await the.validate((await the.session(context)).value);
  assert.deepEqual(token.body.token.methods, ['webauthn']);
  assert.equal(token.body.token.user.id, user.id);
  // Each ceremony began at one node and ended at the other.
  const ceremonies = answered.filter(([path]) => /\/(begin|finish)$/.test(path));
  assert.deepEqual(ceremonies, [
    ['/passkeys/add/begin', 'node1'], ['/passkeys/add/finish', 'node2'],
    ['/passkeys/sign-in/begin', 'node1'], ['/passkeys/sign-in/finish', 'node2'],
  ]);
  await close();
});

test('browsers offer a passkey by themselves where a name is typed', async () => {
  const user = await the.person();
  const { page, close } = await the.device({ offers: true });
  await the.byPassword(page, user);
  await the.addPasskey(page, 'Laptop');
  // By way of the page to sign in.
  const finished = page.waitForRequest((request) => request.url().endsWith('/passkeys/sign-in/finish'));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await finished;
  await the.arrives(page, '/passkeys');
  await page.context().clearCookies();
  await page.route('**/sign-in/begin', (route) => route.abort());
  await page.goto(`${base}/passkeys/sign-in`);
  assert.equal(await page.getByLabel('User name').getAttribute('autocomplete'), 'username webauthn');
  await close();
});

test('a security key that keeps nothing signs in who is named', async () => {
  const alice = await the.withPasskey(the.ROAMING);
  const [credential] = await alice.key.credentials();
  assert.equal(credential.isResidentCredential, false);
  await the.byPasskey(alice, { named: true });
  await the.arrives(alice.page, '/passkeys');
  await alice.page.getByText('This device only').waitFor();
  await alice.close();
});

for (const [name, kind, named] of [
  ['built in, keeping nothing', { hasResidentKey: false }, true],
  ['roaming, keeping passkeys', { transport: 'usb' }, false],
  ['held to a reader', { transport: 'nfc' }, false],
]) {
  test(`an authenticator signs in: ${name}`, async () => {
    const alice = await the.withPasskey(kind);
    const [credential] = await alice.key.credentials();
    assert.equal(credential.isResidentCredential, !named);
    await the.byPasskey(alice, { named });
    await the.arrives(alice.page, '/passkeys');
    await alice.close();
  });
}

test('an authenticator that cannot verify its user is not taken, and what to do is said', async () => {
  const user = await the.person();
  for (const kind of [{ transport: 'usb' }, { transport: 'internal' }, { transport: 'usb', protocol: 'u2f', ctap2Version: undefined, hasResidentKey: false }]) {
    const { page, key, close } = await the.device({}, { hasUserVerification: false, isUserVerified: false, ...kind });
    await the.byPassword(page, user, '/passkeys/add');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    const told = page.locator('#say .bad');
    await told.waitFor();
    assert.match(await told.innerText(), /use another device or key/);
    assert.equal(the.at(page), '/passkeys/add');
    assert.deepEqual(await key.credentials(), []);
    await close();
  }
});

test('an authenticator is added once', async () => {
  const user = await the.person();
  const { page, key, close } = await the.device();
  await the.byPassword(page, user);
  await the.addPasskey(page, 'Laptop');
  await the.signOut(page);
  await the.byPasskey({ page });
  await the.arrives(page, '/passkeys');
  await page.goto(`${base}/passkeys/add`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const told = page.locator('#say .bad');
  await told.waitFor();
  assert.match(await told.innerText(), /has a passkey of yours already/);
  assert.equal((await key.credentials()).length, 1);
  await close();
});

test('without user verification nobody is let in', async () => {
  const alice = await the.withPasskey(the.ROAMING);
  const who = { user: alice.user.name, domain: 'default' };
  const { body } = await the.begin(alice.page, who);
  assert.equal(body.publicKey.userVerification, 'required');
  await alice.key.verifies(false);
  // A page that asks for less than it was told to.
  const credential = await the.sign(alice.page, { ...body.publicKey, userVerification: 'discouraged' });
  const finish = () => the.finish(alice.page, credential, who);
  const answer = await the.refusedBecause('the authenticator did not verify its user', finish);
  assert.equal(answer.status, 401);
  assert.equal(await the.session(alice.context), undefined);
  await alice.close();
});

test('an assertion is good once', async () => {
  const alice = await the.withPasskey();
  const { body } = await the.begin(alice.page);
  const credential = await the.sign(alice.page, body.publicKey);
  assert.equal((await the.finish(alice.page, credential)).status, 200);
  const again = await the.refusedBecause('the challenge was used before', () => the.finish(alice.page, credential));
  assert.equal(again.status, 401);
  // Nor at the node that did not see it.
  const elsewhere = await the.ask('POST', '/v4/auth/passkey/finish', { body: { credential }, at: the.NODES[0] });
  assert.equal(elsewhere.status, 401, elsewhere.text);
  await alice.close();
});

test('an authenticator whose counter goes back is refused and shown as suspect', async () => {
  const alice = await the.withPasskey();
  for (let times = 0; times < 3; times += 1) {
    await the.byPasskey(alice);
    await the.arrives(alice.page, '/passkeys');
    await the.signOut(alice.page);
  }
  await alice.key.rewind();
  await the.refusedBecause('counter', async () => {
    await the.byPasskey(alice);
    await the.refused(alice.page);
  });
  await the.byPassword(alice.page, alice.user);
  await alice.page.getByText('Suspect', { exact: true }).waitFor();
  await alice.close();
});

test('the passkey of another user is refused', async () => {
  const alice = await the.withPasskey();
  const bob = await the.withPasskey();
  const who = { user: bob.user.name, domain: 'default' };
  const { body } = await the.begin(alice.page, who);
  const credential = await the.sign(alice.page, { ...body.publicKey, allowCredentials: [] });
  const answer = await the.refusedBecause("the passkey is another user's", () => the.finish(alice.page, credential, who));
  assert.equal(answer.status, 401);
  // Whoever is refused is told the same.
  const nobody = { user: 'nobody', domain: 'default' };
  const begun = await the.begin(alice.page, nobody);
  assert.ok(begun.body.publicKey.allowCredentials.length > 0);
  const other = await the.sign(alice.page, { ...begun.body.publicKey, allowCredentials: [] });
  assert.deepEqual((await the.finish(alice.page, other, nobody)).body, answer.body);
  await Promise.all([alice.close(), bob.close()]);
});

test('a passkey is renamed, turned off and on, and removed after a question', async () => {
  const alice = await the.withPasskey();
  const { page } = alice;
  await the.byPasskey(alice);
  await the.arrives(page, '/passkeys');
  // What was pressed stays under the pointer: who presses twice presses nothing else.
  const rename = page.getByText('Rename');
  const place = await rename.boundingBox();
  await rename.click();
  assert.deepEqual(await rename.boundingBox(), place);
  await page.getByLabel('New name').fill('Blue key');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Blue key' }).waitFor();

  await page.getByRole('button', { name: 'Turn off Blue key' }).click();
  await page.getByText('Turned off', { exact: true }).waitFor();
  await the.signOut(page);
  await the.byPasskey(alice);
  await the.refused(page);

  await the.byPassword(page, alice.user);
  await page.getByRole('button', { name: 'Turn on Blue key' }).click();
  await page.getByText('turned on again').waitFor();
  await page.getByRole('link', { name: 'Remove Blue key' }).click();
  await page.getByText('It is the only one that you have').waitFor();
  await page.getByRole('link', { name: 'Keep it' }).click();
  await page.getByRole('link', { name: 'Remove Blue key' }).click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByText('You have no passkey yet').waitFor();
  await the.signOut(page);
  await the.byPasskey(alice);
  await the.refused(page);
  await alice.close();
});

test('removing a passkey ends what was signed in with it', async () => {
  const alice = await the.withPasskey();
  await the.byPasskey(alice);
  await the.arrives(alice.page, '/passkeys');
  const { value } = await the.session(alice.context);
  await alice.page.getByRole('link', { name: 'Remove Laptop' }).click();
  await alice.page.getByRole('button', { name: 'Remove it' }).click();
  await the.arrives(alice.page, '/passkeys/sign-in');
  await alice.page.getByText('You had signed in with it, so you are signed out').waitFor();
  assert.equal(await the.session(alice.context), undefined);
  await the.ends(value);
  await alice.close();
});

test('recovery codes are shown once', async () => {
  const user = await the.person();
  const { page, close } = await the.device();
  await the.byPassword(page, user);
  await page.getByText('You have none.').waitFor();
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  const codes = await page.locator('.codes li').allInnerTexts();
  assert.equal(new Set(codes).size, 10);
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await page.getByText('You have 10 left.').waitFor();
  const text = await page.content();
  assert.ok(codes.every((code) => !text.includes(code)));
  await close();
});

test('an invitation adds a passkey without a password, once', async () => {
  const user = await the.person();
  const made = await the.ask('POST', `/v4/users/${user.id}/passkeys/invitation`, { token: await the.adminToken(), body: {} });
  assert.equal(made.status, 201, made.text);
  const { url } = made.body.invitation;
  assert.ok(url.startsWith(`${base}/passkeys/invitation#`), url);
  const { page, key, close } = await the.device();
  const seen = [];
  page.on('request', (request) => seen.push(request.url()));
  await page.goto(url);
  assert.equal(new URL(page.url()).hash, '', 'out of sight');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await the.arrives(page, '/passkeys/sign-in');
  assert.equal((await key.credentials()).length, 1);
  assert.ok(seen.every((one) => !one.includes(url.split('#')[1])), 'no URL has the secret');
  await the.byPasskey({ page });
  await the.arrives(page, '/passkeys');

  await page.context().clearCookies();
  await page.goto('about:blank');
  await page.goto(url);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.locator('#say .bad').waitFor();
  await close();
});

test('a challenge that is too old is refused', async () => {
  // [webauthn] challenge_ttl of this server, and a second.
  const left = waits.since + 21_000 - Date.now();
  if (left > 0) await new Promise((done) => setTimeout(done, left));
  const finish = () => the.finish(waits.alice.page, waits.credential);
  const answer = await the.refusedBecause('the challenge has expired', finish);
  assert.equal(answer.status, 401);
  await waits.alice.close();
});
