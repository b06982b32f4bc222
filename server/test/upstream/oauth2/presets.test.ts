/** Presets: once their values are filled in, nothing is missing for a policy. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkConfiguration } from '../../../src/domain/auth-policies/configuration/configuration.ts';
import { oauth2Upstream } from '../../../src/upstream/oauth2/upstream.ts';
import { type Preset, presets } from '../../../src/upstream/presets.ts';
import { redirectUri, services } from './support.ts';

const values = {
  clientId: 'client-1',
  clientSecret: 'a secret of the administrator',
  tenantId: '8eaef023-2b34-4da1-9baa-8bc8c9d6a490',
};

/** As an administrator's page would: placeholders become values, the secret comes beside. */
function filledIn(preset: Preset) {
  let text = JSON.stringify(preset.configuration);
  for (const { name } of preset.values) text = text.replaceAll(`{${name}}`, values[name]);
  return { ...JSON.parse(text), clientSecret: values.clientSecret };
}

/** Leaves out what is null, which is how nothing is said in a request. */
const said = (members: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, name === 'fields' ? said(value) : value]),
  );

describe('presets', () => {
  test('the providers that people ask for, each once', () => {
    assert.deepEqual(
      presets.map(({ id }) => id),
      ['google', 'microsoft-entra', 'github', 'apple', 'line', 'yahoo-japan'],
    );
  });

  for (const preset of presets) {
    test(`${preset.id}: complete once it is filled in`, () => {
      const { clientSecret, ...configuration } = filledIn(preset);
      assert.doesNotMatch(JSON.stringify(configuration), /[{]\w+[}]/, 'a placeholder is left');
      const checked = checkConfiguration({ privateTargets: false }, preset.type, said(filledIn(preset)));
      // What is checked and kept is what the preset says, to the last member.
      assert.deepEqual(checked.typed, { type: preset.type, configuration });
      assert.deepEqual(checked.secrets, { clientSecret });
    });

    test(`${preset.id}: asks for what it uses, and says so in both languages`, () => {
      const text = JSON.stringify(preset.configuration);
      for (const { name, label } of preset.values) {
        assert.ok(name === 'clientSecret' || text.includes(`{${name}}`), name);
        assert.ok(label.en !== '' && label.ja !== '');
      }
      const placeholders = [...text.matchAll(/[{](\w+)[}]/g)].map(([, name]) => name);
      const names: readonly string[] = preset.values.map(({ name }) => name);
      for (const name of [...placeholders, 'clientSecret']) assert.ok(names.includes(name!), name);
      assert.match(preset.notes.ja, /[ぁ-ん]/);
      assert.ok(preset.notes.en.length > 0);
      assert.equal(new URL(preset.consoleUrl).protocol, 'https:');
    });
  }

  test('those of OAuth 2 know where to send people', async () => {
    for (const preset of presets) {
      if (preset.type !== 'oauth2') continue;
      const closed = { ...services(), guard: { privateTargets: false } };
      const request = { redirectUri, state: 's' };
      const { location } = await oauth2Upstream.begin(closed, filledIn(preset), {}, request);
      assert.ok(location.startsWith(`${preset.configuration.authorizationUrl}?`));
    }
  });
});
