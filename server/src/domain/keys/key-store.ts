import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Cipher } from '../../kernel/cipher.ts';
import type { Database } from '../../storage/database.ts';

/**
 * Parsed keys by `kid` (parsing a PEM costs 96 µs). Only the key material is kept: which key is current, and whether
 * one is revoked, comes from each request's own query.
 */
export interface KeyStore {
  privateKey(tenantId: string, kid: string): Promise<KeyObject>;
  publicKey(tenantId: string, kid: string, jwk: JsonWebKey | string): KeyObject;
}

const keptKeys = 2000;

/** Context that binds an encrypted private key to its row. */
export const privateKeyContext = (tenantId: string, kid: string): string => `signing_key ${tenantId} ${kid}`;

export function createKeyStore(db: Database, cipher: Cipher): KeyStore {
  const privateKeys = new Map<string, KeyObject>();
  const publicKeys = new Map<string, KeyObject>();
  return {
    async privateKey(tenantId, kid) {
      const name = `${tenantId} ${kid}`;
      const known = privateKeys.get(name);
      if (known !== undefined) return known;
      const row = await db.read
        .selectFrom('signing_keys')
        .select('private_key')
        .where('tenant_id', '=', tenantId)
        .where('kid', '=', kid)
        .executeTakeFirstOrThrow();
      return keep(
        privateKeys,
        name,
        createPrivateKey(cipher.decrypt(row.private_key, privateKeyContext(tenantId, kid))),
      );
    },
    publicKey(tenantId, kid, jwk) {
      const name = `${tenantId} ${kid}`;
      const known = publicKeys.get(name);
      if (known !== undefined) return known;
      const key = typeof jwk === 'string' ? (JSON.parse(jwk) as JsonWebKey) : jwk;
      return keep(publicKeys, name, createPublicKey({ key, format: 'jwk' }));
    },
  };
}

function keep(kept: Map<string, KeyObject>, name: string, key: KeyObject): KeyObject {
  if (kept.size >= keptKeys) kept.delete(kept.keys().next().value as string);
  kept.set(name, key);
  return key;
}
