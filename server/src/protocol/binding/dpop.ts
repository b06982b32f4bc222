/** DPoP proofs (RFC 9449 §4): a signed statement that whoever sends this very request holds a key. */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { jose } from '../../kernel/jose.ts';
import { type AssertionAlgorithm, algorithmNamed, headerNames, jwkThumbprint, keyFits } from '../../kernel/jwa.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { ProtocolContext } from '../context.ts';

/** What a proof may be signed with; as FAPI 2.0 §5.4 has it, without RSASSA-PKCS1-v1_5. */
const proofAlgorithms: readonly AssertionAlgorithm[] = ['ES256', 'ES384', 'PS256', 'EdDSA'];
/** Their names in a header. */
export const dpopAlgorithms: readonly string[] = proofAlgorithms.flatMap(headerNames);

/** Longest proof that is looked at, in characters. */
const maximumProofLength = 8192;
/** How far `iat` may be from our clock, in seconds, either way: it bounds how long used proofs are remembered. */
const windowSeconds = 60;
/** How far the sender's clock may be off for `exp` and `nbf`, which a proof need not have, in seconds. */
const clockSkewSeconds = 10;
const jtiPattern = /^[^\p{Cc}\p{Cs}]{1,256}$/u;
/** Members of private and symmetric keys (RFC 7518 §6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** RFC 9449 §11.1: a proof is used once, on any node and across restarts; the insert itself is the check. */
const useProof = defineStatement<{ tenantId: string; thumbprint: string; jti: string; expiresAt: number }>(
  'proof_use',
  `insert into used_proofs (tenant_id, thumbprint, jti, expires_at)
  values (:tenantId, :thumbprint, :jti, :expiresAt) on conflict do nothing`,
);

/** The request that a proof must have been made for. */
export interface ProvenRequest {
  readonly method: string;
  /** As it was sent, with its query if it has one. */
  readonly path: string;
  /** The access token that goes with it, at a resource. */
  readonly accessToken?: string | undefined;
}

/** Why a proof is not good; for the log. */
export class BadProof extends Error {
  readonly isReplay: boolean;
  constructor(detail: string, isReplay = false) {
    super(detail);
    this.name = 'BadProof';
    this.isReplay = isReplay;
  }
}

/**
 * Verifies a proof (RFC 9449 §4.3), uses it up, and gives the thumbprint of its key (RFC 7638, base64url). Call it when
 * all else about the request is known to be good, so that nobody unknown can fill the table of used proofs. Throws
 * `BadProof`.
 */
export async function verifyDpopProof(ctx: ProtocolContext, proof: string, request: ProvenRequest): Promise<string> {
  const { key, payload } = await verifySignature(proof);
  const { htm, htu, jti, ath } = payload;
  if (htm !== request.method) throw new BadProof('htm is not the method of the request');
  if (!namesRequest(ctx, htu, request.path)) throw new BadProof('htu is not the URL of the request');
  if (typeof jti !== 'string' || !jtiPattern.test(jti)) {
    throw new BadProof('jti must be a string of 1 to 256 characters without controls');
  }
  const issuedAt = checkTimes(payload, ctx.services.clock.now() / 1000);
  if (request.accessToken !== undefined && ath !== hashOfToken(request.accessToken)) {
    throw new BadProof('ath is not the hash of the access token');
  }
  const thumbprint = jwkThumbprint(key);
  const expiresAt = Math.ceil(issuedAt + windowSeconds + clockSkewSeconds) * 1000;
  const args = { tenantId: ctx.site.tenantId, thumbprint, jti, expiresAt };
  if ((await ctx.services.db.write(useProof, args)) !== 1) throw new BadProof('the proof was used before', true);
  return thumbprint;
}

const hashOfToken = (token: string): string => createHash('sha256').update(token, 'ascii').digest('base64url');

async function verifySignature(proof: string): Promise<{ key: KeyObject; payload: JWTPayload }> {
  const { decodeProtectedHeader, jwtVerify } = await jose();
  // Two headers arrive as one text with a comma, which no proof has.
  if (proof.length > maximumProofLength || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) {
    throw new BadProof('it is not one signed JWT');
  }
  let header: { typ?: unknown; alg?: unknown; jwk?: unknown };
  try {
    header = decodeProtectedHeader(proof);
  } catch {
    throw new BadProof('its header can not be read');
  }
  if (header.typ !== 'dpop+jwt') throw new BadProof('typ is not dpop+jwt');
  const algorithm = proofAlgorithms.find((name) => name === algorithmNamed(header.alg));
  if (algorithm === undefined) throw new BadProof(`alg is none of ${dpopAlgorithms.join(', ')}`);
  const key = publicKeyOf(header.jwk);
  if (!keyFits(key, algorithm)) throw new BadProof('the key does not fit alg');
  try {
    // Times are checked with our own clock and bounds; the tolerance makes any date pass.
    const options = { algorithms: [...headerNames(algorithm)], clockTolerance: Number.MAX_SAFE_INTEGER };
    return { key, payload: (await jwtVerify(proof, key, options)).payload };
  } catch (error) {
    throw new BadProof((error as Error).message);
  }
}

function publicKeyOf(jwk: unknown): KeyObject {
  if (typeof jwk !== 'object' || jwk === null) throw new BadProof('the header has no jwk');
  if (secretMembers.some((member) => member in jwk)) throw new BadProof('jwk holds a private or symmetric key');
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    throw new BadProof('jwk can not be read as a public key');
  }
}

/** Returns `iat`. */
function checkTimes({ iat, exp, nbf }: JWTPayload, now: number): number {
  if (typeof iat !== 'number' || !(Math.abs(now - iat) <= windowSeconds)) {
    throw new BadProof(`iat is not within ${windowSeconds} seconds of our clock`);
  }
  if (exp !== undefined && !(exp > now - clockSkewSeconds)) throw new BadProof('exp is past');
  if (nbf !== undefined && !(nbf <= now + clockSkewSeconds)) throw new BadProof('nbf is ahead');
  return iat;
}

/**
 * RFC 9449 §4.3, item 9: compared without query and fragment, after normalization (RFC 3986 §6.2.2, §6.2.3). The host is
 * one of the tenant's own, as configured: what the Host header says proves nothing.
 */
function namesRequest({ site, services }: ProtocolContext, htu: unknown, path: string): boolean {
  if (typeof htu !== 'string' || !URL.canParse(htu) || !URL.canParse(path, site.origin)) return false;
  const [said, own] = [new URL(htu), new URL(site.origin)];
  if (said.username !== '' || said.password !== '') return false;
  const isOurs = said.host === own.host || services.sites.ofHost(said.host)?.tenantId === site.tenantId;
  const { pathname } = new URL(path, own);
  return isOurs && said.protocol === own.protocol && normal(said.pathname) === normal(pathname);
}

/** One form for each path: escapes in upper case, and none where none is needed. */
const normal = (pathname: string): string =>
  pathname.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
  });
