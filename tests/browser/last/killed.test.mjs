// A node is killed while people are between two steps. It stays dead, so this comes last.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import * as the from '../support.mjs';

before(() => the.launch());
after(() => the.quit());

// Holds what ends the ceremonies of a page until `gate` is open. Gives when the first is held.
const hold = (page, gate) => new Promise((held) => {
  page.route('**/finish', async (route) => {
    held();
    await gate;
    await route.continue();
  });
});

async function kill(index) {
  process.kill(Number(readFileSync(the.PIDS[index], 'utf8')), 'SIGKILL');
  await the.until('the node is dead', () => fetch(`${the.NODES[index]}/livez`).then(() => false, () => true));
}

test('what began at a node that is dead by now ends at the other', async () => {
  const alice = await the.withPasskey();
  const bob = { ...(await the.device()), user: await the.person() };
  await the.byPassword(bob.page, bob.user, '/passkeys/add');
  const waiting = await the.ask('POST', '/v4/auth/passkey/device', { body: { client: 'a test' } });
  assert.equal(waiting.status, 201, waiting.text);
  let open;
  const gate = new Promise((done) => { open = done; });
  const held = [hold(alice.page, gate), hold(bob.page, gate)];
  await the.byPasskey(alice);
  await bob.page.getByRole('button', { name: 'Add a passkey' }).click();
  await Promise.all(held);

  await kill(0);
  open();

  await the.arrives(alice.page, '/passkeys');
  await the.arrives(bob.page, '/passkeys');
  const steps = ({ answered }) => answered.slice(-2);
  assert.deepEqual(steps(alice), [['/passkeys/sign-in/begin', 'node1'], ['/passkeys/sign-in/finish', 'node2']]);
  assert.deepEqual(steps(bob), [['/passkeys/add/begin', 'node1'], ['/passkeys/add/finish', 'node2']]);

  // The command line that waited is let in, and signing in goes on as before.
  await alice.page.goto(waiting.body.verification_uri_complete);
  await alice.page.getByRole('button', { name: 'Allow' }).click();
  await alice.page.getByText('The command line is signed in').waitFor();
  const { device_code } = waiting.body;
  const granted = await the.ask('POST', '/v4/auth/passkey/device/token', { body: { device_code } });
  assert.equal(granted.status, 201, granted.text);
  await the.signOut(bob.page);
  await the.byPasskey(bob);
  await the.arrives(bob.page, '/passkeys');
  await Promise.all([alice.close(), bob.close()]);
});
