/** `configurations` both ways: RHMAP's words, ours for what RHMAP left out, secrets, and what was changed elsewhere. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { native } from '../sign-in/support.ts';
import { localTargets, makePolicy, manage, managed } from './support.ts';

const mask = '********';
const secret = 'a secret of the provider, 0123456789';
const noFields = {
  ...{ id: null, email: null, emailVerified: null, username: null, name: null },
  ...{ givenName: null, familyName: null, picture: null, groups: null },
};

const ldap = {
  authmethod: 'simple',
  url: 'ldap://127.0.0.1:389',
  dn: 'ou=people,dc=x',
  dn_prefix: 'cn',
  provider: 'LDAP',
};
const google = { clientId: 'a', clientSecret: secret, provider: 'GOOGLE' };
const urls = {
  requestTokenUrl: 'https://provider.example/request',
  authorizeUrl: 'https://provider.example/authorize',
  accessTokenUrl: 'https://provider.example/access',
  profileUrl: 'https://provider.example/me',
};

eachEngine('RHMAP: configurations', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: localTargets });
  });
  after(() => server.close());

  const make = (policyType: string, configurations: object) => makePolicy(server, { policyType, configurations });
  const configurationsOf = async ({ policyId }: { policyId: string }) =>
    (await managed(server, 'read', { policyId })).configurations;
  const nativeOf = ({ guid }: { guid: string }) => native(server, 'GET', `/auth-policies/${guid}`);
  const refused = async (policyType: string, configurations: object, message: string): Promise<void> => {
    const { status, body } = await manage(server, 'create', { policyId: 'refused', policyType, configurations });
    assert.deepEqual({ status, body }, { status: 200, body: { status: 'error', message } });
  };

  test('LDAP, in the words that RHMAP documents', async () => {
    const policy = await make('LDAP', ldap);
    assert.deepEqual(await configurationsOf(policy), ldap);
    const { type, configuration, checkUserExists, linksByEmail, linksByUsername } = await nativeOf(policy);
    assert.equal(type, 'ldap');
    assert.deepEqual([checkUserExists, linksByEmail, linksByUsername], [false, true, true]);
    const { url, dn, dnPrefix, authMethod, startTls } = configuration;
    assert.deepEqual(
      { url, dn, dnPrefix, authMethod, startTls },
      {
        ...{ url: ldap.url, dn: ldap.dn, dnPrefix: 'cn' },
        ...{ authMethod: 'simple', startTls: false },
      },
    );
  });

  test('LDAP, with a search of its own and words for flags', async () => {
    const given = {
      ...{ authmethod: 'digest-md5', url: 'ldap://127.0.0.1', realm: 'EXAMPLE.COM', starttls: 'true' },
      ...{ searchBase: 'dc=x', searchFilter: '(uid={user})', bindDn: 'cn=reader,dc=x', bindPassword: secret },
      attributes: { id: 'entryUUID' },
    };
    const policy = await make('ldap', { ...given, unknown: secret });
    assert.deepEqual(await configurationsOf(policy), { ...given, bindPassword: mask });
    const { configuration } = await nativeOf(policy);
    assert.deepEqual(configuration.search, { base: 'dc=x', filter: '(uid={user})', bindDn: 'cn=reader,dc=x' });
    assert.deepEqual(
      [configuration.authMethod, configuration.startTls, configuration.attributes.id],
      [...['DIGEST-MD5', true, 'entryUUID']],
    );
  });

  test('OAuth 2 with Google, which needs no address', async () => {
    const policy = await make('OAUTH2', google);
    assert.deepEqual(await configurationsOf(policy), { ...google, clientSecret: mask });
    const { type, configuration, linksByEmail, linksByUsername } = await nativeOf(policy);
    assert.equal(type, 'oauth2');
    assert.equal(configuration.issuer, 'https://accounts.google.com');
    assert.deepEqual(configuration.scopes, ['openid', 'profile', 'email']);
    // Whoever may choose a name at a provider must not be somebody of that name here.
    assert.deepEqual([linksByEmail, linksByUsername], [true, false]);
  });

  test('OAuth 2 and OpenID by issuer or by addresses', async () => {
    const given = {
      ...{ clientId: 'a', clientSecret: secret, scope: 'profile email', userIdField: 'login' },
      ...{
        authorizationUrl: 'https://p.example/a',
        tokenUrl: 'https://p.example/t',
        userInfoUrl: 'https://p.example/u',
      },
    };
    const oauth2 = await make('oauth2', given);
    assert.deepEqual(await configurationsOf(oauth2), { ...given, clientSecret: mask });
    const { configuration, linksByUsername } = await nativeOf(oauth2);
    assert.deepEqual(configuration.scopes, ['profile', 'email']);
    assert.deepEqual(configuration.fields, { ...noFields, id: 'login', username: 'login' });
    assert.equal(linksByUsername, true, 'the administrator says where names are');

    const openid = await make('OpenID', {
      clientId: 'a',
      clientSecret: secret,
      issuer: 'https://p.example',
      userIdField: 'email',
    });
    const { configuration: ofOpenId } = await nativeOf(openid);
    assert.deepEqual([ofOpenId.issuer, ofOpenId.scopes], ['https://p.example', ['openid', 'email', 'profile']]);
    // An address is one as far as the provider vouches for it; it never is a username.
    assert.deepEqual(ofOpenId.fields, { ...noFields, email: 'email' });
  });

  test('OAuth 1 by either name of its key and secret', async () => {
    for (const given of [
      { ...urls, consumerKey: 'a', consumerSecret: secret },
      { ...urls, clientId: 'a', clientSecret: secret },
    ]) {
      const policy = await make('OAUTH1', given);
      const shown = await configurationsOf(policy);
      assert.deepEqual(
        shown,
        Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === secret ? mask : value])),
      );
      assert.equal((await nativeOf(policy)).configuration.consumerKey, 'a');
    }
  });

  test('what a configuration lacks is named in the words of the request', async () => {
    const methods = 'simple, DIGEST-MD5, CRAM-MD5, GSSAPI';
    await refused('LDAP', {}, 'configurations.url is required');
    for (const url of ['http://x.example', 'ldap://x.example/dc=x', 'ldap://x.example:99999']) {
      const message =
        'configurations.url must be an ldap:// or ldaps:// URL: a host, with :port if need be, and nothing more';
      await refused('LDAP', { ...ldap, url }, message);
    }
    await refused('LDAP', { ...ldap, authmethod: 'NTLM' }, `configurations.authmethod must be one of ${methods}`);
    await refused('LDAP', { ...ldap, starttls: 'maybe' }, 'configurations.starttls must be true or false');
    await refused('LDAP', { ...ldap, searchBase: 'dc=x' }, 'configurations.searchFilter is required');
    await refused('OAUTH2', {}, 'configurations.clientId is required');
    await refused('OAUTH2', { clientId: 'a' }, 'configurations.authorizationUrl is required unless issuer is given');
    await refused(
      'OAUTH2',
      { clientId: 'a', provider: 'FACEBOOK' },
      'configurations.authorizationUrl is required unless issuer is given',
    );
    await refused('OAUTH1', { clientId: 'a' }, 'configurations.requestTokenUrl is required');
    await refused(
      'OPENID',
      { identifier: 'https://me.example' },
      'configurations.identifier: OpenID 2.0 is not supported, only OpenID Connect: give an issuer',
    );
    const mbaas = { provider: 'MBAAS', mbaas: 'x', authEndpoint: '/auth', defaultEnvironment: 'dev' };
    await refused(
      'MBAAS',
      mbaas,
      'policyType MBAAS is not supported: there is no MBaaS here that could decide who somebody is',
    );
  });

  test('the sentences are in the words of the request too', async () => {
    const url = 'ldap://127.0.0.1';
    const dn = 'ou=people,dc=x';
    const search = { url, searchBase: 'dc=x', searchFilter: '(uid={user})' };
    const ldaps: [configurations: object, message: string][] = [
      [{ url }, 'dn: simple needs dn and dn_prefix, or searchBase'],
      [{ url, dn }, 'dn_prefix is required with dn, unless searchBase is given'],
      [{ url, dn_prefix: 'uid' }, 'dn: dn_prefix needs it'],
      [{ url, dn, dnPrefix: 'a b' }, 'dnPrefix must be the name of an attribute, like uid'],
      [{ ...search, bindDn: 'cn=x' }, 'bindPassword: bindDn needs it'],
      [
        { ...ldap, url: 'ldap://ldap.example.com' },
        'url: It would be spoken to in the clear: use ldaps:// or starttls (or set allowsClearText)',
      ],
    ];
    for (const [configurations, message] of ldaps) await refused('LDAP', configurations, `configurations.${message}`);

    const provider = { clientId: 'a', issuer: 'https://p.example' };
    for (const [type, userIdField] of [
      ['OAUTH2', 7],
      ['OPENID', 7],
      ['OPENID', ['mail']],
    ] as const) {
      await refused(type, { ...provider, userIdField }, 'configurations.userIdField must be a string');
    }
    await refused('OAUTH2', { ...provider, fields: { id: 7 } }, 'configurations.fields.id must be a string');
    for (const fields of ['login', 7, ['login']]) {
      const given = { ...provider, fields, userIdField: 'login' };
      await refused('OAUTH2', given, 'configurations.fields must be an object');
    }
    await refused(
      'OAUTH1',
      { ...urls, clientId: 'a', clientSecret: 7 },
      'configurations.clientSecret must be a string of 1 to 4096 characters',
    );
  });

  test('the mask sent back keeps the secret, as long as it goes where it went', async () => {
    const given = { clientId: 'a', clientSecret: secret, issuer: 'https://p.example' };
    const policy = await make('OPENID', given);
    const read = await managed(server, 'read', { policyId: policy.policyId });
    assert.deepEqual(await managed(server, 'update', read), { status: 'ok', guid: policy.guid });
    const stored = async () => (await server.rows('auth_policies')).find(({ id }) => id === policy.guid);
    const kept = (await stored()).secrets;
    assert.ok(typeof kept === 'string' && !kept.includes(secret));

    const moved = { ...read, configurations: { ...read.configurations, issuer: 'https://other.example' } };
    const before = await server.stateHash();
    const { status, body } = await manage(server, 'update', moved);
    const message =
      'configurations.clientSecret: Where it goes, or what is trusted there, is to change: give the secret again';
    assert.deepEqual({ status, body }, { status: 200, body: { status: 'error', message } });
    assert.equal(await server.stateHash(), before);
    const again = { ...moved, configurations: { ...moved.configurations, clientSecret: 'another secret' } };
    await managed(server, 'update', again);
    assert.deepEqual(await configurationsOf(policy), { ...given, issuer: 'https://other.example', clientSecret: mask });
    await refused(
      'OPENID',
      { ...given, clientSecret: mask },
      'configurations.clientSecret is the mask, and no secret is stored that it could stand for',
    );
  });

  test('of a secret the mask is shown while there is one, whoever gave or removed it', async () => {
    const policy = await make('OAUTH2', google);
    const { clientSecret: _, ...withoutSecret } = google;
    const body = { ...policy, policyType: 'OAUTH2' };
    await managed(server, 'update', { ...body, configurations: withoutSecret });
    assert.deepEqual(await configurationsOf(policy), { ...google, clientSecret: mask }, 'left out, it stays');

    const { configuration } = await nativeOf(policy);
    const { clientAuthMethod: __, ...rest } = configuration;
    const setSecret = (clientSecret: string | null) =>
      native(server, 'PATCH', `/auth-policies/${policy.guid}`, { configuration: { ...rest, clientSecret } });
    await managed(server, 'update', { ...body, configurations: google });
    await setSecret(null);
    assert.deepEqual(await configurationsOf(policy), withoutSecret);
    await managed(server, 'update', await managed(server, 'read', { policyId: policy.policyId }));
    await setSecret('another');
    assert.deepEqual(await configurationsOf(policy), { ...withoutSecret, clientSecret: mask });
    await managed(server, 'update', { ...body, configurations: { ...google, clientSecret: null } });
    assert.deepEqual(await configurationsOf(policy), { ...google, clientSecret: null });
  });

  test('what was changed elsewhere is shown, and can be sent back', async () => {
    const policy = await make('OAUTH2', google);
    await native(server, 'PATCH', `/auth-policies/${policy.guid}`, {
      configuration: { clientId: 'b', clientSecret: 'another', issuer: 'https://p.example', scopes: ['email'] },
    });
    const shown = await configurationsOf(policy);
    assert.deepEqual(
      [shown.clientId, shown.clientSecret, shown.issuer, shown.scope, shown.provider],
      [...['b', mask, 'https://p.example', 'email', undefined]],
    );
    const configuration = (await nativeOf(policy)).configuration;
    await managed(server, 'update', await managed(server, 'read', { policyId: policy.policyId }));
    assert.deepEqual((await nativeOf(policy)).configuration, configuration);
  });

  test('no secret is in an answer, in the log, or stored as it is', async () => {
    const tables = ['auth_policies', 'log_events'];
    for (const table of tables) {
      const rows = JSON.stringify(await server.rows(table));
      assert.ok(!rows.includes(secret), table);
    }
    assert.ok(!JSON.stringify(await managed(server, 'list')).includes(secret));
  });
});
