/**
 * Who may call a management API: the scopes of the token, as far as today's decision for its client, or for the person
 * it speaks for, still allows them, with client, tenant and key alive and the token not revoked; one query a request. So
 * a management token ends with its grant, not with its `exp`.
 */
import type { Actor } from '../domain/context.ts';
import { expandScopes, type SystemApi } from '../domain/resource-servers/system.ts';
import { DomainError } from '../kernel/errors.ts';
import { assertBinding, BadBinding, bindingOfClaim, type PresentedAccessToken } from './binding/present.ts';
import type { ProtocolContext } from './context.ts';
import { BadToken, verifyAccessToken } from './tokens/verify.ts';

export type CallingClient = Actor & { kind: 'client' };
/** Who called, as the log names it. */
export type Caller = Pick<CallingClient, 'clientId' | 'userId' | 'tokenId'>;

/**
 * Authorizes a request to the management API `api`: the token must be valid here and carry at least one of `scopes`.
 * A token that carries an organization is taken only where the surface filters by its subtree (`delegated`). Every
 * refusal is logged with its real reason. Throws `auth.missing`, `auth.invalid_token`, `auth.dpop_proof_invalid`,
 * `auth.insufficient_scope`, `auth.organization_token`, `rate.limited`.
 */
export async function authorizeManagement(
  ctx: ProtocolContext,
  api: SystemApi,
  token: PresentedAccessToken | undefined,
  scopes: readonly string[],
  options: { delegated?: boolean } = {},
): Promise<CallingClient> {
  if (token === undefined) {
    throw await refused(ctx, new DomainError('auth.missing', 'The request carries no access token.'), 'no token');
  }
  const actor = await actorOfToken(ctx, api, token);
  await assertMayCall(ctx, actor, scopes);
  if (actor.organization !== undefined && options.delegated !== true) {
    const error = new DomainError('auth.organization_token', 'A token for an organization can not be used here.');
    throw await refused(ctx, error, `speaks for ${actor.organization.id}`, actor);
  }
  return actor;
}

/** One more request of a caller that has proved who it is. Throws `rate.limited`, `auth.insufficient_scope`. */
export async function assertMayCall(
  ctx: ProtocolContext,
  actor: CallingClient,
  scopes: readonly string[],
  shown = 'token',
): Promise<void> {
  const exceeded = ctx.services.limits.countRequest(ctx.site.tenantId, actor.clientId);
  if (exceeded !== undefined) {
    ctx.services.limits.countRefused(ctx.site.tenantId, actor.clientId, ctx.origin.ip ?? '');
    throw new DomainError('rate.limited', 'Too many requests.', { data: { ...exceeded } });
  }
  if (scopes.some((scope) => actor.scopes.has(scope))) return;
  const wanted = scopes.join(', ');
  const error = new DomainError('auth.insufficient_scope', `The ${shown} needs one of the scopes ${wanted}.`, {
    data: { scopes },
  });
  throw await refused(ctx, error, `lacks ${wanted}`, actor);
}

/** Logs what a verb refused to an authorized caller: more than it holds, or a scope that only this request needed. */
export async function logForbidden(ctx: ProtocolContext, actor: Actor, error: DomainError): Promise<void> {
  if (actor.kind === 'client') await refused(ctx, error, error.message, actor);
}

/** A token that is good, for another API. */
class WrongAudience extends BadToken {
  readonly expected: string;
  constructor(audience: string, expected: string) {
    super(`the audience is ${audience}, not ${expected}`);
    this.expected = expected;
  }
}

async function actorOfToken(ctx: ProtocolContext, api: SystemApi, token: PresentedAccessToken): Promise<CallingClient> {
  try {
    const presented = await verifyAccessToken(ctx, token.token);
    if (presented.systemKind !== api.kind) throw new WrongAudience(presented.audience, `${ctx.site.origin}${api.path}`);
    // RFC 9068 §4: no other kind of JWT of ours can pass for an access token here.
    if (presented.type !== 'at+jwt') throw new BadToken('the type is not at+jwt');
    await assertBinding(ctx, bindingOfClaim(presented.confirmation), token);
    const allowed = expandScopes(api, presented.allowedScopes);
    const carried = expandScopes(api, presented.tokenScopes);
    return {
      kind: 'client',
      clientId: presented.clientId,
      ...(presented.userId === undefined ? {} : { userId: presented.userId }),
      tokenId: presented.tokenId,
      scopes: new Set([...carried].filter((scope) => allowed.has(scope))),
      ...(presented.organization === undefined ? {} : { organization: presented.organization }),
    };
  } catch (error) {
    if (!(error instanceof BadToken)) throw error;
    // Which audience is expected is no secret, and the commonest thing to get wrong.
    const [message, data] =
      error instanceof WrongAudience
        ? [
            `The access token is for another audience; this API expects ${error.expected}.`,
            { expected: error.expected },
          ]
        : ['The access token is not valid here.', {}];
    const answer =
      error instanceof BadBinding && error.ofProof
        ? new DomainError('auth.dpop_proof_invalid', 'The DPoP proof is not valid for this request.', { cause: error })
        : new DomainError('auth.invalid_token', message, { cause: error, data });
    throw await refused(ctx, answer, error.message);
  }
}

/** The refusal, logged with its real reason as far as the log has room for it. */
export async function refused(
  ctx: ProtocolContext,
  error: DomainError,
  detail: string,
  actor?: Caller,
): Promise<DomainError> {
  const { limits, journal } = ctx.services;
  const ip = ctx.origin.ip ?? '';
  if (!limits.refusalHasRow(ctx.site.tenantId, actor?.clientId, ip)) return error;
  await journal.appendIfTenant({
    tenantId: ctx.site.tenantId,
    kind: 'access.refused',
    clientId: actor?.clientId,
    userId: actor?.userId,
    tokenId: actor?.tokenId,
    reason: error.code,
    description: detail,
    ...ctx.origin,
  });
  return error;
}
