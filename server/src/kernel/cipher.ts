import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import type { Random } from './random.ts';

/**
 * Encrypts what is kept at rest (private keys, upstream secrets) under a master key that lives outside the database.
 * A ciphertext names the key it was made with, so the master key can be rotated: the first key encrypts, every key
 * of the ring decrypts. AES-256-GCM, 96-bit random nonces.
 */
export interface Cipher {
  /** `context` binds the ciphertext to its row, so that it can't be moved to another one. */
  encrypt(plaintext: string, context: string): string;
  /** Throws when no key of the ring fits, or the ciphertext was altered or moved. */
  decrypt(ciphertext: string, context: string): string;
  /** A key for one purpose, derived from the first master key (HKDF-SHA-256, RFC 5869). */
  deriveKey(purpose: string): Buffer;
}

interface RingKey {
  id: string;
  key: Buffer;
}

const version = 'v1';

/** Builds a cipher from 32-byte master keys, the current one first. */
export function createCipher(masterKeys: readonly Buffer[], random: Random): Cipher {
  const ring = masterKeys.map((key): RingKey => ({ id: keyId(key), key }));
  const current = ring[0];
  if (current === undefined) throw new Error('A cipher needs at least one master key.');
  return {
    encrypt(plaintext, context) {
      const nonce = random(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce);
      cipher.setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [version, current.id, Buffer.from(nonce).toString('base64url'), sealed.toString('base64url')].join('.');
    },
    decrypt(ciphertext, context) {
      const [ciphertextVersion, id, nonce, sealedText] = ciphertext.split('.');
      const entry = ring.find((candidate) => candidate.id === id);
      if (ciphertextVersion !== version || entry === undefined || nonce === undefined || sealedText === undefined) {
        throw new Error(`No master key of the ring can decrypt this (it names key ${id ?? 'none'}).`);
      }
      const sealed = Buffer.from(sealedText, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', entry.key, Buffer.from(nonce, 'base64url'));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8');
    },
    deriveKey: (purpose) => Buffer.from(hkdfSync('sha256', current.key, '', `sekisho ${purpose}`, 32)),
  };
}

/** Names a key without telling anything of it. */
const keyId = (key: Buffer): string =>
  createHash('sha256').update('sekisho master key id').update(key).digest('hex').slice(0, 8);
