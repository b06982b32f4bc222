/** What a configuration may be, field by field: each refusal names its field, and changes nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { configurations, ldap, oauth1, oauth2, openid, policyOf, type Type } from './auth-policies-samples.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';
const invalid = [400, 'guard.invalid_input'] as const;

/** Fields that are wrong, by the field that the answer names. `undefined` leaves one out. */
type Wrong = readonly (readonly [field: string, change: Record<string, unknown>])[];

const wrongUrls = (name: string): Wrong =>
  [
    'two.example',
    'http://two.example/x',
    'ftp://two.example/x',
    'javascript:alert(1)',
    'https://user:pass@two.example/x',
    'https://two.example/x#y',
    'https://two.example/a b',
    'https://two.example/\u0007',
    'https://',
    `https://two.example/${'x'.repeat(2048)}`,
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://10.0.0.1/x',
    'https://169.254.169.254/latest',
    'https://2130706433/x',
    'https://[::ffff:10.0.0.1]/x',
    'http://localhost:8080/x',
    7,
  ].map((url) => [name, { [name]: url }] as const);

const search = (change: Record<string, unknown>) => ({ search: { ...ldap.search, ...change } });

const wrong: Readonly<Record<Exclude<Type, 'password'>, Wrong>> = {
  ldap: [
    ...[
      undefined,
      '',
      'ldap.example.com',
      'https://ldap.example.com',
      'ldaps://ldap.example.com/dc=example',
      'ldaps://ldap.example.com?x',
      'ldaps://user:pass@ldap.example.com',
      'ldaps://ldap.example.com:0',
      'ldaps://ldap.example.com:65536',
      'ldaps://ldap example.com',
      'ldaps://',
      'ldaps://10.1.2.3',
      'ldaps://[fe80::1]',
      'ldaps://[fe80::1%25eth0]',
      'ldap://ldap.example.com',
    ].map((url) => ['url', { url }] as const),
    ['url', { url: 'ldap://ldap.example.com', authMethod: 'DIGEST-MD5' }],
    ['startTls', { startTls: true }],
    ['startTls', { startTls: 'yes' }],
    ['allowsClearText', { allowsClearText: 1 }],
    ['emailIsVerified', { emailIsVerified: 'true' }],
    ['authMethod', { authMethod: 'NTLM' }],
    ['authMethod', { authMethod: 'simple,GSSAPI' }],
    ['dn', { search: null, bindPassword: null }],
    ['dn', { dnPrefix: 'uid' }],
    ['dn', { dn: 'people' }],
    ['dn', { dn: 'x'.repeat(1025) }],
    ['dnPrefix', { search: null, bindPassword: null, dn: 'ou=people,dc=example,dc=com' }],
    ['dnPrefix', { dn: 'ou=people,dc=example,dc=com', dnPrefix: 'uid=x,ou' }],
    ['dnPrefix', { dn: 'ou=people,dc=example,dc=com', dnPrefix: '1uid' }],
    ['search', { search: 'x' }],
    ['search.base', search({ base: undefined })],
    ['search.base', search({ base: 'everywhere' })],
    ['search.base', search({ base: 'dc=a\u0007b' })],
    ...[
      undefined,
      '(uid=ada)',
      'uid={user}',
      '(uid={user}',
      '(uid={user}))',
      '(uid={user})(x=y)',
      '(&(uid={user})',
      '(!(uid={user})(a=b))',
      '({user}=ada)',
      '(uid=\\zz{user})',
      '(uid)({user})',
      '()',
    ].map((filter) => ['search.filter', search({ filter })] as const),
    ['bindPassword', { bindPassword: undefined }],
    ['bindPassword', { bindPassword: '' }],
    ['bindPassword', { bindPassword: '********' }],
    ['bindPassword', { bindPassword: 'x'.repeat(4097) }],
    ['bindPassword', search({ bindDn: null })],
    ['search.bindDn', search({ bindDn: 'cn=reader\u0007' })],
    ['realm', { realm: 'x'.repeat(256) }],
    ['attributes', { attributes: ['mail'] }],
    ['attributes.email', { attributes: { email: 'mail)(x=*' } }],
    ['attributes.id', { attributes: { id: 'entry UUID' } }],
    ['caCertificates', { caCertificates: 'x' }],
    ['caCertificates', { caCertificates: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
    ['caCertificates', { caCertificates: 'x'.repeat(65_537) }],
  ],
  oauth1: [
    ['consumerKey', { consumerKey: undefined }],
    ['consumerKey', { consumerKey: ' ' }],
    ['consumerSecret', { consumerSecret: undefined }],
    ['consumerSecret', { consumerSecret: null }],
    ['consumerSecret', { consumerSecret: '********' }],
    ...(['requestTokenUrl', 'authorizeUrl', 'accessTokenUrl', 'profileUrl'] as const).flatMap(
      (name): Wrong => [
        [name, { [name]: undefined }],
        [name, { [name]: 'http://one.example' }],
      ],
    ),
    ['fields', { fields: 'id' }],
    ['fields.email', { fields: { email: 7 } }],
    ['fields.groups', { fields: { groups: 'x'.repeat(129) } }],
  ],
  oauth2: [
    ['clientId', { clientId: undefined }],
    ['clientId', { clientId: 'x'.repeat(1025) }],
    ['authorizationUrl', { authorizationUrl: undefined }],
    ['tokenUrl', { tokenUrl: null }],
    ['userInfoUrl', { userInfoUrl: '' }],
    ...wrongUrls('tokenUrl'),
    ...wrongUrls('authorizationUrl'),
    ['clientAuthMethod', { clientAuthMethod: 'private_key_jwt' }],
    ['clientSecret', { clientAuthMethod: 'client_secret_post', clientSecret: undefined }],
    ['clientSecret', { clientAuthMethod: 'none' }],
    ['clientSecret', { clientSecret: 7 }],
    ['scopes', { scopes: 'user' }],
    ['scopes.1', { scopes: ['user', 'two words'] }],
    ['scopes.0', { scopes: [''] }],
    ['scopes', { scopes: Array.from({ length: 51 }, (_, index) => `scope:${index}`) }],
  ],
  openid: [
    ['issuer', { issuer: undefined }],
    ['identifier', { issuer: undefined, identifier: 'https://openid.example/' }],
    ['issuer', { issuer: 'https://id.example/?x=y' }],
    ...wrongUrls('issuer'),
    ['clientId', { clientId: '' }],
    ['scopes.0', { scopes: ['e mail'] }],
    ['responseMode', { responseMode: 'fragment' }],
    ['fields.id', { fields: { id: 'email' } }],
  ],
};

eachEngine('the configuration of an auth policy', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
  });
  after(() => server.close());

  const made = async (type: Type, change: Record<string, unknown>) => {
    const configuration = { ...configurations[type], ...change };
    return (await native.expect(201, 'POST', path, policyOf(type, { configuration }))).configuration;
  };

  for (const type of Object.keys(wrong) as (keyof typeof wrong)[]) {
    test(`${type}: what is wrong is named`, { timeout: 120_000 }, async () => {
      const before = await server.stateHash();
      for (const [field, change] of wrong[type]) {
        const configuration = { ...configurations[type], ...change };
        const answer = await native.call('POST', path, policyOf(type, { configuration }));
        const what = `${JSON.stringify(change).slice(0, 200)}: ${answer.text.slice(0, 300)}`;
        assert.deepEqual([answer.status, answer.body.code], invalid, what);
        assert.equal(answer.body.data.path, `configuration.${field}`, what);
        assert.ok(answer.body.message.length > 10, what);
      }
      assert.equal(await server.stateHash(), before);
    });
  }

  test('ldap: what is right is taken, in one spelling', async () => {
    const bySearch = { search: { ...ldap.search, bindDn: null }, bindPassword: undefined };
    const byName = { search: null, bindPassword: null, dn: 'ou=people,dc=example,dc=com', dnPrefix: 'uid' };
    const rightUrls = {
      'LDAPS://Ldap.Example.COM/': 'ldaps://ldap.example.com',
      'ldaps://ldap.example.com:1636': 'ldaps://ldap.example.com:1636',
      'ldaps://[2606:4700::1111]': 'ldaps://[2606:4700::1111]',
      'ldap://localhost:3890': 'ldap://localhost:3890',
    };
    for (const [url, stored] of Object.entries(rightUrls)) assert.equal((await made('ldap', { url })).url, stored);
    assert.equal((await made('ldap', byName)).bindPassword, undefined);
    assert.equal((await made('ldap', bySearch)).search.bindDn, null);
    await made('ldap', { url: 'ldap://ldap.example.com', startTls: true });
    await made('ldap', { url: 'ldap://ldap.example.com', allowsClearText: true });
    for (const authMethod of ['digest-md5', 'Cram-MD5']) {
      const sasl = { ...bySearch, url: 'ldaps://ldap.example.com', authMethod, search: null };
      assert.equal((await made('ldap', sasl)).authMethod, authMethod.toUpperCase());
    }
    assert.equal((await made('ldap', { authMethod: 'SIMPLE' })).authMethod, 'simple');
    const filters = [
      '(&(objectClass=person)(|(uid={user})(x=\\28y\\29))(!(z=1)))',
      '(|(uid={user})(mail={user}))',
      '(cn:caseExactMatch:={user})',
      '(mail={user}@*)',
    ];
    for (const filter of filters) assert.equal((await made('ldap', search({ filter }))).search.filter, filter);
    const attributes = { id: 'entryUUID', email: null, name: '2.5.4.3', groups: 'memberOf;lang-en' };
    assert.deepEqual((await made('ldap', { attributes })).attributes, {
      ...attributes,
      givenName: 'givenName',
      familyName: 'sn',
    });
  });

  test('oauth2 and openid: what is right is taken as it is written', async () => {
    const issuer = 'https://Id.example/Realm/';
    assert.equal((await made('openid', { issuer })).issuer, issuer);
    const byIssuer = { issuer, authorizationUrl: null, tokenUrl: null, userInfoUrl: null };
    assert.equal((await made('oauth2', byIssuer)).authorizationUrl, null);
    assert.equal((await made('oauth2', { clientSecret: undefined })).clientAuthMethod, 'none');
    assert.equal(
      (await made('oauth2', { clientAuthMethod: 'client_secret_post' })).clientAuthMethod,
      'client_secret_post',
    );
    assert.deepEqual((await made('oauth2', { scopes: ['user', 'user'] })).scopes, ['user']);
    assert.deepEqual((await made('openid', { scopes: ['email'] })).scopes, ['openid', 'email']);
    const fields = { email: 'mail.primary', groups: 'teams' };
    const shown = (await made('openid', { responseMode: 'form_post', fields: { ...fields, id: 'sub' } })).fields;
    assert.deepEqual([shown.email, shown.groups, shown.id, shown.name], ['mail.primary', 'teams', null, null]);
    assert.equal((await made('oauth1', { fields: { id: 'user.id' } })).fields.id, 'user.id');
  });

  test('what a type does not have is dropped', async () => {
    const shown = await made('openid', { url: 'nonsense', bindPassword: 'x', made: 'up', __proto__: { a: 1 } });
    assert.deepEqual(
      Object.keys(shown).filter((name) => ['url', 'bindPassword', 'made', 'a'].includes(name)),
      [],
    );
    assert.deepEqual(await made('password', { clientSecret: 'x' }), {});
  });

  test('a change is checked as a whole, as what is made is', async () => {
    for (const type of ['ldap', 'oauth1', 'oauth2', 'openid'] as const) {
      const { id } = await native.expect(201, 'POST', path, policyOf(type));
      for (const [field, change] of wrong[type].slice(0, 12)) {
        // What is left out of a change is kept.
        if (/(Secret|Password)$/.test(field)) continue;
        const configuration = { ...configurations[type], ...change };
        const { data } = await native.refuse(invalid, 'PATCH', `${path}/${id}`, { configuration });
        assert.equal(data.path, `configuration.${field}`);
      }
    }
  });
});

eachEngine('the configuration of an auth policy where private targets are allowed', (engine) => {
  test('loopback and private addresses are taken, http on loopback only', async () => {
    const server = await startServer({ engine, env: { SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' } });
    try {
      const native = await Members.of(server);
      for (const issuer of ['http://localhost:8080', 'http://127.0.0.1:8080/x', 'https://10.0.0.1']) {
        await native.expect(201, 'POST', path, policyOf('openid', { configuration: { ...openid, issuer } }));
      }
      for (const issuer of ['http://10.0.0.1', 'https://169.254.169.254']) {
        const body = policyOf('openid', { configuration: { ...openid, issuer } });
        await native.refuse(invalid, 'POST', path, body);
      }
      const configuration = { ...ldap, url: 'ldap://127.0.0.1:389' };
      await native.expect(201, 'POST', path, policyOf('ldap', { configuration }));
      await native.expect(201, 'POST', path, policyOf('oauth1', { configuration: oauth1 }));
      await native.expect(201, 'POST', path, policyOf('oauth2', { configuration: oauth2 }));
    } finally {
      await server.close();
    }
  });
});
