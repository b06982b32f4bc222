import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { RefusalReason } from '../../src/protocol/refusal.ts';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  askToken,
  endpoints,
  type IssuerName,
  issuerNames,
  type Machine,
  type Organization,
  Rows,
  refusedAt,
  tokenFor,
} from './organization-support.ts';
import { visible, withoutLimits } from './refusals.ts';

/** The organizations of a case: `top` above `child` above `leaf`, `sibling` beside `child`, another root. */
type Place = 'top' | 'child' | 'leaf' | 'sibling' | 'other root';

/** One line of the table of decision 1, for a client. The grant gives a and b, a tenant role b and c, a membership d. */
interface Case {
  readonly name: string;
  /** `none`: there is no grant. */
  readonly grant: 'none' | 'deny' | 'allow' | 'require';
  readonly anyOrganization?: true;
  readonly listedAt?: Place;
  readonly tenantRole?: true;
  readonly memberOf?: Place;
  readonly thisOrganizationOnly?: true;
  readonly suspended?: Place;
  readonly asks?: Place;
  readonly expected: readonly string[] | RefusalReason;
}

const withoutOrganization: readonly Case[] = [
  { name: 'nothing', grant: 'none', expected: 'grant_missing' },
  { name: 'a grant with usage deny', grant: 'deny', expected: ['a', 'b'] },
  { name: 'a grant with usage allow', grant: 'allow', expected: ['a', 'b'] },
  { name: 'a grant with usage require', grant: 'require', expected: 'organization_required_by_grant' },
  { name: 'a tenant role only', grant: 'none', tenantRole: true, expected: ['b', 'c'] },
  { name: 'a grant and a tenant role', grant: 'deny', tenantRole: true, expected: ['a', 'b', 'c'] },
  { name: 'a grant that requires one and a tenant role', grant: 'require', tenantRole: true, expected: ['b', 'c'] },
  { name: 'a membership only', grant: 'none', memberOf: 'child', expected: 'grant_missing' },
  { name: 'a grant and a membership', grant: 'allow', memberOf: 'child', expected: ['a', 'b'] },
];

const ofChild = { asks: 'child' } as const;
const withOrganization: readonly Case[] = [
  { name: 'nothing', grant: 'none', ...ofChild, expected: 'organization_not_member' },
  { name: 'deny', grant: 'deny', ...ofChild, expected: 'organization_denied_by_grant' },
  { name: 'deny, listed', grant: 'deny', listedAt: 'child', ...ofChild, expected: 'organization_denied_by_grant' },
  { name: 'deny, a member', grant: 'deny', memberOf: 'child', ...ofChild, expected: ['d'] },
  { name: 'allow, not listed', grant: 'allow', ...ofChild, expected: 'organization_not_member' },
  { name: 'allow, any organization', grant: 'allow', anyOrganization: true, ...ofChild, expected: ['a', 'b'] },
  { name: 'allow, listed', grant: 'allow', listedAt: 'child', ...ofChild, expected: ['a', 'b'] },
  {
    name: 'allow, listed at the parent',
    grant: 'allow',
    listedAt: 'top',
    ...ofChild,
    expected: 'organization_not_member',
  },
  {
    name: 'allow, listed at a child of it',
    grant: 'allow',
    listedAt: 'leaf',
    ...ofChild,
    expected: 'organization_not_member',
  },
  { name: 'allow, not listed, a member', grant: 'allow', memberOf: 'child', ...ofChild, expected: ['d'] },
  {
    name: 'allow, any organization, a member',
    grant: 'allow',
    anyOrganization: true,
    memberOf: 'child',
    ...ofChild,
    expected: ['a', 'b', 'd'],
  },
  { name: 'require, not listed', grant: 'require', ...ofChild, expected: 'organization_not_member' },
  { name: 'require, any organization', grant: 'require', anyOrganization: true, ...ofChild, expected: ['a', 'b'] },
  { name: 'require, listed', grant: 'require', listedAt: 'child', ...ofChild, expected: ['a', 'b'] },
  { name: 'a tenant role only', grant: 'none', tenantRole: true, ...ofChild, expected: 'organization_not_member' },
  {
    name: 'a tenant role gives nothing to a member',
    grant: 'none',
    tenantRole: true,
    memberOf: 'child',
    ...ofChild,
    expected: ['d'],
  },
  {
    name: 'a tenant role adds nothing to a grant',
    grant: 'allow',
    anyOrganization: true,
    tenantRole: true,
    ...ofChild,
    expected: ['a', 'b'],
  },
  { name: 'a member of it', grant: 'none', memberOf: 'child', ...ofChild, expected: ['d'] },
  { name: 'a member of the one above', grant: 'none', memberOf: 'top', ...ofChild, expected: ['d'] },
  { name: 'a member two above', grant: 'none', memberOf: 'top', asks: 'leaf', expected: ['d'] },
  { name: 'a member of one below', grant: 'none', memberOf: 'leaf', ...ofChild, expected: 'organization_not_member' },
  {
    name: 'a member of one beside',
    grant: 'none',
    memberOf: 'sibling',
    ...ofChild,
    expected: 'organization_not_member',
  },
  {
    name: 'a member of another root',
    grant: 'none',
    memberOf: 'other root',
    ...ofChild,
    expected: 'organization_not_member',
  },
  {
    name: 'a member of the one above only',
    grant: 'none',
    memberOf: 'top',
    thisOrganizationOnly: true,
    ...ofChild,
    expected: 'organization_not_member',
  },
  {
    name: 'a member of this organization only, there',
    grant: 'none',
    memberOf: 'top',
    thisOrganizationOnly: true,
    asks: 'top',
    expected: ['d'],
  },
  {
    name: 'suspended, a member',
    grant: 'none',
    memberOf: 'child',
    suspended: 'child',
    ...ofChild,
    expected: 'organization_suspended',
  },
  {
    name: 'suspended above, a member',
    grant: 'none',
    memberOf: 'leaf',
    suspended: 'top',
    asks: 'leaf',
    expected: 'organization_suspended',
  },
  {
    name: 'suspended above, any organization',
    grant: 'require',
    anyOrganization: true,
    suspended: 'top',
    ...ofChild,
    expected: 'organization_suspended',
  },
  {
    name: 'suspended, a stranger learns nothing',
    grant: 'allow',
    suspended: 'child',
    ...ofChild,
    expected: 'organization_not_member',
  },
  { name: 'suspended below', grant: 'none', memberOf: 'top', suspended: 'leaf', ...ofChild, expected: ['d'] },
  { name: 'suspended beside', grant: 'none', memberOf: 'top', suspended: 'sibling', ...ofChild, expected: ['d'] },
];

/** What `/oidc` says of a reason; the root says 403 to all of them. */
const statusAtOidc = (reason: RefusalReason): number =>
  reason === 'grant_missing' || reason === 'organization_required_by_grant' ? 400 : 403;

eachEngine('tokens for an organization', (engine) => {
  let server: TestServer;
  let rows: Rows;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    rows = new Rows(server);
  });
  after(() => server.close());

  const apiScopes = ['a', 'b', 'c', 'd'];
  const newMachine = (options: Parameters<TestServer['machine']>[0] = {}) =>
    server.machine({ scopes: apiScopes, granted: ['a', 'b'], ...options });

  /** A client that is a member of a new organization, with a role of scope d and the organization scope `manage`. */
  async function member(options: Parameters<TestServer['machine']>[0] = {}) {
    const machine = await newMachine(options);
    const { d } = await rows.scopeIds(machine);
    const role = await rows.role('organization', { scopes: [d as string], organizationScopes: ['manage', 'audit'] });
    const top = await rows.organization();
    const organization = await rows.organization(top);
    const membership = await rows.member(organization, machine.clientId, [role]);
    return { machine, top, organization, membership, role };
  }

  /** The issuers ask alike when `/oidc` is told which scopes; there are no others. */
  const question = (issuer: IssuerName, audience: string, organization?: string) => ({
    audience,
    organization,
    scope: issuer === 'oidc' ? apiScopes.join(' ') : undefined,
  });

  const publishedKeys = async () => createLocalJWKSet((await server.request('GET', '/oidc/jwks')).body);

  async function setUp(line: Case): Promise<{ machine: Machine; places: Record<Place, Organization> }> {
    const machine = await newMachine();
    if (line.grant === 'none') await server.manage('DELETE', `/client-grants/${machine.grantId}`);
    else {
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, {
        organization_usage: line.grant,
        allow_any_organization: line.anyOrganization === true,
      });
    }
    const top = await rows.organization();
    const child = await rows.organization(top);
    const places: Record<Place, Organization> = {
      top,
      child,
      leaf: await rows.organization(child),
      sibling: await rows.organization(top),
      'other root': await rows.organization(),
    };
    const { b, c, d } = (await rows.scopeIds(machine)) as { b: string; c: string; d: string };
    if (line.listedAt !== undefined) await rows.listGrant(places[line.listedAt], machine.grantId);
    if (line.tenantRole) await rows.assign(machine.clientId, await rows.role('tenant', { scopes: [b, c] }));
    if (line.memberOf !== undefined) {
      const role = await rows.role('organization', { scopes: [d], organizationScopes: ['manage'] });
      await rows.member(places[line.memberOf], machine.clientId, [role], line.thisOrganizationOnly);
    }
    if (line.suspended !== undefined) await rows.setStatus(places[line.suspended], 'suspended');
    return { machine, places };
  }

  async function decide(line: Case): Promise<void> {
    const { machine, places } = await setUp(line);
    const organization = line.asks === undefined ? undefined : places[line.asks].id;
    for (const issuer of issuerNames) {
      const send = () => askToken(server, issuer, machine, question(issuer, machine.audience, organization));
      if (typeof line.expected === 'string') {
        await refusedAt(server, issuer, send, {
          reason: line.expected,
          status: issuer === 'root' ? 403 : statusAtOidc(line.expected),
          error: 'access_denied',
          organization,
        });
        continue;
      }
      const events = (await server.logEvents()).length;
      const answer = await send();
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.scope, line.expected.join(' '));
      const claims = decodeJwt(answer.body.access_token);
      assert.equal(claims.scope, line.expected.join(' '));
      assert.equal(claims[endpoints[issuer].claim], organization);
      const [event, ...others] = (await server.logEvents()).slice(events);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [event.kind, event.client_id, event.audience, event.scope, event.token_id, JSON.parse(event.details)],
        [
          'token.issued',
          machine.clientId,
          machine.audience,
          line.expected.join(' '),
          claims.jti,
          organization === undefined ? null : { organization },
        ],
      );
    }
  }

  describe('what a client may have without an organization', () => {
    for (const line of withoutOrganization) test(line.name, () => decide(line));

    test('a tenant role of another API is none here', async () => {
      const [machine, other] = await Promise.all([newMachine(), newMachine()]);
      await server.manage('DELETE', `/client-grants/${machine.grantId}`);
      const { a } = await rows.scopeIds(other);
      await rows.assign(machine.clientId, await rows.role('tenant', { scopes: [a as string] }));
      for (const issuer of issuerNames) {
        await refusedAt(server, issuer, () => askToken(server, issuer, machine, { audience: machine.audience }), {
          reason: 'grant_missing',
          status: issuer === 'root' ? 403 : 400,
          error: 'access_denied',
        });
      }
      assert.equal(decodeJwt(await tokenFor(server, 'root', machine, { audience: other.audience })).scope, 'a');
    });
  });

  describe('what a client may have in an organization', () => {
    for (const line of withOrganization) test(line.name, () => decide(line));

    test('a member without roles gets a token without scopes', async () => {
      const machine = await newMachine();
      const organization = await rows.organization();
      await rows.member(organization, machine.clientId);
      for (const issuer of issuerNames) {
        const { status, body } = await askToken(server, issuer, machine, {
          audience: machine.audience,
          organization: organization.id,
        });
        assert.equal(status, 200);
        assert.equal(body.scope, issuer === 'root' ? undefined : '');
      }
    });

    test('roles held in the organization and above it add up', async () => {
      const { machine, top, organization } = await member();
      const { c } = await rows.scopeIds(machine);
      await rows.member(top, machine.clientId, [await rows.role('organization', { scopes: [c as string] })]);
      for (const issuer of issuerNames) {
        const ask = question(issuer, machine.audience, organization.id);
        const { scope } = decodeJwt(await tokenFor(server, issuer, machine, ask));
        assert.deepEqual((scope as string).split(' ').sort(), ['c', 'd']);
      }
    });

    test('an API that lets no client in lets no member in', async () => {
      const { machine, organization } = await member();
      await server.manage('PATCH', `/resource-servers/${machine.apiId}`, {
        subject_type_authorization: { client: { policy: 'deny_all' } },
      });
      for (const issuer of issuerNames) {
        const ask = { audience: machine.audience, organization: organization.id };
        await refusedAt(server, issuer, () => askToken(server, issuer, machine, ask), {
          reason: 'audience_closed',
          status: issuer === 'root' ? 403 : 400,
          error: 'access_denied',
          organization: organization.id,
        });
      }
    });
  });

  describe('an organization that is not the client’s', () => {
    test('answers byte for byte as one that does not exist', async () => {
      await server.request('POST', '/api/tenants', {
        token: await server.managementToken(server.nativeAudience),
        json: { id: 'neighbour' },
      });
      const [machine, strange, suspended] = await Promise.all([newMachine(), rows.organization(), rows.organization()]);
      await rows.setStatus(suspended, 'suspended');
      const foreign = await new Rows(server, 'neighbour').organization();
      assert.equal((await server.rows('organizations')).find(({ id }) => id === foreign.id).tenant_id, 'neighbour');
      const { top } = await member();
      for (const usage of ['allow', 'deny'] as const) {
        await server.manage('PATCH', `/client-grants/${machine.grantId}`, { organization_usage: usage });
        for (const issuer of issuerNames) {
          const ask = (organization: string) =>
            askToken(server, issuer, machine, { audience: machine.audience, organization });
          const unknown = visible(await ask('org_0000000000000000'));
          assert.equal(unknown.status, 403);
          for (const { id } of [strange, suspended, foreign, top]) assert.deepEqual(visible(await ask(id)), unknown);
          for (const id of ['x', '%', 'ORG', "org_' or 1=1", 'o'.repeat(5000), strange.id.toUpperCase()]) {
            assert.deepEqual(visible(await ask(id)), unknown);
          }
        }
      }
    });

    test('is told apart in the log', async () => {
      const machine = await newMachine();
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, {
        organization_usage: 'allow',
        allow_any_organization: true,
      });
      for (const issuer of issuerNames) {
        const organization = 'org_0000000000000000';
        const ask = () => askToken(server, issuer, machine, { audience: machine.audience, organization });
        const expected = { status: 403, error: 'access_denied', organization };
        await refusedAt(server, issuer, ask, { ...expected, reason: 'organization_unknown' });
      }
      const long = 'o'.repeat(5000);
      await askToken(server, 'oidc', machine, { organization: long });
      const event = (await server.logEvents()).at(-1);
      assert.deepEqual(JSON.parse(event.details), { organization: long.slice(0, 256) });
    });

    test('is nobody’s before the client proves who it is', async () => {
      const { machine, organization } = await member();
      for (const issuer of issuerNames) {
        const ask = (id: string) =>
          askToken(server, issuer, { ...machine, clientSecret: 'x'.repeat(64) }, { organization: id });
        const answer = await ask(organization.id);
        assert.equal(answer.status, 401);
        assert.deepEqual(visible(await ask('org_0000000000000000')), visible(answer));
      }
    });
  });

  describe('parameters', () => {
    test('each issuer takes both names; two that differ are refused, two that agree are one', async () => {
      const { machine, organization, top } = await member();
      for (const issuer of issuerNames) {
        const at = endpoints[issuer];
        const send = (more: Record<string, string>) =>
          server.request('POST', at.token, {
            form: {
              grant_type: 'client_credentials',
              client_id: machine.clientId,
              client_secret: machine.clientSecret,
              [at.audience]: machine.audience,
              ...more,
            },
          });
        for (const more of [
          { organization: organization.id },
          { organization_id: organization.id },
          { organization: organization.id, organization_id: organization.id },
        ]) {
          const answer = await send(more);
          assert.equal(answer.status, 200, answer.text);
          assert.equal(decodeJwt(answer.body.access_token)[at.claim], organization.id);
        }
        await refusedAt(server, issuer, () => send({ organization: organization.id, organization_id: top.id }), {
          reason: 'parameter_invalid',
          status: 400,
          error: 'invalid_request',
        });
      }
    });

    test('absent scopes: all at the root, none at /oidc', async () => {
      const { machine, organization } = await member();
      for (const audience of [machine.audience, undefined]) {
        const ask = { audience, organization: organization.id };
        const all = audience === undefined ? 'audit manage' : 'd';
        const root = await askToken(server, 'root', machine, ask);
        assert.deepEqual([root.body.scope, decodeJwt(root.body.access_token).scope], [all, all]);
        const oidc = await askToken(server, 'oidc', machine, ask);
        assert.deepEqual([oidc.body.scope, decodeJwt(oidc.body.access_token).scope], ['', undefined]);
      }
    });

    test('surplus scopes: refused at the root, dropped at /oidc', async () => {
      const { machine, organization } = await member();
      for (const [audience, scope, given] of [
        [machine.audience, 'd a nonsense', 'd'],
        [undefined, 'nonsense manage d', 'manage'],
      ] as const) {
        const ask = { audience, organization: organization.id, scope };
        await refusedAt(server, 'root', () => askToken(server, 'root', machine, ask), {
          reason: 'scope_not_granted',
          status: 403,
          error: 'access_denied',
          organization: organization.id,
        });
        assert.equal((await askToken(server, 'oidc', machine, ask)).body.scope, given);
      }
    });
  });

  describe('claims', () => {
    const permissions = { permissions: ['d'] };
    const classic = (id: string) => ({ azp: id, gty: 'client-credentials' });
    const golden: Record<string, { typ: string; root: (id: string) => object; oidc: object }> = {
      access_token: { typ: 'JWT', root: classic, oidc: {} },
      access_token_authz: { typ: 'JWT', root: (id) => ({ ...classic(id), ...permissions }), oidc: permissions },
      rfc9068_profile: { typ: 'at+jwt', root: (id) => ({ client_id: id }), oidc: {} },
      rfc9068_profile_authz: {
        typ: 'at+jwt',
        root: (id) => ({ client_id: id, ...permissions }),
        oidc: permissions,
      },
    };
    for (const [dialect, { typ, root, oidc }] of Object.entries(golden)) {
      test(dialect, async () => {
        const { machine, organization } = await member({ api: { token_dialect: dialect, token_lifetime: 1234 } });
        for (const issuer of issuerNames) {
          const at = endpoints[issuer];
          const ask = question(issuer, machine.audience, organization.id);
          const { body } = await askToken(server, issuer, machine, ask);
          assert.equal(body.expires_in, 1234);
          const { payload, protectedHeader } = await jwtVerify(body.access_token, await publishedKeys(), {
            issuer: at.issuer(server),
            audience: machine.audience,
          });
          const { iat, jti } = payload;
          assert.deepEqual(payload, {
            iss: at.issuer(server),
            sub: at.subject(machine.clientId),
            aud: machine.audience,
            iat,
            exp: (iat as number) + 1234,
            jti,
            scope: 'd',
            [at.claim]: organization.id,
            ...(issuer === 'root' ? root(machine.clientId) : { client_id: machine.clientId, ...oidc }),
          });
          assert.equal(protectedHeader.typ, issuer === 'root' ? typ : 'at+jwt');
        }
      });
    }

    test('of an organization alone: it is the audience, for an hour, at both issuers', async () => {
      const { machine, organization } = await member();
      for (const issuer of issuerNames) {
        const at = endpoints[issuer];
        const { body } = await askToken(server, issuer, machine, { organization: organization.id, scope: 'manage' });
        assert.deepEqual([body.expires_in, body.scope, body.token_type], [3600, 'manage', 'Bearer']);
        const { payload, protectedHeader } = await jwtVerify(body.access_token, await publishedKeys());
        const { iat, jti } = payload;
        assert.deepEqual(payload, {
          iss: at.issuer(server),
          sub: at.subject(machine.clientId),
          aud: `urn:logto:organization:${organization.id}`,
          iat,
          exp: (iat as number) + 3600,
          jti,
          scope: 'manage',
          client_id: machine.clientId,
        });
        assert.equal(protectedHeader.typ, 'at+jwt');
        const event = (await server.logEvents()).at(-1);
        assert.deepEqual([event.audience, JSON.parse(event.details)], [payload.aud, { organization: organization.id }]);
      }
    });

    test('HS256, at both issuers', async () => {
      const signing_secret = 'wN3xqSb8Zr0TtV5cYh2LkM7pQdFgJ1aU';
      const { machine, organization } = await member({ api: { signing_alg: 'HS256', signing_secret } });
      for (const issuer of issuerNames) {
        const at = endpoints[issuer];
        const ask = question(issuer, machine.audience, organization.id);
        const token = await tokenFor(server, issuer, machine, ask);
        assert.equal(decodeProtectedHeader(token).alg, 'HS256');
        const { payload } = await jwtVerify(token, createSecretKey(Buffer.from(signing_secret)), {
          issuer: at.issuer(server),
        });
        assert.equal(payload[at.claim], organization.id);
        const asked = await server.request('POST', at.introspection, {
          form: { client_id: machine.clientId, client_secret: machine.clientSecret, token },
        });
        assert.deepEqual([asked.body.active, asked.body.scope], [true, 'd']);
      }
    });
  });

  describe('an organization alone', () => {
    test('only membership counts: a grant for an API reaches APIs', async () => {
      const machine = await newMachine();
      const organization = await rows.organization();
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, {
        organization_usage: 'allow',
        allow_any_organization: true,
      });
      for (const issuer of issuerNames) {
        await refusedAt(server, issuer, () => askToken(server, issuer, machine, { organization: organization.id }), {
          reason: 'organization_not_member',
          status: 403,
          error: 'access_denied',
          organization: organization.id,
        });
      }
    });

    test('inherited: the scopes of a role held above', async () => {
      const { machine, organization } = await member();
      const leaf = await rows.organization(organization);
      const { scope } = decodeJwt(await tokenFor(server, 'root', machine, { organization: leaf.id }));
      assert.equal(scope, 'audit manage');
    });

    test('with a default audience: at the root for that API, at /oidc for the organization', async () => {
      const { machine, organization } = await member();
      await server.manage('PATCH', '/tenants/settings', { default_audience: machine.audience });
      try {
        const root = decodeJwt(await tokenFor(server, 'root', machine, { organization: organization.id }));
        assert.deepEqual([root.aud, root.org_id, root.scope], [machine.audience, organization.id, 'd']);
        const oidc = decodeJwt(
          await tokenFor(server, 'oidc', machine, { organization: organization.id, scope: 'manage' }),
        );
        assert.deepEqual([oidc.aud, oidc.scope], [`urn:logto:organization:${organization.id}`, 'manage']);
        assert.equal(decodeJwt(await tokenFor(server, 'oidc', machine, {})).aud, machine.audience);
      } finally {
        await server.manage('PATCH', '/tenants/settings', { default_audience: '' });
      }
    });

    test('its audience can not be asked for as an API', async () => {
      const { machine, organization } = await member();
      const audience = `urn:logto:organization:${organization.id}`;
      for (const [issuer, status, error] of [
        ['root', 403, 'access_denied'],
        ['oidc', 400, 'invalid_target'],
      ] as const) {
        for (const ask of [{ audience }, { audience, organization: organization.id }]) {
          await refusedAt(server, issuer, () => askToken(server, issuer, machine, ask), {
            reason: 'audience_unknown',
            status,
            error,
            organization: ask.organization,
          });
        }
      }
    });

    test('an API that is called “organization” is an API', async () => {
      const { machine, organization } = await member({ identifier: 'organization' });
      await server.manage('PATCH', `/client-grants/${machine.grantId}`, {
        organization_usage: 'allow',
        allow_any_organization: true,
      });
      const ask = { organization: organization.id };
      // An audience is any text, a resource an absolute URI (RFC 8707).
      const ofApi = decodeJwt(await tokenFor(server, 'root', machine, { ...ask, audience: 'organization' }));
      assert.deepEqual([ofApi.aud, ofApi.scope], ['organization', 'a b d']);
      const alone = decodeJwt(await tokenFor(server, 'root', machine, ask));
      assert.equal(alone.scope, 'audit manage');
      const stranger = await rows.organization();
      const refusal = await askToken(server, 'root', machine, { organization: stranger.id });
      assert.equal(refusal.status, 403, 'its grant reaches no organization');
    });
  });

  describe('management audiences', () => {
    test('/api/v2/ takes no organization, by any of its names', async () => {
      const { machine, organization } = await member();
      const audiences = [server.managementAudience, server.managementAudience.replace('http:', 'https:')];
      for (const audience of audiences) {
        for (const issuer of issuerNames) {
          for (const client of [machine, { clientId: admin.clientId, clientSecret: admin.clientSecret }]) {
            const ask = { audience, organization: organization.id };
            await refusedAt(server, issuer, () => askToken(server, issuer, client, ask), {
              reason: 'organization_not_accepted',
              status: 403,
              error: 'access_denied',
              organization: organization.id,
            });
          }
        }
      }
    });

    test('/api takes one, of either issuer, and acts inside the organization alone', async () => {
      const { machine, top, organization } = await member();
      const scope = 'explain:access';
      const { id } = (await server.rows('scopes')).find(({ value }) => value === scope);
      await rows.member(top, machine.clientId, [await rows.role('organization', { scopes: [id] })]);
      await rows.own(organization, machine.clientId);
      for (const issuer of issuerNames) {
        const ask = { audience: server.nativeAudience, organization: organization.id, scope };
        const token = await tokenFor(server, issuer, machine, ask);
        const explain = (organizationId: string) =>
          server.request('POST', '/api/explain', {
            token,
            json: { applicationId: machine.clientId, organizationId },
          });
        const inside = await explain(organization.id);
        assert.deepEqual([inside.status, inside.body.scopes], [200, ['audit', 'manage']], inside.text);
        const above = await explain(top.id);
        assert.equal(above.status, 404, 'what lies above is not there');
        assert.equal(above.text.replaceAll(top.id, ''), (await explain('org_0000000000000000')).text);
      }
    });

    test('an alias of /api is as good as its name, with an organization too', async () => {
      const { machine, top, organization } = await member();
      const api = (await server.rows('resource_servers')).find(({ system_kind }) => system_kind === 'api');
      const alias = `https://api.${organization.id.slice(4)}.example`;
      await rows.alias(alias, api.id);
      const { id } = (await server.rows('scopes')).find(({ value }) => value === 'explain:access');
      await rows.member(top, machine.clientId, [await rows.role('organization', { scopes: [id] })]);
      await rows.own(organization, machine.clientId);
      for (const issuer of issuerNames) {
        const ask = { audience: alias, organization: organization.id, scope: 'explain:access' };
        const token = await tokenFor(server, issuer, machine, ask);
        assert.equal(decodeJwt(token).aud, alias);
        const json = { applicationId: machine.clientId, organizationId: organization.id };
        assert.equal((await server.request('POST', '/api/explain', { token, json })).status, 200);
      }
    });

    test('a token of an organization alone is for no management API', async () => {
      const { machine, organization } = await member();
      for (const issuer of issuerNames) {
        const token = await tokenFor(server, issuer, machine, { organization: organization.id, scope: 'manage' });
        for (const path of ['/api/explain', '/api/v2/clients']) {
          const answer = await server.request(path === '/api/explain' ? 'POST' : 'GET', path, { token });
          assert.equal(answer.status, 401, answer.text);
        }
      }
    });

    test('surfaces of /api that do not filter by the organization refuse such a token', async () => {
      const { machine, organization } = await member();
      const native = (await server.rows('scopes')).find(({ value }) => value === 'manage:tenants');
      const role = await rows.role('organization', { scopes: [native.id] });
      const leaf = await rows.organization(organization);
      await rows.member(leaf, machine.clientId, [role]);
      for (const issuer of issuerNames) {
        const ask = { audience: server.nativeAudience, organization: leaf.id, scope: 'manage:tenants' };
        const token = await tokenFor(server, issuer, machine, ask);
        const before = await server.stateHash();
        const answer = await server.request('POST', '/api/tenants', { token, json: { id: 'mine' } });
        assert.deepEqual([answer.status, answer.body.code], [403, 'auth.organization_token']);
        assert.equal(await server.stateHash(), before);
      }
    });
  });

  describe('while a token lives', () => {
    /** What both issuers' introspection says of a token of each issuer, for an API and for the organization alone. */
    async function watched(made: Awaited<ReturnType<typeof member>>) {
      const { machine, organization } = made;
      const tokens: string[] = [];
      for (const issuer of issuerNames) {
        const ask = question(issuer, machine.audience, organization.id);
        tokens.push(await tokenFor(server, issuer, machine, ask));
        tokens.push(await tokenFor(server, issuer, machine, { organization: organization.id, scope: 'manage audit' }));
      }
      const introspect = async (token: string, issuer: IssuerName) =>
        (
          await server.request('POST', endpoints[issuer].introspection, {
            form: { client_id: machine.clientId, client_secret: machine.clientSecret, token },
          })
        ).body;
      const scopes = async () => {
        const seen: (string | undefined)[] = [];
        for (const token of tokens) {
          const [root, oidc] = [await introspect(token, 'root'), await introspect(token, 'oidc')];
          assert.deepEqual(root, oidc, 'both issuers say the same');
          if (!root.active) assert.deepEqual(root, { active: false });
          seen.push(root.active ? (root.scope ?? '') : undefined);
        }
        return seen;
      };
      return { tokens, introspect, scopes };
    }
    const alive = ['d', 'manage audit', 'd', 'manage audit'];
    const dead = [undefined, undefined, undefined, undefined];

    test('introspection tells every claim', async () => {
      const made = await member();
      const { tokens, introspect, scopes } = await watched(made);
      assert.deepEqual(await scopes(), alive);
      for (const token of tokens) {
        assert.deepEqual(await introspect(token, 'oidc'), {
          active: true,
          token_type: 'Bearer',
          client_id: made.machine.clientId,
          ...decodeJwt(token),
        });
      }
    });

    test('a membership that is removed ends it at once', async () => {
      const made = await member();
      const { scopes } = await watched(made);
      await rows.removeMember(made.membership);
      assert.deepEqual(await scopes(), dead);
    });

    test('a role that is taken away takes its scopes', async () => {
      const made = await member();
      const { scopes } = await watched(made);
      await rows.removeMemberRole(made.membership, made.role);
      assert.deepEqual(await scopes(), ['', '', '', '']);
    });

    test('suspending the organization, or one above it, stops it; resuming lets it go on', async () => {
      const made = await member();
      const { scopes } = await watched(made);
      for (const organization of [made.organization, made.top]) {
        await rows.setStatus(organization, 'suspended');
        assert.deepEqual(await scopes(), dead);
        await rows.setStatus(organization, 'active');
        assert.deepEqual(await scopes(), alive);
      }
    });

    test('moving the organization ends what was inherited, and only that', async () => {
      const made = await member();
      const leaf = await rows.organization(made.organization);
      const inherited = await watched({ ...made, organization: leaf });
      const own = await watched(made);
      assert.deepEqual(await inherited.scopes(), alive);
      await rows.move(leaf, made.top);
      assert.deepEqual(await inherited.scopes(), dead);
      assert.deepEqual(await own.scopes(), alive);
      await rows.move(leaf, made.organization);
      assert.deepEqual(await inherited.scopes(), alive);
      await rows.move(leaf, undefined);
      assert.deepEqual(await inherited.scopes(), dead);
    });

    test('deleting the organization ends it', async () => {
      const made = await member();
      const { scopes } = await watched(made);
      await rows.remove(made.organization);
      assert.deepEqual(await scopes(), dead);
    });

    test('revocation, at either issuer, for good; the event names the organization', async () => {
      const made = await member();
      const { tokens, scopes } = await watched(made);
      const credentials = { client_id: made.machine.clientId, client_secret: made.machine.clientSecret };
      for (const [index, token] of tokens.entries()) {
        const issuer: IssuerName = index % 2 === 0 ? 'oidc' : 'root';
        const stranger = await newMachine();
        const send = (form: Record<string, string>) =>
          server.request('POST', endpoints[issuer].revocation, { form: { ...form, token } });
        const state = await server.stateHash();
        await send({ client_id: stranger.clientId, client_secret: stranger.clientSecret });
        assert.equal(await server.stateHash(), state, 'it is not another client’s to revoke');
        const answer = await send(credentials);
        assert.deepEqual([answer.status, answer.text, answer.headers.get('content-length')], [200, '', '0']);
        const event = (await server.logEvents()).at(-1);
        assert.deepEqual(
          [event.kind, event.token_id, JSON.parse(event.details)],
          ['token.revoked', decodeJwt(token).jti, { organization: made.organization.id }],
        );
      }
      assert.deepEqual(await scopes(), dead);
    });
  });

  test('a plain token request reads once, one for an organization twice', async () => {
    const { machine, organization } = await member();
    const { db } = server.composed.services;
    const run = db.run;
    for (const issuer of issuerNames) {
      for (const [ask, reads] of [
        [{ audience: machine.audience }, 1],
        [{ audience: machine.audience, organization: organization.id }, 2],
      ] as const) {
        const names: string[] = [];
        db.run = (statement, args) => {
          names.push(statement.name);
          return run.call(db, statement, args) as never;
        };
        try {
          await tokenFor(server, issuer, machine, ask);
        } finally {
          db.run = run;
        }
        // Every second somebody looks for notices to send, which has nothing to do with the request.
        const ofRequest = names.filter((name) => name !== 'logout_notices_due');
        assert.equal(ofRequest.length, reads, ofRequest.join(', '));
      }
    }
  });
});
