/**
 * Token exchange (RFC 8693): a client of our own gets a token for a person, from a token that speaks for the person
 * already, from one that an administrator made, or from the session that an app holds. It only ever narrows: the scopes,
 * audiences and organization of what is shown, no longer than that lives, never a management API. A client's own token is
 * refused: only people's are exchanged. What is shown decides; the client's own access never stands in for it.
 */
import type { Authorization } from '../../../domain/authorizations/authorization.ts';
import { insertExchanged } from '../../../domain/authorizations/authorizations.ts';
import { authorizeInAppSession } from '../../../domain/sessions/app-sessions.ts';
import { useSubjectToken } from '../../../domain/subject-tokens/use.ts';
import { randomBase64Url } from '../../../kernel/random.ts';
import type { ProtocolContext } from '../../context.ts';
import { Refusal } from '../../refusal.ts';
import { chainOf } from '../exchange-actor.ts';
import { type Subject, subjectOf } from '../exchange-subject.ts';
import { accessTokenType, impersonationTokenType, policySessionTokenType } from '../subject-token-types.ts';
import type { PersonGrant, Redeemed } from './grant-type.ts';

export const tokenExchangeGrantType = 'urn:ietf:params:oauth:grant-type:token-exchange';

export async function redeem(ctx: ProtocolContext, redeemed: Redeemed): Promise<PersonGrant> {
  const { client } = redeemed;
  if (!client.firstParty) {
    throw new Refusal('grant_type_not_allowed', { clientId: client.id, grantType: tokenExchangeGrantType });
  }
  assertParameters(redeemed);
  const subject = await subjectOf(ctx, redeemed);
  const actor = await chainOf(ctx, redeemed, subject);
  const authorization = authorizationOf(ctx, redeemed, { ...subject, actor });
  return {
    authorization,
    givesIdToken: false,
    issuedTokenType: accessTokenType,
    maximumLifetimeSeconds: Math.floor((subject.expiresAt - ctx.services.clock.now()) / 1000),
    exchange: { target: subject.target, takesAll: subject.takesAll },
    consume: () => useUp(ctx, subject, authorization),
  };
}

const known: ReadonlySet<unknown> = new Set([accessTokenType, impersonationTokenType, policySessionTokenType]);

/** RFC 8693 §2.1. */
function assertParameters({ client, request: { given } }: Redeemed): void {
  const wrong = (parameter: string) => new Refusal('parameter_invalid', { clientId: client.id, parameter });
  if (given.subjectToken === undefined) throw wrong('subject_token');
  if (!known.has(given.subjectTokenType)) throw wrong('subject_token_type');
  if (given.requestedTokenType !== undefined && given.requestedTokenType !== accessTokenType) {
    throw wrong('requested_token_type');
  }
  const actorType = given.actorToken === undefined ? undefined : accessTokenType;
  if (given.actorTokenType !== actorType) throw wrong('actor_token_type');
}

/** What the new token rests on: of the client that asks, and no more than what is shown. */
function authorizationOf(ctx: ProtocolContext, { profile, client }: Redeemed, subject: Subject): Authorization {
  return {
    id: randomBase64Url(ctx.services.random, 12),
    issuer: profile.name,
    userId: subject.userId,
    clientId: client.id,
    scopes: subject.scopes,
    audiences: subject.audiences,
    amr: subject.amr,
    authPolicyId: subject.authPolicyId,
    sessionId: subject.sessionId,
    organizationId: subject.organizationId,
    actor: subject.actor,
    authenticatedAt: subject.authenticatedAt,
    createdAt: ctx.services.clock.now(),
    expiresAt: subject.expiresAt,
  };
}

/** Of two at once with a token that is good once, one changes its row. */
async function useUp(ctx: ProtocolContext, subject: Subject, authorization: Authorization): Promise<void> {
  const { tenantId } = ctx.site;
  const { singleUse, parentId, sessionId } = subject;
  const isGood =
    (singleUse === undefined || (await useSubjectToken(ctx.services, tenantId, singleUse))) &&
    (sessionId === null
      ? await insertExchanged(ctx.services, tenantId, authorization, parentId)
      : await authorizeInAppSession(ctx.services, tenantId, authorization));
  if (isGood) return;
  throw new Refusal('subject_token_invalid', { clientId: authorization.clientId, userId: authorization.userId });
}
