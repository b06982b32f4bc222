/** The certificate a client showed: in the TLS handshake, or to a trusted proxy that tells of it in a header. */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { parseCertificate } from '../../kernel/client-certificates.ts';
import { normalAddress, type TrustedProxies } from './address.ts';

/** How clients' certificates reach us; with neither, none does. */
export interface CertificateSource {
  /** Lower-case name of the header of trusted proxies. */
  readonly header: string | undefined;
  /** Whether the TLS handshake asks for one. */
  readonly asked: boolean;
}

/** Longest header that is looked at, in characters. */
const maximumHeaderLength = 16_384;

/**
 * The certificate (DER) of whoever sent the request, undefined when none was shown. The header counts only when the
 * direct peer is a trusted proxy; then the connection's own certificate is the proxy's and says nothing of the client.
 */
export function clientCertificateOf(
  message: IncomingMessage,
  source: CertificateSource,
  trusted: TrustedProxies,
): Buffer | undefined {
  if (source.header === undefined && !source.asked) return undefined;
  const address = normalAddress(message.socket.remoteAddress ?? '');
  if (source.header !== undefined && address !== undefined && trusted.has(address)) {
    return readCertificate(message.headers[source.header]);
  }
  return source.asked ? ofConnection(message.socket as TLSSocket) : undefined;
}

/** A connection shows the same certificate to the end. */
const ofConnections = new WeakMap<TLSSocket, Buffer | undefined>();

function ofConnection(socket: TLSSocket): Buffer | undefined {
  if (!ofConnections.has(socket)) ofConnections.set(socket, socket.getPeerX509Certificate?.()?.raw);
  return ofConnections.get(socket);
}

/**
 * Reads what proxies write: PEM, with its line ends as they are, as spaces or URL-encoded (nginx, Apache), base64 of the
 * DER alone (HAProxy, Traefik), or the same between colons (RFC 9440). Anything else, a header that came twice included,
 * is no certificate.
 */
export function readCertificate(header: string | string[] | undefined): Buffer | undefined {
  if (typeof header !== 'string' || header.length > maximumHeaderLength) return undefined;
  const text = decoded(header);
  const base64 =
    /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text)?.[1] ??
    /^:?([A-Za-z0-9+/]+=*):?$/.exec(text)?.[1];
  return base64 === undefined ? undefined : parseCertificate(Buffer.from(base64, 'base64'))?.raw;
}

function decoded(header: string): string {
  if (!header.includes('%')) return header;
  try {
    return decodeURIComponent(header);
  } catch {
    return '';
  }
}
