import { join } from 'node:path';
import { startChild } from './child.ts';
import type { Algorithm } from './token.ts';

/** What one asynchronous `crypto.sign` on Node's thread pool costs here and now: the floor below which no token can go. */
export interface SignatureCost {
  cpuMicros: number;
  perSecond: number;
}

/** RS256 with RSA-2048, ES256 with P-256 (asked for as DER, the cheaper form). Takes 1.25 × `seconds`. */
export async function measureSignature(algorithm: Algorithm, seconds: number): Promise<SignatureCost> {
  const file = join(import.meta.dirname, 'signer.ts');
  const child = await startChild(file, [algorithm, String(seconds)], {}, ['cpuMicros', 'perSecond']);
  await child.stop();
  return child.ready as unknown as SignatureCost;
}
