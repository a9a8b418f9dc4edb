// Users whose multi-factor rules ask for more than one proof: the pages ask for one after the other.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as the from './support.mjs';
import { base } from './support.mjs';

before(() => the.launch());
after(() => the.quit());

const MORE = '/passkeys/sign-in/more';
const BOTH = [['password', 'webauthn']];

async function ruled(rules = BOTH, kind = {}) {
  const alice = await the.withPasskey(kind);
  await the.giveRules(alice.user, rules);
  return alice;
}

async function afterPassword({ page, user }, next = '/passkeys') {
  await page.goto(`${base}/passkeys/sign-in?next=${encodeURIComponent(next)}`);
  await the.typePassword(page, user);
  await the.arrives(page, MORE);
}

// The methods of who is signed in now, who was not before the last step.
async function methods({ context }) {
  const { body } = await the.validate((await the.session(context)).value);
  return body.token.methods.sort();
}

async function recoveryCodes({ page, user }) {
  await the.byPasskey({ page, user });
  await the.arrives(page, '/passkeys');
  await page.getByRole('button', { name: 'Make new recovery codes' }).click();
  const codes = await page.locator('.codes li').allInnerTexts();
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await the.signOut(page);
  return codes;
}

async function byRecoveryCode(page, code) {
  await page.getByText('I do not have my passkey here').click();
  await page.getByLabel('Recovery code').fill(code);
  await page.getByRole('button', { name: 'Use the recovery code' }).click();
}

for (const [name, kind] of [['one that is found by itself', {}], ['a security key that keeps nothing', the.ROAMING]]) {
  test(`a passkey completes what a password began: ${name}`, async () => {
    const alice = await ruled(BOTH, kind);
    const { page, context } = alice;
    await afterPassword(alice, '/passkeys/add');
    await page.getByRole('heading', { name: 'One more step' }).waitFor();
    assert.equal(await the.session(context), undefined, 'one proof is no login');
    const cookies = await context.cookies(base);
    assert.deepEqual(cookies.map((it) => [it.httpOnly, it.secure, it.sameSite]), [[true, true, 'Strict']]);
    assert.equal(await page.getByLabel('Password').count(), 0, 'it is not asked for again');

    // It has the focus: no hand leaves the keyboard.
    await page.keyboard.press('Enter');
    await the.arrives(page, '/passkeys/add');
    assert.deepEqual(await methods(alice), ['password', 'webauthn']);
    const left = await context.cookies(base);
    assert.deepEqual(left.map((it) => it.name), ['__Host-keystone-ng']);
    await alice.close();
  });
}

test('a password completes what a passkey began', async () => {
  const alice = await ruled();
  const { page, context } = alice;
  await page.goto(`${base}/passkeys/sign-in`);
  await the.byPasskey(alice);
  await the.arrives(page, MORE);
  assert.equal(await the.session(context), undefined, 'one proof is no login');
  assert.equal(await page.getByRole('button', { name: 'Use your passkey' }).count(), 0);
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  assert.match(await page.getByRole('alert').innerText(), /Check it and try again/);
  assert.equal(await the.session(context), undefined);
  await page.getByLabel('Password').fill(the.PASSWORD_OF_USERS);
  await page.getByRole('button', { name: 'Continue' }).click();
  await the.arrives(page, '/passkeys');
  assert.deepEqual(await methods(alice), ['password', 'webauthn']);
  await alice.close();
});

test('a recovery code stands in for the passkey, once', async () => {
  const alice = await the.withPasskey();
  const codes = await recoveryCodes(alice);
  await the.giveRules(alice.user, BOTH);
  const { page, context } = alice;
  await afterPassword(alice);
  await byRecoveryCode(page, 'nonsense');
  await page.getByRole('alert').waitFor();
  await byRecoveryCode(page, codes[0]);
  await the.arrives(page, '/passkeys');
  assert.deepEqual(await methods(alice), ['password', 'webauthn']);
  await page.getByText('You have 9 left.').waitFor();
  await the.signOut(page);
  await afterPassword(alice);
  await byRecoveryCode(page, codes[0]);
  await page.getByRole('alert').waitFor();
  assert.equal(await the.session(context), undefined);
  await alice.close();

  // Nor does it take JavaScript.
  const plain = await the.device({ javaScriptEnabled: false }, null);
  await afterPassword({ ...alice, ...plain });
  await byRecoveryCode(plain.page, codes[1]);
  await the.arrives(plain.page, '/passkeys');
  await plain.close();
});

test('a recovery code stands in for the passkey without which none is added', async () => {
  const alice = await the.withPasskey();
  const codes = await recoveryCodes(alice);
  const { page } = alice;
  await the.byPassword(page, alice.user, '/passkeys/add');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('Sign in again with your passkey').waitFor();
  await page.getByRole('link', { name: 'Sign in again' }).click();
  await the.arrives(page, '/passkeys/sign-in');

  // By the keyboard alone.
  await page.getByText('I do not have my passkey here').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type(codes[0]);
  await page.keyboard.press('Enter');
  await the.arrives(page, '/passkeys/add');
  assert.deepEqual(await methods(alice), ['password', 'token', 'webauthn']);
  const begun = page.waitForResponse((answer) => answer.url().endsWith('/passkeys/add/begin'));
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  assert.equal((await begun).status(), 200);
  await alice.close();
});

test('the passkey of another user completes nothing', async () => {
  const [alice, bob] = [await ruled(), await the.withPasskey()];
  // What alice began, at the device of bob.
  await afterPassword({ ...bob, user: alice.user });
  await bob.page.getByRole('button', { name: 'Use your passkey' }).click();
  const told = bob.page.locator('#say .bad');
  await told.waitFor();
  assert.match(await told.innerText(), /use a recovery code/);
  const { body } = await the.post(bob.page, `${MORE}/begin`, {});
  const credential = await the.sign(bob.page, { ...body.publicKey, allowCredentials: [] });
  const finish = () => the.post(bob.page, `${MORE}/finish`, { credential });
  assert.equal((await the.refusedBecause("the passkey is another user's", finish)).status, 401);
  assert.equal(await the.session(bob.context), undefined);
  await Promise.all([alice.close(), bob.close()]);
});

test('who takes too long is told so, and begins again', async () => {
  const alice = await ruled();
  const { page, context } = alice;
  await afterPassword(alice);
  await context.clearCookies();
  await page.getByRole('button', { name: 'Use your passkey' }).click();
  await page.getByText('That took too long').waitFor();
  await page.getByRole('link', { name: 'Sign in again' }).click();
  await the.arrives(page, '/passkeys/sign-in');
  await page.goto(base + MORE);
  assert.equal(the.at(page), '/passkeys/sign-in');
  await page.getByText('That took too long').waitFor();
  await alice.close();
});

test('where several proofs would do, each is offered', async () => {
  const alice = await ruled([['password', 'totp'], ['password', 'webauthn']]);
  const { page } = alice;
  const secret = '12345678901234567890';
  const credential = { type: 'totp', blob: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', user_id: alice.user.id };
  const made = await the.ask('POST', '/v3/credentials', { token: await the.adminToken(), body: { credential } });
  assert.equal(made.status, 201, made.text);
  await afterPassword(alice);
  await page.getByRole('button', { name: 'Use your passkey' }).waitFor();
  await page.getByLabel('One-time code').fill(passcode(secret));
  await page.getByRole('button', { name: 'Use the code' }).click();
  await the.arrives(page, '/passkeys');
  assert.deepEqual(await methods(alice), ['password', 'totp']);
  await alice.close();
});

// RFC 6238, with what authenticator apps take.
function passcode(secret) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
