/** CRAM-MD5 (RFC 2195): the password does not cross the wire, and the server proves nothing. */
import { createHmac } from 'node:crypto';
import type { LdapConnection } from './connection.ts';
import type { LdapCredentials } from './credentials.ts';
import { bindSasl } from './operations.ts';
import { challengeOf, codes, refusalOf } from './result.ts';

const mechanism = 'CRAM-MD5';

/** Throws `credentials_refused`, `misconfigured` where the mechanism is not offered, `answer_invalid`. */
export async function bindCramMd5(connection: LdapConnection, { user, password }: LdapCredentials): Promise<void> {
  const challenge = challengeOf(await bindSasl(connection, mechanism));
  const proof = createHmac('md5', password).update(challenge).digest('hex');
  const result = await bindSasl(connection, mechanism, Buffer.from(`${user} ${proof}`));
  if (result.code !== codes.success) throw refusalOf(result, { wasChallenged: true });
}
