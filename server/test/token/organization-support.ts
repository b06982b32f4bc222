/**
 * Organizations, roles and memberships as rows, and the two issuers side by side: what the tests of tokens for an
 * organization share. The rows are what the management APIs write; how they get there is tested with those.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { RefusalReason } from '../../src/protocol/refusal.ts';
import type { Schema } from '../../src/storage/schema.ts';
import type { Answer, TestServer } from '../harness.ts';

export type Machine = Awaited<ReturnType<TestServer['machine']>>;

export interface Organization {
  readonly id: string;
  readonly path: string;
}

/** Writes rows of one tenant. */
export class Rows {
  readonly #server: TestServer;
  readonly #tenantId: string;

  constructor(server: TestServer, tenantId = 'default') {
    this.#server = server;
    this.#tenantId = tenantId;
  }

  async organization(parent?: Organization): Promise<Organization> {
    const label = unique();
    const row = { id: `org_${label}`, path: `${parent?.path ?? ''}${label}/` };
    await this.#write((trx) =>
      trx
        .insertInto('organizations')
        .values({
          ...this.#owned(row.id),
          parent_id: parent?.id ?? null,
          path: row.path,
          slug: label.toLowerCase(),
          name: label,
          name_key: label.toLowerCase(),
          description: null,
          status: 'active',
          mfa_required: 0,
          metadata: '{}',
          extras: '{}',
        })
        .execute(),
    );
    return row;
  }

  setStatus({ id }: Organization, status: 'active' | 'suspended'): Promise<unknown> {
    return this.#write((trx) => trx.updateTable('organizations').set({ status }).where('id', '=', id).execute());
  }

  /** Moves an organization that has no children. */
  move({ id }: Organization, parent: Organization | undefined): Promise<unknown> {
    const change = { parent_id: parent?.id ?? null, path: `${parent?.path ?? ''}${id.slice('org_'.length)}/` };
    return this.#write((trx) => trx.updateTable('organizations').set(change).where('id', '=', id).execute());
  }

  remove({ id }: Organization): Promise<unknown> {
    return this.#write((trx) => trx.deleteFrom('organizations').where('id', '=', id).execute());
  }

  /** A role for machines that gives scopes of APIs (by row id) and organization scopes (by name, made when missing). */
  async role(
    level: 'tenant' | 'organization',
    gives: { scopes?: readonly string[]; organizationScopes?: readonly string[] },
  ): Promise<string> {
    const id = `rol_${unique()}`;
    const tenant = { tenant_id: this.#tenantId };
    await this.#write(async (trx) => {
      await trx
        .insertInto('roles')
        .values({
          ...this.#owned(id),
          name: id,
          name_key: id.toLowerCase(),
          description: null,
          level,
          subject_kind: 'client',
          is_default: 0,
          is_owner: 0,
          extras: '{}',
        })
        .execute();
      for (const scope_id of gives.scopes ?? []) {
        await trx
          .insertInto('role_scopes')
          .values({ ...tenant, role_id: id, scope_id })
          .execute();
      }
      for (const name of gives.organizationScopes ?? []) {
        const organization_scope_id = await this.#organizationScope(trx, name);
        await trx
          .insertInto('role_organization_scopes')
          .values({ ...tenant, role_id: id, organization_scope_id })
          .execute();
      }
    });
    return id;
  }

  assign(clientId: string, roleId: string): Promise<unknown> {
    const row = { tenant_id: this.#tenantId, subject_id: clientId, role_id: roleId };
    return this.#write((trx) =>
      trx
        .insertInto('role_assignments')
        .values({ ...row, subject_kind: 'client', created_at: Date.now() })
        .execute(),
    );
  }

  /** Makes a client a member; returns the membership's id. */
  async member(
    { id: organization_id }: Organization,
    clientId: string,
    roleIds: readonly string[] = [],
    thisOrganizationOnly = false,
  ): Promise<string> {
    const id = `mem_${unique()}`;
    await this.#write(async (trx) => {
      await trx
        .insertInto('memberships')
        .values({
          ...this.#owned(id),
          organization_id,
          subject_id: clientId,
          subject_kind: 'client',
          this_organization_only: thisOrganizationOnly ? 1 : 0,
        })
        .execute();
      for (const role_id of roleIds) {
        await trx
          .insertInto('membership_roles')
          .values({ tenant_id: this.#tenantId, membership_id: id, role_id })
          .execute();
      }
    });
    return id;
  }

  removeMember(membershipId: string): Promise<unknown> {
    return this.#write((trx) => trx.deleteFrom('memberships').where('id', '=', membershipId).execute());
  }

  removeMemberRole(membershipId: string, roleId: string): Promise<unknown> {
    return this.#write((trx) =>
      trx
        .deleteFrom('membership_roles')
        .where('membership_id', '=', membershipId)
        .where('role_id', '=', roleId)
        .execute(),
    );
  }

  listGrant({ id: organization_id }: Organization, client_grant_id: string): Promise<unknown> {
    const row = { tenant_id: this.#tenantId, organization_id, client_grant_id, created_at: Date.now() };
    return this.#write((trx) => trx.insertInto('organization_client_grants').values(row).execute());
  }

  /** Makes the organization the owner of a client. */
  own({ id: owner_organization_id }: Organization, clientId: string): Promise<unknown> {
    return this.#write((trx) =>
      trx.updateTable('clients').set({ owner_organization_id }).where('id', '=', clientId).execute(),
    );
  }

  alias(alias: string, resource_server_id: string): Promise<unknown> {
    const row = { tenant_id: this.#tenantId, alias, resource_server_id };
    return this.#write((trx) => trx.insertInto('resource_server_aliases').values(row).execute());
  }

  /** Row ids of an API's scopes, by value. */
  async scopeIds(machine: Pick<Machine, 'apiId'>): Promise<Record<string, string>> {
    const rows = await this.#server.rows('scopes');
    return Object.fromEntries(
      rows.filter((row) => row.resource_server_id === machine.apiId).map(({ value, id }) => [value, id]),
    );
  }

  async #organizationScope(trx: Transaction<Schema>, name: string): Promise<string> {
    const known = await trx
      .selectFrom('organization_scopes')
      .select('id')
      .where('tenant_id', '=', this.#tenantId)
      .where('name', '=', name)
      .executeTakeFirst();
    if (known !== undefined) return known.id;
    const id = `osc_${unique()}`;
    await trx
      .insertInto('organization_scopes')
      .values({ tenant_id: this.#tenantId, id, name, description: null, created_at: Date.now() })
      .execute();
    return id;
  }

  #owned(id: string) {
    return { tenant_id: this.#tenantId, id, created_at: Date.now(), updated_at: Date.now() };
  }

  #write<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#server.composed.services.db.transact(work);
  }
}

/** Sixteen characters, as the labels of ids are. */
const unique = (): string => randomBytes(8).toString('hex');

export type IssuerName = 'root' | 'oidc';
export const issuerNames: readonly IssuerName[] = ['root', 'oidc'];

/** Where an issuer's endpoints are and what it calls things. */
export const endpoints = {
  root: {
    token: '/oauth/token',
    introspection: '/oauth/introspect',
    revocation: '/oauth/revoke',
    audience: 'audience',
    organization: 'organization',
    claim: 'org_id',
    issuer: (server: TestServer) => server.issuer,
    subject: (clientId: string) => `${clientId}@clients`,
  },
  oidc: {
    token: '/oidc/token',
    introspection: '/oidc/token/introspection',
    revocation: '/oidc/token/revocation',
    audience: 'resource',
    organization: 'organization_id',
    claim: 'organization_id',
    issuer: (server: TestServer) => `${server.origin}/oidc`,
    subject: (clientId: string) => clientId,
  },
} as const;

export interface TokenQuestion {
  audience?: string | undefined;
  organization?: string | undefined;
  scope?: string | undefined;
}

/** A token request of a machine in the issuer's own words. */
export function askToken(
  server: TestServer,
  issuer: IssuerName,
  machine: Pick<Machine, 'clientId' | 'clientSecret'>,
  { audience, organization, scope }: TokenQuestion,
): Promise<Answer> {
  const at = endpoints[issuer];
  const form = {
    grant_type: 'client_credentials',
    client_id: machine.clientId,
    client_secret: machine.clientSecret,
    ...(audience === undefined ? {} : { [at.audience]: audience }),
    ...(organization === undefined ? {} : { [at.organization]: organization }),
    ...(scope === undefined ? {} : { scope }),
  };
  return server.request('POST', at.token, { form });
}

/** The same, for the token itself. */
export async function tokenFor(
  server: TestServer,
  issuer: IssuerName,
  machine: Pick<Machine, 'clientId' | 'clientSecret'>,
  question: TokenQuestion,
): Promise<string> {
  const answer = await askToken(server, issuer, machine, question);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.access_token as string;
}

export interface ExpectedRefusal {
  reason: RefusalReason;
  status: number;
  error: string;
  kind?: 'token.refused' | 'endpoint.refused';
  /** What the event says of the organization. */
  organization?: string | undefined;
}

/**
 * Sends a request that must be refused: the answer is in the issuer's shape, nothing changed, and one event tells the
 * real reason.
 */
export async function refusedAt(
  server: TestServer,
  issuer: IssuerName,
  send: () => Promise<Answer>,
  expected: ExpectedRefusal,
): Promise<Answer> {
  const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
  const answer = await send();
  assert.equal(`${answer.status} ${answer.body.error}`, `${expected.status} ${expected.error}`, answer.text);
  assertErrorShape(answer, issuer);
  assert.equal(await server.stateHash(), before.state, 'nothing changed');
  const events = (await server.logEvents()).slice(before.events);
  assert.deepEqual(
    events.map(({ kind, reason, details }) => ({ kind, reason, details: JSON.parse(details) })),
    [
      {
        kind: expected.kind ?? 'token.refused',
        reason: expected.reason,
        details: expected.organization === undefined ? null : { organization: expected.organization },
      },
    ],
  );
  return answer;
}

/** The members of an error body, and headers that keep it from being stored. */
export function assertErrorShape(answer: Answer, issuer: IssuerName): void {
  const { error, error_description: description } = answer.body;
  const plain = { error, error_description: description };
  assert.ok(typeof description === 'string' && description.length > 0, answer.text);
  assert.deepEqual(
    answer.body,
    issuer === 'root' ? plain : { code: `oidc.${error}`, message: description, ...plain },
    answer.text,
  );
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
}
