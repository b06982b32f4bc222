import type { Authorization } from '../../domain/authorizations/authorization.ts';
import { defaultIdTokenLifetimeSeconds } from '../../domain/clients/sign-in.ts';
import type { User } from '../../domain/users/user.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { currentKey } from '../token-facts.ts';
import { signJwt } from './mint.ts';
import { claimsOfPerson } from './person.ts';

/** ID tokens are signed by the algorithm every client must know (OpenID Connect Core §15.1). */
export const idTokenAlgorithm = 'RS256';

/** An ID token (OpenID Connect Core §2). `scopes`: what of the authorization this answer is about. */
export async function mintIdToken(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: ClientFacts,
  about: { authorization: Authorization; user: User; scopes: readonly string[]; nonce?: string | null | undefined },
): Promise<string> {
  const { authorization, user, scopes, nonce } = about;
  const issuedAt = Math.floor(ctx.services.clock.now() / 1000);
  const [key, claims] = await Promise.all([
    ctx.services.db.run(currentKey, { tenantId: ctx.site.tenantId, alg: idTokenAlgorithm }),
    claimsOfPerson(ctx, profile, user, {
      ...{ scopes, place: 'id_token', clientId: client.id },
      signedInBy: authorization.authPolicyId,
    }),
  ]);
  const payload = {
    ...claims,
    iss: profile.issuer(ctx.site),
    sub: profile.subjectOfUser(user.id),
    aud: client.id,
    iat: issuedAt,
    exp: issuedAt + (client.signIn.idTokenLifetimeSeconds ?? defaultIdTokenLifetimeSeconds),
    auth_time: Math.floor(authorization.authenticatedAt / 1000),
    amr: authorization.amr,
    // The session it was granted in, which a logout token names (OpenID Connect Back-Channel Logout §2.1).
    ...(authorization.grantedInSessionId == null ? {} : { sid: authorization.grantedInSessionId }),
    ...(nonce == null ? {} : { nonce }),
    ...(authorization.organizationId === null ? {} : { [profile.organizationClaim]: authorization.organizationId }),
  };
  return signJwt(ctx, { alg: idTokenAlgorithm, typ: 'JWT', kid: key[0]?.kid as string }, payload);
}
