/** The address to listen on: tried before anything is written, and named with a cure when it can't be had. */
import { createServer } from 'node:net';
import { ConfigError } from './config/read.ts';

/**
 * Throws `ConfigError` when nobody can listen there just now. A first start that only then found its port taken would
 * have made a client whose secret nobody ever saw.
 */
export async function assertCanListen(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(listenError(error, host, port)));
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

/** Names the setting and the cure for an address that can't be listened on. */
export function listenError(error: unknown, host: string, port: number): Error {
  const { code = '' } = error as { code?: string };
  if (code === 'EADDRINUSE') {
    return new ConfigError(
      'SEKISHO_PORT',
      `${port} is taken on ${host}: stop what listens there, or set another port.`,
    );
  }
  if (code === 'EACCES') return new ConfigError('SEKISHO_PORT', `${port} needs privileges: set a port above 1023.`);
  if (['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)) {
    return new ConfigError(
      'SEKISHO_HOST',
      `${host} is not an address of this machine: set 127.0.0.1, 0.0.0.0 or one of its own.`,
    );
  }
  return error as Error;
}
