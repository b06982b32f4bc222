/** `/api/sign-in-exp`: how the pages of a tenant look, and who may sign up. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tenantSignIn } from '../../src/domain/tenants/sign-in.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;
const fresh = {
  tenantId: 'default',
  id: 'default',
  name: 'Default',
  color: { isDarkModeEnabled: true },
  branding: {},
  termsOfUseUrl: null,
  privacyPolicyUrl: null,
  supportWebsiteUrl: null,
  signInMode: 'SignIn',
  authPolicyIds: null,
};

eachEngine('/api/sign-in-exp', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
  });
  after(() => server.close());

  const path = '/sign-in-exp';
  const patch = (change: object) => native.expect(200, 'PATCH', path, change);

  test('a tenant begins with its name and without sign-up', async () => {
    assert.deepEqual(await native.expect(200, 'GET', path), fresh);
    const seen = await tenantSignIn(server.composed.services, 'default');
    assert.deepEqual(seen, { name: 'Default', darkMode: true, signUp: false });
    await assert.rejects(tenantSignIn(server.composed.services, 'nobody'), { code: 'entity.not_found' });
  });

  test('what is set is shown, kept by what does not say it, and unset by null', async () => {
    const change = {
      name: 'Acme 株式会社',
      color: { primaryColor: '#0069a8', isDarkModeEnabled: false, darkPrimaryColor: '#FFEE00' },
      branding: {
        logoUrl: 'https://acme.example/logo.svg',
        darkLogoUrl: 'https://acme.example/dark.svg',
        favicon: 'https://acme.example/favicon.ico',
      },
      termsOfUseUrl: 'https://acme.example/terms',
      privacyPolicyUrl: 'https://acme.example/privacy',
      supportWebsiteUrl: 'https://acme.example/help',
      signInMode: 'SignInAndRegister',
    };
    const shown = await patch({ ...change, customCss: 'body{}', tenantId: 'other', mfa: {} });
    assert.deepEqual(shown, { ...fresh, ...change });
    assert.deepEqual(await native.expect(200, 'GET', path), shown);
    assert.deepEqual(await tenantSignIn(server.composed.services, 'default'), {
      name: 'Acme 株式会社',
      logoUrl: 'https://acme.example/logo.svg',
      darkLogoUrl: 'https://acme.example/dark.svg',
      faviconUrl: 'https://acme.example/favicon.ico',
      primaryColor: '#0069a8',
      darkPrimaryColor: '#FFEE00',
      darkMode: false,
      signUp: true,
      termsUrl: 'https://acme.example/terms',
      privacyUrl: 'https://acme.example/privacy',
      supportUrl: 'https://acme.example/help',
    });
    const settings = await server.manage('GET', '/tenants/settings');
    assert.deepEqual(
      [settings.friendly_name, settings.picture_url, settings.support_url],
      [change.name, change.branding.logoUrl, change.supportWebsiteUrl],
    );
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'tenant.updated');
    assert.deepEqual(JSON.parse(events.at(-1).details).fields, ['signIn']);
    const less = await patch({
      name: null,
      color: {},
      branding: { favicon: 'https://acme.example/f.ico' },
      termsOfUseUrl: null,
    });
    assert.deepEqual(less, {
      ...shown,
      name: 'Default',
      color: { isDarkModeEnabled: true },
      branding: { favicon: 'https://acme.example/f.ico' },
      termsOfUseUrl: null,
    });
    const [tag] = [(await native.call('GET', path)).headers.get('etag')];
    const stale = await server.request('PATCH', `/api${path}`, {
      token: native.token,
      json: { signInMode: 'SignIn' },
      headers: { 'if-match': `"x${tag}"` },
    });
    assert.equal(stale.status, 412, stale.text);
    await patch({ branding: {}, privacyPolicyUrl: null, supportWebsiteUrl: null, signInMode: 'SignIn' });
    assert.deepEqual(await native.expect(200, 'GET', path), fresh);
  });

  test('Auth0’s settings are the same facts', async () => {
    const words = {
      friendly_name: 'Acme',
      picture_url: 'https://acme.example/l.png',
      support_url: 'https://acme.example',
    };
    const settings = await server.manage('PATCH', '/tenants/settings', words);
    assert.deepEqual({ ...settings, ...words }, settings);
    const { name, branding, supportWebsiteUrl } = await native.expect(200, 'GET', path);
    assert.deepEqual([name, branding, supportWebsiteUrl], ['Acme', { logoUrl: words.picture_url }, words.support_url]);
    const cleared = await server.manage('PATCH', '/tenants/settings', {
      friendly_name: '',
      picture_url: null,
      support_url: null,
    });
    assert.deepEqual([cleared.friendly_name, 'picture_url' in cleared, 'support_url' in cleared], ['', false, false]);
    assert.deepEqual(await native.expect(200, 'GET', path), fresh);
  });

  test('what can not be is refused and named', async () => {
    for (const [change, where] of [
      [{ branding: { logoUrl: 'javascript:alert(1)' } }, 'branding.logoUrl'],
      [{ branding: { darkLogoUrl: 'http://acme.example/x' } }, 'branding.darkLogoUrl'],
      [{ branding: { favicon: 'data:image/png,x' } }, 'branding.favicon'],
      [{ termsOfUseUrl: 'https://user@acme.example' }, 'termsOfUseUrl'],
      [{ privacyPolicyUrl: '/relative' }, 'privacyPolicyUrl'],
      [{ supportWebsiteUrl: 'mailto:help@acme.example' }, 'supportWebsiteUrl'],
      [{ name: '  ' }, 'name'],
    ] as const) {
      const body = await native.refuse(invalidInput, 'PATCH', path, change);
      assert.equal(body.data.path, where);
    }
    for (const change of [
      { color: { primaryColor: 'red' } },
      { color: { primaryColor: '#0069a8;}' } },
      { color: { primaryColor: '#fff' } },
      { signInMode: 'Register' },
      { name: '' },
      { name: 'x'.repeat(301) },
    ]) {
      await native.refuse(invalidInput, 'PATCH', path, change);
    }
  });

  test('each call has its scope, and none is for a token of an organization', async () => {
    const reader = await callerWith(server, ['read:sign_in_experience'], server.nativeAudience);
    await native.expect(200, 'GET', path, undefined, reader.token);
    await native.refuse([403, 'auth.forbidden'], 'PATCH', path, { signInMode: 'SignInAndRegister' }, reader.token);
    const writer = await callerWith(server, ['update:sign_in_experience'], server.nativeAudience);
    await native.refuse([403, 'auth.forbidden'], 'GET', path, undefined, writer.token);
    await native.expect(200, 'PATCH', path, { signInMode: 'SignIn' }, writer.token);
    const organizationId = await makeOrganization(server, 'Customer');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    assert.equal((await native.call('GET', path, undefined, token)).status, 403);
    const before = await server.stateHash();
    assert.equal((await native.call('PATCH', path, { signInMode: 'SignInAndRegister' }, token)).status, 403);
    assert.equal(await server.stateHash(), before);
  });
});
