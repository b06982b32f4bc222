import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from './read.ts';
import type { Settings } from './settings.ts';

const setting = 'SEKISHO_TLS_CLIENT_CA';

/** The authorities whose certificates clients may prove themselves with. Throws `ConfigError`. */
export function readClientAuthorities({ tlsClientCa: path }: Settings): X509Certificate[] {
  if (path === undefined) return [];
  const blocks = readPem(path).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new ConfigError(setting, `${path} holds no certificate: give a PEM file with some.`);
  return blocks.map((block, index) => {
    const certificate = parse(block);
    if (certificate?.ca) return certificate;
    const problem = certificate === undefined ? 'can not be read' : 'is not one of an authority';
    throw new ConfigError(setting, `certificate ${index + 1} of ${path} ${problem}: take it out.`);
  });
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new ConfigError(setting, `${path} can not be read (${code}): give a PEM file the server may read.`);
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
