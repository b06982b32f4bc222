import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { publishedKeys } from '../../domain/keys/keys.ts';
import { jose } from '../../kernel/jose.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { idTokenAlgorithm } from '../tokens/id-token.ts';

/** Whom an ID token of ours is about. */
export interface HintedPerson {
  readonly userId: string;
  readonly clientId: string;
  /** The session it was issued in, where it says so. */
  readonly sessionId: string | undefined;
}

/**
 * Reads an ID token that is given as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): signed by a key of
 * ours that is not revoked, by this issuer. It may have expired. Undefined when it is anything else.
 */
export async function readIdTokenHint(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  token: string,
): Promise<HintedPerson | undefined> {
  const { decodeProtectedHeader, jwtVerify } = await jose();
  try {
    const { kid, typ } = decodeProtectedHeader(token);
    // An access token is no ID token, though the same key signs it.
    if (typ !== 'JWT') return undefined;
    const keys = await publishedKeys({ db: ctx.services.db, site: ctx.site });
    const jwk = keys.find((key) => key.kid === kid && key.alg === idTokenAlgorithm);
    if (jwk === undefined) return undefined;
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const options = {
      algorithms: [idTokenAlgorithm],
      issuer: profile.issuer(ctx.site),
      requiredClaims: ['sub', 'aud', 'iat', 'exp', 'auth_time'],
      clockTolerance: Number.MAX_SAFE_INTEGER,
    };
    const { payload } = await jwtVerify(token, key, options);
    const { sub, aud, sid, jti } = payload;
    // Access tokens of the classic profile are typed JWT too; they have a `jti`, ID tokens have none.
    if (typeof sub !== 'string' || typeof aud !== 'string' || jti !== undefined) return undefined;
    const subject = profile.subjectOf({ sub, azp: aud, client_id: aud });
    if (subject?.userId === undefined) return undefined;
    return { userId: subject.userId, clientId: aud, sessionId: typeof sid === 'string' ? sid : undefined };
  } catch {
    return undefined;
  }
}

/** The person an authorization request's hint names; null without one. Throws the refusal `id_token_hint_invalid`. */
export async function personOfHint(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: { readonly id: string },
  hint: string | undefined,
): Promise<string | null> {
  if (hint === undefined) return null;
  const person = await readIdTokenHint(ctx, profile, hint);
  if (person?.clientId !== client.id) {
    throw new Refusal('id_token_hint_invalid', { clientId: client.id, parameter: 'id_token_hint' });
  }
  return person.userId;
}
