// The pages fit a phone, in light and in dark; with SCREENSHOTS, pictures of them for the docs.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as the from './support.mjs';
import { base } from './support.mjs';

before(() => the.launch());
after(() => the.quit());

const SIZES = [
  ['light', { width: 820, height: 640 }],
  ['dark', { width: 820, height: 640 }],
  ['phone', { width: 375, height: 700 }],
];
// Fewer than there could be: they are in the repository.
const KEPT = new Set(['sign-in-light', 'passkeys-light', 'passkeys-dark', 'device-light', 'sign-in-phone', 'more-phone']);

for (const [name, viewport] of SIZES) {
  test(`the pages fit: ${name}`, async () => {
    const colorScheme = name === 'dark' ? 'dark' : 'light';
    const options = { viewport, colorScheme, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB' };
    const alice = await the.withPasskey({}, options);
    const { page } = alice;
    const look = async (what) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${what} is ${wide} pixels too wide`);
      const small = await page.locator('button:visible, a.button:visible, input:visible:not([type=hidden])').evaluateAll(
        (all) => all.filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.outerHTML));
      assert.deepEqual(small, [], `${what}: too small for a finger`);
      if (!the.SCREENSHOTS || !KEPT.has(`${what}-${name}`)) return;
      mkdirSync(the.SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(the.SCREENSHOTS, `${what}-${name}.png`), fullPage: true });
    };
    await page.goto(`${base}/passkeys/sign-in`);
    await look('sign-in');
    await the.byPasskey(alice);
    await the.arrives(page, '/passkeys');
    await look('passkeys');
    await page.goto(`${base}/passkeys/add`);
    await look('add');
    await page.goto(`${base}/passkeys`);
    await page.getByRole('link', { name: 'Remove' }).first().click();
    await look('remove');
    await page.goto(`${base}/passkeys/device`);
    await look('code');
    const begun = await the.ask('POST', '/v4/auth/passkey/device', { body: { client: 'keystone-ng login by alice on build-7' } });
    assert.equal(begun.status, 201, begun.text);
    await page.goto(begun.body.verification_uri_complete);
    await look('device');
    await page.goto(`${base}/passkeys`);
    await page.getByRole('button', { name: 'Make new recovery codes' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    await look('codes');
    await page.goto(`${base}/passkeys/invitation#x`);
    await look('invitation');
    await page.goto(`${base}/passkeys/sign-in`);
    await the.typePassword(page, alice.user, 'wrong');
    await page.getByRole('alert').waitFor();
    await look('refused');
    await the.giveRules(alice.user, [['password', 'webauthn'], ['password', 'totp']]);
    await the.typePassword(page, alice.user);
    await the.arrives(page, '/passkeys/sign-in/more');
    await page.getByText('I do not have my passkey here').click();
    await look('more');
    await alice.close();
  });
}
