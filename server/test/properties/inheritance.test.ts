/** What a client may do in an organization of a random tree equals a naive model, asked at the token endpoint. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { makeMembership, makeOrganization } from '../native/delegated.ts';
import { type Machine, Members } from '../native/members-support.ts';

const scopes = ['a', 'b', 'c', 'd'] as const;
const mostOrganizations = 7;
const roleCount = 3;

/** A tree by the parent of each organization (an earlier one, or none), and what the client is in it. */
interface World {
  /** Scopes of each role, by number. */
  roles: number[][];
  organizations: {
    parent: number | null;
    suspended: boolean;
    membership: { roles: number[]; only: boolean } | null;
  }[];
}

const subset = (size: number) => fc.uniqueArray(fc.nat(size - 1), { maxLength: size });

const organization = (place: number) =>
  fc.record({
    // Deep more often than broad: inheritance is what is asked for.
    parent:
      place === 0
        ? fc.constant(null)
        : fc.oneof({ weight: 3, arbitrary: fc.constant(place - 1) }, fc.nat(place - 1), fc.constant(null)),
    suspended: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.constant(true)),
    membership: fc.option(fc.record({ roles: subset(roleCount), only: fc.boolean() })),
  });

const world: fc.Arbitrary<World> = fc.record({
  roles: fc.tuple(...Array.from({ length: roleCount }, () => subset(scopes.length))),
  organizations: fc
    .integer({ min: 1, max: mostOrganizations })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, place) => organization(place)))),
});

/** The naive model: walks up from organization `at`. Undefined: no token. */
function modelOf({ roles, organizations }: World, at: number): string[] | undefined {
  const held = new Set<string>();
  let isMember = false;
  for (let place: number | null = at; place !== null; place = organizations[place]?.parent ?? null) {
    const { suspended, membership } = organizations[place] as World['organizations'][number];
    if (suspended) return undefined;
    if (membership === null || (membership.only && place !== at)) continue;
    isMember = true;
    for (const role of membership.roles) for (const scope of roles[role] ?? []) held.add(scopes[scope] as string);
  }
  return isMember ? [...held].sort() : undefined;
}

eachEngine('inherited roles', (engine) => {
  let server: TestServer;
  let api: Members;
  let audience: string;
  let scopeIds: Map<string, string>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    ({ audience, scopeIds } = await api.api(scopes));
  });
  after(() => server.close());

  interface Built {
    machine: Machine;
    organizationIds: string[];
    roleIds: string[];
    membershipIds: (string | undefined)[];
  }

  async function build({ roles, organizations }: World): Promise<Built> {
    const machine = await api.machine();
    const roleIds: string[] = [];
    for (const role of roles) {
      roleIds.push(await api.roleOf(role.map((scope) => scopeIds.get(scopes[scope] as string) as string)));
    }
    const organizationIds: string[] = [];
    const membershipIds: (string | undefined)[] = [];
    for (const { parent, membership } of organizations) {
      const id = await makeOrganization(server, 'Any', parent === null ? null : (organizationIds[parent] as string));
      organizationIds.push(id);
      if (membership === null) {
        membershipIds.push(undefined);
        continue;
      }
      membershipIds.push(
        await makeMembership(server, {
          organizationId: id,
          subjectId: machine.clientId,
          kind: 'client',
          roleIds: membership.roles.map((role) => roleIds[role] as string),
          thisOrganizationOnly: membership.only,
        }),
      );
    }
    for (const [place, { suspended }] of organizations.entries()) {
      if (suspended)
        await api.expect(200, 'PATCH', `/organizations/${organizationIds[place]}`, { status: 'suspended' });
    }
    return { machine, organizationIds, roleIds, membershipIds };
  }

  const scopesEverywhere = async ({ machine, organizationIds }: Built): Promise<(string[] | undefined)[]> => {
    const found: (string[] | undefined)[] = [];
    for (const id of organizationIds) found.push(await api.scopesIn(machine, id, audience));
    return found;
  };

  test('equal a naive model', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const built = await build(given);
        const expected = given.organizations.map((_, place) => modelOf(given, place));
        assert.deepEqual(await scopesEverywhere(built), expected);
      }),
      { numRuns: 40 },
    );
  });

  test('fewer roles never give more, nor does a membership that stops counting below', async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.nat(), fc.nat(2), async (given, pick, change) => {
        const places = given.organizations.flatMap(({ membership }, place) => (membership === null ? [] : [place]));
        fc.pre(places.length > 0);
        const place = places[pick % places.length] as number;
        const built = await build(given);
        const before = await scopesEverywhere(built);
        const member = `/organizations/${built.organizationIds[place]}/members/${built.membershipIds[place]}`;
        const membership = given.organizations[place]?.membership as { roles: number[]; only: boolean };
        const [first, ...rest] = membership.roles;
        if (change === 0) await api.expect(204, 'DELETE', member);
        else if (change === 1 || first === undefined) {
          await api.expect(200, 'PATCH', member, { thisOrganizationOnly: true });
        } else {
          const organizationRoleIds = rest.map((role) => built.roleIds[role] as string);
          await api.expect(200, 'PATCH', member, { organizationRoleIds });
        }
        const after = await scopesEverywhere(built);
        for (const [at, now] of after.entries()) {
          for (const scope of now ?? []) assert.ok(before[at]?.includes(scope), `${scope} was gained`);
          assert.ok(now === undefined || before[at] !== undefined, 'an organization was gained');
        }
      }),
      { numRuns: 25 },
    );
  });

  test('asking for fewer scopes never gives more: exactly those, or none when one is not held', async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.nat(), fc.subarray([...scopes], { minLength: 1 }), async (given, pick, asked) => {
        const built = await build(given);
        const place = pick % given.organizations.length;
        const held = modelOf(given, place) ?? [];
        const answer = await server.token({
          client_id: built.machine.clientId,
          client_secret: built.machine.clientSecret,
          audience,
          organization: built.organizationIds[place] as string,
          scope: asked.join(' '),
        });
        if (asked.every((scope) => held.includes(scope))) {
          assert.equal(answer.status, 200, answer.text);
          assert.deepEqual(answer.body.scope.split(' ').sort(), asked.toSorted());
        } else {
          assert.equal(answer.status, 403, answer.text);
          assert.equal(answer.body.access_token, undefined);
        }
      }),
      { numRuns: 25 },
    );
  });
});
