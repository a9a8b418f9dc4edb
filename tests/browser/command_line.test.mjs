// `keystone-ng login`: let in by a passkey in a browser.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as the from './support.mjs';
import { base } from './support.mjs';

before(() => the.launch());
after(() => the.quit());

// Runs it until it has said where to go on.
async function login(...options) {
  const env = { PATH: process.env.PATH, OS_AUTH_URL: `${base}/v3`, OS_CACERT: the.CERTIFICATE, USER: 'alice' };
  const child = spawn(the.KEYSTONE_NG, ['login', '--passkey', ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  const ended = new Promise((done) => child.on('close', (code) => done({ code, stdout, stderr })));
  const told = await new Promise((done, fail) => {
    child.stderr.on('data', (data) => {
      stderr += data;
      const found = /(http\S+)\s[^]*code {2}(\S+)/.exec(stderr);
      if (found) done({ url: found[1], code: found[2] });
    });
    ended.then(() => fail(new Error(`it ended: ${stderr}`)));
  });
  return { ...told, ended };
}

// All at once: each waits for seconds between two questions of the command.
describe('keystone-ng login', { concurrency: true }, () => {
test('a command line is signed in by a passkey', async () => {
  const alice = await the.withPasskey();
  const project = await the.giveProject(alice.user);
  const waiting = await login('--format', 'json', '--os-project-name', project.name);
  assert.equal(waiting.url, `${base}/passkeys/device?code=${waiting.code}`);
  const { page } = alice;
  await page.goto(waiting.url);
  assert.equal(the.at(page), '/passkeys/sign-in');
  await the.byPasskey(alice, { url: page.url() });
  await the.arrives(page, '/passkeys/device');
  const text = await page.locator('main').innerText();
  assert.ok(text.includes(waiting.code) && text.includes('login by alice on'), text);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByText('The command line is signed in').waitFor();
  const { code, stdout, stderr } = await waiting.ended;
  assert.equal(code, 0, stderr);
  const got = JSON.parse(stdout);
  assert.equal(got.user.id, alice.user.id);
  assert.equal(got.project.id, project.id);
  const token = await the.validate(got.token);
  assert.equal(token.status, 200);
  assert.ok(token.body.token.methods.includes('webauthn'));
  assert.ok(!stderr.includes(got.token));

  // It goes with the passkey that let it in.
  await page.goto(`${base}/passkeys`);
  await page.getByRole('link', { name: 'Remove Laptop' }).click();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await the.arrives(page, '/passkeys/sign-in');
  await the.ends(got.token);
  await alice.close();
});

test('what is printed is taken by a shell and by the client', async () => {
  const alice = await the.withPasskey();
  const project = await the.giveProject(alice.user);
  const waiting = await login('--os-project-id', project.id);
  await the.byPassword(alice.page, alice.user, `/passkeys/device?code=${waiting.code}`);
  await alice.page.getByRole('button', { name: 'Allow' }).click();
  const { code, stdout, stderr } = await waiting.ended;
  assert.equal(code, 0, stderr);
  const client = process.env.TEST_OPENSTACK;
  const command = client ? `'${client}' token issue -f value -c project_id` : 'printf %s "$OS_PROJECT_ID"';
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', OS_CACERT: the.CERTIFICATE, OS_USERNAME: 'other', OS_PASSWORD: 'other' };
  const ran = await promisify(execFile)('sh', ['-euc', `${stdout}\n${command}`], { env });
  assert.equal(ran.stdout.trim(), project.id);
  await alice.close();
});

test('a login that is denied ends with a code of its own', async () => {
  const alice = await the.withPasskey();
  const waiting = await login();
  await the.byPassword(alice.page, alice.user, '/passkeys/device');
  await alice.page.getByLabel('Code').fill(waiting.code.toLowerCase().replace('-', ' '));
  await alice.page.getByRole('button', { name: 'Continue' }).click();
  await alice.page.getByRole('button', { name: 'Deny' }).click();
  await alice.page.getByText('was not signed in').waitFor();
  const { code, stdout, stderr } = await waiting.ended;
  assert.equal(code, 3);
  assert.equal(stdout, '');
  assert.match(stderr, /denied/);
  // It is answered once.
  await alice.page.goto(waiting.url);
  await alice.page.getByText('Nothing waits for this code').waitFor();
  await alice.close();
});

test('a command line is let in by a passkey alone, and who has none is led to one', async () => {
  const user = await the.person();
  const waiting = await login('--format', 'token');
  const { page, close } = await the.device();
  await the.byPassword(page, user, `/passkeys/device?code=${waiting.code}`);
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await the.arrives(page, '/passkeys/device');
  await page.getByRole('button', { name: 'Allow' }).click();
  const { code, stdout } = await waiting.ended;
  assert.equal(code, 0);
  assert.equal((await the.validate(stdout.trim())).body.token.user.id, user.id);
  await close();
});
});
