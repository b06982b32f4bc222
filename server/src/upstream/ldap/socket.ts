/** The way to a directory: TCP through the same guard as every other request to a target that others chose, and TLS. */
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { createSecureContext, type SecureContext, connect as tlsConnect } from 'node:tls';
import { type GuardSettings, lookupAllowed, OutgoingError } from '../guarded-fetch.ts';
import { UpstreamError } from '../identity.ts';
import { isAllowedAddress } from '../targets.ts';

export const late = (): UpstreamError => new UpstreamError('unavailable', 'the directory did not answer in time');

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects to the address that was looked up and found allowed, and to no other. Throws `forbidden` where requests may not
 * go, `unavailable`.
 */
export function openSocket(guard: GuardSettings, { host, port }: Address, signal: AbortSignal): Promise<Socket> {
  // Names are checked when they are looked up, addresses here.
  if (isIP(host) !== 0 && !isAllowedAddress(host, guard)) {
    throw new UpstreamError('forbidden', 'the address is not public');
  }
  const socket = tcpConnect({ host, port, lookup: lookupAllowed(guard) });
  return whenOpen(socket, 'connect', signal, (error) =>
    error instanceof OutgoingError && error.reason === 'refused'
      ? new UpstreamError('forbidden', error.message)
      : new UpstreamError('unavailable', `the directory can't be reached (${reasonOf(error)})`, error),
  );
}

/** Puts TLS on an open socket. Throws `untrusted` when the server can't prove that it is `host`. */
export function secureSocket(socket: Socket, host: string, ca: string | null, signal: AbortSignal): Promise<Socket> {
  const options = {
    socket,
    // What the certificate has to be for; a name in the greeting is never an address (RFC 6066 §3).
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: trusting(ca),
    // Whatever the environment says.
    rejectUnauthorized: true,
  };
  const untrusted = (error: Error) =>
    new UpstreamError('untrusted', `the directory can't prove who it is (${reasonOf(error)})`, error);
  return whenOpen(tlsConnect(options), 'secureConnect', signal, untrusted);
}

/** Most sets of authorities whose contexts are kept. */
const mostContexts = 64;
const contexts = new Map<string | null, SecureContext>();

/** The context that trusts these authorities, or (null) the usual ones: making one costs half a millisecond. */
function trusting(ca: string | null): SecureContext {
  const made = contexts.get(ca) ?? createSecureContext(ca === null ? {} : { ca });
  if (contexts.size >= mostContexts && !contexts.has(ca)) contexts.clear();
  contexts.set(ca, made);
  return made;
}

const reasonOf = (error: Error): string => (error as { code?: string }).code ?? 'closed';

function whenOpen(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  failure: (error: Error) => UpstreamError,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (work: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onOpen).off('error', onError).off('close', onClose);
      work();
    };
    const refuse = (error: UpstreamError) =>
      settle(() => {
        socket.destroy();
        reject(error);
      });
    const onOpen = () => settle(() => resolve(socket));
    const onError = (error: Error) => refuse(failure(error));
    const onClose = () => refuse(failure(new Error('closed')));
    const onAbort = () => refuse(late());
    // Between two listeners, and after the last, an error has to find somebody.
    socket.on('error', () => {});
    socket.once(event, onOpen).once('error', onError).once('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
