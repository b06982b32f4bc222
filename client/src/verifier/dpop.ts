/** Proofs that whoever presents a token holds the key it is bound to (RFC 9449 §4.3, §7). */
import { InvalidTokenError } from '../errors.ts';
import { type AsymmetricAlgorithm, algorithmNamed, fits, type Jwk } from '../jose/algorithms.ts';
import { asObject } from '../jose/base64url.ts';
import { type Jws, parseJws, verifyJws } from '../jose/jws.ts';
import { publicMembers, thumbprintOf } from '../jose/thumbprint.ts';
import { hashOf } from '../oauth/dpop.ts';

/** The request a token came with. */
export interface PresentedProof {
  /** The header `DPoP`; undefined when there was none, or more than one. */
  readonly proof: string | undefined;
  readonly method: string;
  /** As its sender names it: scheme, host and path. Build it from your configuration, not from the Host header. */
  readonly url: string;
}

/** Where used proofs are remembered. The default is the memory of this process: several processes need one in common. */
export interface UsedProofs {
  /** Notes the key for as long; false when it is there already. */
  use(key: string, seconds: number): Promise<boolean> | boolean;
}

/** The algorithms a proof may be signed with, as FAPI 2.0 §5.4 has them. */
export const proofAlgorithms: readonly AsymmetricAlgorithm[] = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'];

const maximumProofLength = 8192;
/** How far `iat` may be from our clock, either way. */
const windowSeconds = 60;
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const invalid = (): InvalidTokenError => new InvalidTokenError('proof_invalid');

/**
 * Checks the claim `cnf` of a token against what came with it: an unbound token comes without a proof, a bound one with a
 * proof of its key. Throws an `InvalidTokenError`.
 */
export async function checkBinding(
  cnf: unknown,
  token: string,
  presented: PresentedProof | undefined,
  { nowSeconds, usedProofs }: { nowSeconds: number; usedProofs: UsedProofs },
): Promise<void> {
  if (cnf === undefined) {
    if (presented !== undefined) throw new InvalidTokenError('sender_constrained');
    return;
  }
  const { jkt, ...others } = asObject(cnf) ?? {};
  // A certificate is for who ends TLS to check; as Bearer, a token that is bound to a key is anybody's.
  if (typeof jkt !== 'string' || Object.keys(others).length > 0 || presented === undefined) {
    throw new InvalidTokenError('sender_constrained');
  }
  const { jwk, jti, iat } = await verifyProof(presented, token, nowSeconds);
  const thumbprint = await thumbprintOf(jwk);
  if (thumbprint !== jkt) throw new InvalidTokenError('sender_constrained');
  const seconds = Math.ceil(iat + windowSeconds - nowSeconds) + 1;
  if (!(await usedProofs.use(`${thumbprint} ${jti}`, seconds))) throw invalid();
}

async function verifyProof({ proof, method, url }: PresentedProof, token: string, now: number) {
  const jws = proof !== undefined && proof.length <= maximumProofLength ? parseJws(proof) : undefined;
  if (jws === undefined) throw invalid();
  const jwk = await verifySignature(jws);
  const { htm, htu, iat, jti, ath, exp, nbf } = jws.payload;
  const isForRequest = htm === method && typeof htu === 'string' && addressOf(htu) === addressOf(url);
  const isInTime = typeof iat === 'number' && Math.abs(now - iat) <= windowSeconds;
  const isBounded =
    (exp === undefined || (typeof exp === 'number' && exp > now - 10)) &&
    (nbf === undefined || (typeof nbf === 'number' && nbf <= now + 10));
  const isNamed = typeof jti === 'string' && jti !== '' && jti.length <= 256;
  if (!isForRequest || !isInTime || !isBounded || !isNamed || ath !== (await hashOf(token))) throw invalid();
  return { jwk, jti, iat };
}

async function verifySignature(jws: Jws): Promise<Jwk> {
  const { typ, alg, jwk: given, crit, b64 } = jws.header;
  const name = proofAlgorithms.find((known) => known === alg);
  const jwk = asObject(given) as Jwk | undefined;
  if (typ !== 'dpop+jwt' || crit !== undefined || b64 !== undefined || name === undefined || jwk === undefined) {
    throw invalid();
  }
  if (secretMembers.some((member) => member in jwk) || !fits(jwk, name)) throw invalid();
  const algorithm = algorithmNamed(name);
  try {
    const parameters = algorithm?.key as { name: string; namedCurve: string };
    const key = await crypto.subtle.importKey('jwk', publicMembers(jwk), parameters, false, ['verify']);
    if (algorithm !== undefined && (await verifyJws(jws, algorithm, key))) return jwk;
  } catch {
    // A key that can not be read verifies nothing.
  }
  throw invalid();
}

/** Without query and fragment, in one form; what is no URL is equal to nothing. */
function addressOf(url: string): string | number {
  if (!URL.canParse(url)) return Number.NaN;
  const { origin, pathname, username, password } = new URL(url);
  return username === '' && password === '' ? `${origin}${pathname}` : Number.NaN;
}

/** Most proofs that are remembered at once; beyond, they are refused: only holders of good tokens get here. */
const maximumProofs = 100_000;

/** Of this process alone. */
export function usedProofsInMemory(now: () => number): UsedProofs {
  const used = new Map<string, number>();
  return {
    use(key, seconds) {
      for (const [known, endsAt] of used) {
        if (endsAt > now()) break;
        used.delete(known);
      }
      if (used.has(key) || used.size >= maximumProofs) return false;
      // Nearly in the order of their end; what stands behind a later one goes a minute later.
      used.set(key, now() + seconds * 1000);
      return true;
    },
  };
}
