import type { JWTPayload } from 'jose';
import { jose } from '../../kernel/jose.ts';
import { type AssertionAlgorithm, algorithmNamed, headerNames } from '../../kernel/jwa.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { ClientFacts, CredentialFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { verifyDecoy } from './decoy.ts';

/** Longest life of a client assertion, in seconds: it bounds how long used ones are remembered. */
export const maximumAssertionSeconds = 300;
/** How far the client's clock may be off, in seconds. */
const clockSkewSeconds = 10;
/** Longest `iss`, `sub`, `jti`, in characters. */
const maximumNameLength = 64;
/** No controls, no half of a surrogate pair: not every database stores them, or stores two of them as two. */
const namePattern = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${maximumNameLength}}$`, 'u');

/** RFC 7523 §3, item 7: an assertion is used once, on any node and across restarts; the insert itself is the check. */
const useAssertion = defineStatement<{ tenantId: string; clientId: string; jti: string; expiresAt: number }>(
  'assertion_use',
  `insert into used_assertions (tenant_id, client_id, jti, expires_at)
  values (:tenantId, :clientId, :jti, :expiresAt) on conflict do nothing`,
);

/**
 * Verifies a client assertion (RFC 7523 §3) with the keys registered for the client and takes its `jti`. Its audience
 * is the issuer that is asked, as one string: nothing that another server could have asked for. Throws the refusals
 * `assertion_invalid` and `assertion_replayed`.
 */
export async function verifyAssertion(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: ClientFacts,
  assertion: string,
): Promise<CredentialFacts> {
  const { services, site } = ctx;
  const invalid = (detail: string): Refusal => new Refusal('assertion_invalid', { clientId: client.id, detail });
  const { credential, payload } = await verifySignature(ctx, client, assertion, invalid);
  const { aud, iss, sub, jti, exp, iat, nbf } = payload;

  if (iss !== client.id || sub !== client.id) throw invalid('iss and sub must both be the client id');
  const issuer = profile.issuer(site);
  if (aud !== issuer) throw invalid(`aud must be the issuer ${issuer}, as one string`);
  if (typeof jti !== 'string' || !namePattern.test(jti)) {
    throw invalid(`jti must be a string of 1 to ${maximumNameLength} characters without controls`);
  }
  const now = services.clock.now() / 1000;
  if (!isTime(exp) || exp <= now - clockSkewSeconds) throw invalid('exp is missing or past');
  if (exp > now + maximumAssertionSeconds + clockSkewSeconds) {
    throw invalid(`exp must be at most ${maximumAssertionSeconds} seconds ahead`);
  }
  for (const [name, value] of Object.entries({ iat, nbf })) {
    if (value !== undefined && (!isTime(value) || value > now + clockSkewSeconds)) throw invalid(`${name} is not yet`);
  }

  const args = {
    tenantId: site.tenantId,
    clientId: client.id,
    jti,
    expiresAt: Math.ceil(exp + clockSkewSeconds) * 1000,
  };
  if ((await services.db.write(useAssertion, args)) !== 1)
    throw new Refusal('assertion_replayed', { clientId: client.id });
  return credential;
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Finds the key that signed: the one its `kid` names or, without one, any that fits the algorithm. */
async function verifySignature(
  ctx: ProtocolContext,
  client: ClientFacts,
  assertion: string,
  invalid: (detail: string) => Refusal,
): Promise<{ credential: CredentialFacts; payload: JWTPayload }> {
  const { kid, alg } = await headerOf(assertion, invalid);
  if (kid !== undefined && typeof kid !== 'string') throw invalid('kid must be a string');
  const now = ctx.services.clock.now();
  // Only the key's own algorithm counts, whatever the header says (RFC 8725 §3.1).
  const candidates = client.credentials.filter(
    (key) =>
      key.kind === 'key' &&
      key.alg !== null &&
      key.alg === algorithmNamed(alg) &&
      (kid === undefined || key.kid === kid),
  );
  const alive = candidates.filter((key) => key.expiresAt === null || key.expiresAt > now);
  if (alive.length === 0) {
    await verifyDecoy(assertion);
    throw invalid(candidates.length > 0 ? 'the key has expired' : 'no registered key has this alg and kid');
  }
  for (const credential of alive) {
    const key = ctx.services.keys.publicKey(ctx.site.tenantId, credential.id, credential.publicJwk as string);
    try {
      // Times are checked above with our own clock and bounds; here the signature, `crit` and `b64` are.
      const algorithms = [...headerNames(credential.alg as AssertionAlgorithm)];
      const { payload } = await (await jose()).jwtVerify(assertion, key, { algorithms, ...ignoreTimes });
      return { credential, payload };
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') {
        throw invalid((error as Error).message);
      }
    }
  }
  throw invalid('the signature does not verify with a registered key');
}

/** jose checks times against a clock of its own unless told a date; the tolerance makes that check pass any date. */
const ignoreTimes = { clockTolerance: Number.MAX_SAFE_INTEGER };

async function headerOf(assertion: string, invalid: (detail: string) => Refusal) {
  try {
    return (await jose()).decodeProtectedHeader(assertion) as { kid?: unknown; alg?: unknown };
  } catch {
    throw invalid('it is not a JWS');
  }
}
