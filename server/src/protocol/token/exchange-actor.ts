/** Who acts for the person that an exchanged token speaks for (RFC 8693 §4.1). */
import type { ActorClaim } from '../../domain/authorizations/authorization.ts';
import { findAuthorization } from '../../domain/authorizations/authorizations.ts';
import { clientMayUse, findOpaqueToken } from '../../domain/authorizations/opaque-tokens.ts';
import { bindingOfRow } from '../binding/binding.ts';
import { bindingOfClaim } from '../binding/present.ts';
import type { ProtocolContext } from '../context.ts';
import { isJwt } from '../opaque.ts';
import { Refusal } from '../refusal.ts';
import type { Subject } from './exchange-subject.ts';
import type { Redeemed } from './grants/grant-type.ts';
import { assertBinding, verifiedJwt } from './shown-token.ts';

/** Most actors in a row. */
const mostActors = 3;

/** Who acts, the current actor outermost: the actor token's subject, before whoever acted already. */
export async function chainOf(ctx: ProtocolContext, redeemed: Redeemed, { actor, userId }: Subject) {
  const { actorToken } = redeemed.request.given;
  if (actorToken === undefined) return actor;
  const sub = isJwt(actorToken)
    ? await actorOfJwt(ctx, redeemed, actorToken)
    : await actorOfOpaque(ctx, redeemed, actorToken);
  const chain: ActorClaim = { sub, ...(actor === null ? {} : { act: actor }) };
  if (lengthOf(chain) > mostActors) throw new Refusal('actors_too_many', { clientId: redeemed.client.id, userId });
  return chain;
}

const lengthOf = ({ act }: ActorClaim): number => 1 + (act === undefined ? 0 : lengthOf(act));

const badActor = ({ client }: Redeemed, detail: string, userId?: string) =>
  new Refusal('actor_token_invalid', { clientId: client.id, userId, detail });

async function actorOfJwt(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<string> {
  const presented = await verifiedJwt(ctx, redeemed, token, badActor);
  // Somebody for whom another one acts does not act.
  if (presented.payload.act !== undefined) throw badActor(redeemed, 'it has an actor itself', presented.userId);
  assertBinding(redeemed, bindingOfClaim(presented.confirmation), redeemed.binding);
  return presented.payload.sub as string;
}

async function actorOfOpaque(ctx: ProtocolContext, redeemed: Redeemed, token: string): Promise<string> {
  const { profile } = redeemed;
  const found = await findOpaqueToken(ctx.services, ctx.site.tenantId, token);
  const isGood = found?.issuer === profile.name && found.user_status === 'active' && clientMayUse(found);
  if (found === undefined || !isGood) throw badActor(redeemed, 'no such token of this issuer', found?.user_id);
  if (!found.scopes.split(' ').includes('openid')) throw badActor(redeemed, 'it lacks openid', found.user_id);
  const authorization = await findAuthorization(ctx.services, ctx.site.tenantId, found.authorization_id);
  if (authorization?.actor !== null) throw badActor(redeemed, 'it has an actor itself', found.user_id);
  assertBinding(redeemed, bindingOfRow(found), redeemed.binding);
  return profile.subjectOfUser(found.user_id);
}
