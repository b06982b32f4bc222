/** GSSAPI's rounds (RFC 4752), with the tickets that this process has: mutual authentication, no security layer. */
import { UpstreamError } from '../identity.ts';
import { malformed } from './ber.ts';
import type { LdapConnection } from './connection.ts';
import { bindSasl } from './operations.ts';
import { challengeOf, codes, refusalOf } from './result.ts';

const mechanism = 'GSSAPI';
/** Kerberos needs two. */
const mostRounds = 8;
/** "No security layer", in the server's offer and in our choice (§3.1). */
const noLayer = 1;

/** What we use of the package; tokens are in base64. */
export interface KerberosLibrary {
  readonly GSS_MECH_OID_KRB5: number;
  readonly GSS_C_MUTUAL_FLAG: number;
  readonly GSS_C_INTEG_FLAG: number;
  initializeClient(service: string, options: { mechOID: number; gssFlag: number }): Promise<KerberosClient>;
}

interface KerberosClient {
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string>;
  wrap(challenge: string): Promise<string>;
  unwrap(challenge: string): Promise<string>;
}

/** Throws `untrusted` when the server can't prove that it is the service of its host; `misconfigured`, `credentials_refused`. */
export async function bindGssapi(connection: LdapConnection, library: KerberosLibrary): Promise<void> {
  const client = await library.initializeClient(`ldap@${connection.host}`, {
    mechOID: library.GSS_MECH_OID_KRB5,
    gssFlag: library.GSS_C_MUTUAL_FLAG | library.GSS_C_INTEG_FLAG,
  });
  const offer = await layersOffered(connection, client);
  if (offer.length !== 4 || ((offer[0] as number) & noLayer) === 0) {
    throw new UpstreamError('misconfigured', 'the directory insists on a security layer; use ldaps:// or StartTLS');
  }
  const choice = await client.wrap(Buffer.of(noLayer, 0, 0, 0).toString('base64'));
  const result = await bindSasl(connection, mechanism, Buffer.from(choice, 'base64'));
  if (result.code !== codes.success) throw refusalOf(result, { wasChallenged: true });
}

/** Goes round until both sides know each other, and then reads what the server offers for the rest of the connection. */
async function layersOffered(connection: LdapConnection, client: KerberosClient): Promise<Buffer> {
  let token = await client.step('').catch((error: Error) => {
    throw ticketFailure(error);
  });
  for (let round = 0; round < mostRounds; round += 1) {
    const answer = challengeOf(await bindSasl(connection, mechanism, Buffer.from(token ?? '', 'base64')));
    const isOffer = client.contextComplete;
    const read = isOffer ? client.unwrap : client.step;
    token = await read.call(client, answer.toString('base64')).catch((error: Error) => {
      throw new UpstreamError('untrusted', 'the directory does not prove that it is the service of its host', error);
    });
    if (isOffer) return Buffer.from(token, 'base64');
  }
  throw malformed('Kerberos comes to no end');
}

/** The person has tickets, but gets none for the directory. */
const ticketFailure = (error: Error): UpstreamError =>
  /cannot (contact|resolve)/i.test(error.message)
    ? new UpstreamError('unavailable', 'the Kerberos server can not be reached', error)
    : new UpstreamError('misconfigured', 'Kerberos gives no ticket for the directory (ldap/<host of the URL>)', error);
