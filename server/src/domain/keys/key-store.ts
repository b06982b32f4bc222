import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Cipher } from '../../kernel/cipher.ts';
import type { Database } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';

/**
 * Parsed keys by `kid` (parsing a PEM costs 96 µs). Only the key material is kept: which key is current, and whether
 * one is revoked, comes from each request's own query.
 */
export interface KeyStore {
  privateKey(tenantId: string, kid: string): Promise<KeyObject>;
  /** Loads the keys a tenant signs with, so that its first token does not wait for them. */
  warmUp(tenantId: string): Promise<void>;
  publicKey(tenantId: string, kid: string, jwk: JsonWebKey | string): KeyObject;
}

const keptKeys = 2000;

/** Context that binds an encrypted private key to its row. */
export const privateKeyContext = (tenantId: string, kid: string): string => `signing_key ${tenantId} ${kid}`;

const privateKeyOf = defineStatement<{ tenantId: string; kid: string }, { private_key: string }>(
  'signing_key_private',
  'select private_key from signing_keys where tenant_id = :tenantId and kid = :kid',
);

const currentKeys = defineStatement<{ tenantId: string }, { kid: string }>(
  'current_keys',
  `select kid from signing_keys where tenant_id = :tenantId and state = 'current'`,
);

export function createKeyStore(db: Database, cipher: Cipher): KeyStore {
  const privateKeys = new Map<string, KeyObject>();
  const publicKeys = new Map<string, KeyObject>();
  const store: KeyStore = {
    async warmUp(tenantId) {
      const current = await db.run(currentKeys, { tenantId });
      if (current.length === 0) throw new Error('There is no current signing key.');
      await Promise.all(current.map(({ kid }) => store.privateKey(tenantId, kid)));
    },
    async privateKey(tenantId, kid) {
      const name = `${tenantId} ${kid}`;
      const known = privateKeys.get(name);
      if (known !== undefined) return known;
      const [row] = await db.run(privateKeyOf, { tenantId, kid });
      if (row === undefined) throw new Error(`There is no signing key ${kid}.`);
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
  return store;
}

function keep(kept: Map<string, KeyObject>, name: string, key: KeyObject): KeyObject {
  if (kept.size >= keptKeys) kept.delete(kept.keys().next().value as string);
  kept.set(name, key);
  return key;
}
