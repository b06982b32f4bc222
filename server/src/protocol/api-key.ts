/**
 * Who may call a management API by an API key: the scopes of the key, as far as today's decision for its maker still
 * allows them. So a key ends with its maker's grants, roles and status, and with the tenant, not only by itself.
 */
import { type AccessDecision, decideClientAccess, decideUserAccess } from '../domain/access/decide.ts';
import { accessFactsFrom, presentedTokenFacts } from '../domain/access/facts.ts';
import type { ApiKey } from '../domain/api-keys/api-keys.ts';
import { findApiKey, noteUseOfApiKey } from '../domain/api-keys/use.ts';
import { expandScopes, type SystemApi, storedIdentifier } from '../domain/resource-servers/system.ts';
import { DomainError } from '../kernel/errors.ts';
import { hashSecret } from '../kernel/secrets.ts';
import type { ProtocolContext } from './context.ts';
import { assertMayCall, type Caller, type CallingClient, refused } from './management.ts';
import { loadPersonFacts } from './user-facts.ts';

/** Stands for the maker of a key that is unknown, so that it costs the same work; nobody has this id. */
const nobody: Pick<ApiKey, 'clientId' | 'userId'> = { clientId: '', userId: null };

/** Why a key is not good; for the log. */
class BadKey extends Error {}

/**
 * Authorizes a request to the native management API by the value of an API key, which must carry at least one of
 * `scopes`. Every refusal is logged with its real reason; a key that is not good counts as a failed authentication.
 * Throws `auth.missing`, `auth.invalid_token`, `auth.insufficient_scope`, `rate.limited`.
 */
export async function authorizeApiKey(
  ctx: ProtocolContext,
  api: SystemApi,
  value: string | undefined,
  scopes: readonly string[],
): Promise<CallingClient> {
  if (value === undefined || value === '') {
    throw await refused(ctx, new DomainError('auth.missing', 'The request carries no API key.'), 'no API key');
  }
  const hash = hashSecret(value);
  assertNotBlocked(ctx, hash);
  const { actor, key } = await actorOfKey(ctx, api, hash);
  await assertMayCall(ctx, actor, scopes, 'API key');
  await noteUseOfApiKey(ctx.services, ctx.site.tenantId, key);
  return actor;
}

/** Failures count by key and address, and by address: one program with an old key does not stop its neighbours. */
const limitedAs = (hash: string): string => `API key ${hash.slice(0, 16)}`;

function assertNotBlocked({ services: { limits }, site, origin }: ProtocolContext, hash: string): void {
  const ip = origin.ip ?? '';
  const blocked = limits.blocked(site.tenantId, limitedAs(hash), ip);
  if (blocked === undefined) return;
  limits.countRefused(site.tenantId, undefined, ip);
  throw new DomainError('rate.limited', 'Too many failed requests.', { data: { ...blocked } });
}

async function actorOfKey(
  ctx: ProtocolContext,
  api: SystemApi,
  hash: string,
): Promise<{ actor: CallingClient; key: ApiKey }> {
  const found = await findApiKey(ctx.services, ctx.site.tenantId, hash);
  try {
    const allowed = await allowedToMaker(ctx, api, found ?? nobody);
    const key = goodKey(ctx, api, found);
    if (!allowed.allowed) throw new BadKey(`there is no access any more: ${allowed.reason}`);
    const held = expandScopes(api, allowed.scopes);
    const actor: CallingClient = {
      kind: 'client',
      clientId: key.clientId,
      ...(key.userId === null ? {} : { userId: key.userId }),
      tokenId: key.id,
      byApiKey: true,
      scopes: new Set([...expandScopes(api, key.scopes)].filter((scope) => held.has(scope))),
    };
    return { actor, key };
  } catch (error) {
    if (!(error instanceof BadKey)) throw error;
    ctx.services.limits.countFailure(ctx.site.tenantId, limitedAs(hash), ctx.origin.ip ?? '');
    const answer = new DomainError('auth.invalid_token', 'The API key is not valid here.', { cause: error });
    throw await refused(ctx, answer, error.message, found && makerOf(found));
  }
}

/** Throws `BadKey`. */
function goodKey(ctx: ProtocolContext, api: SystemApi, key: ApiKey | undefined): ApiKey {
  if (key === undefined) throw new BadKey('no API key has this value');
  // Its scopes are the native API's: at another one the same words could mean something else.
  if (api.kind !== 'api') throw new BadKey('API keys are good at the native management API');
  if (key.expiresAt <= ctx.services.clock.now()) throw new BadKey('the API key has expired');
  return key;
}

const makerOf = ({ id, clientId, userId }: ApiKey): Caller => ({
  clientId,
  ...(userId === null ? {} : { userId }),
  tokenId: id,
});

type TodaysDecision = AccessDecision | { readonly allowed: false; readonly reason: string };

/** What whoever made the key may do today: the client, or the person through it. */
async function allowedToMaker(
  ctx: ProtocolContext,
  api: SystemApi,
  { clientId, userId }: Pick<ApiKey, 'clientId' | 'userId'>,
): Promise<TodaysDecision> {
  const { tenantId, origin } = ctx.site;
  const { db } = ctx.services;
  const ask = { tenantId, clientId, identifier: storedIdentifier(api.kind), kid: '', jti: '' };
  const [row] = await db.run(presentedTokenFacts, ask);
  if (row?.tenant_status !== 'active') return { allowed: false, reason: 'the tenant is suspended' };
  if (userId === null) return decideClientAccess(await accessFactsFrom(db, tenantId, row), undefined);
  const target = { audience: `${origin}${api.path}` };
  const person = { userId, clientId, target, organizationId: undefined, signedInBy: null };
  const facts = await loadPersonFacts(ctx, person);
  if (facts === undefined) return { allowed: false, reason: 'the user does not exist any more' };
  return decideUserAccess(facts.access, facts.organization);
}
