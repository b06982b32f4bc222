import type { LogoutNotice } from '../../domain/logout-notices/notices.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import type { ProtocolContext } from '../context.ts';
import { profileNamed } from '../profile.ts';
import { currentKey } from '../token-facts.ts';
import { idTokenAlgorithm } from '../tokens/id-token.ts';
import { signJwt } from '../tokens/mint.ts';

/** How long a logout token is good, in seconds (OpenID Connect Back-Channel Logout §4: two minutes at most). */
const lifetimeSeconds = 120;

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token (OpenID Connect Back-Channel Logout §2.4). It never has a nonce, so that it is no ID token. */
export async function mintLogoutToken(ctx: ProtocolContext, notice: LogoutNotice): Promise<string> {
  const { clock, random, db } = ctx.services;
  const profile = profileNamed(notice.issuer);
  const issuedAt = Math.floor(clock.now() / 1000);
  const [key] = await db.run(currentKey, { tenantId: ctx.site.tenantId, alg: idTokenAlgorithm });
  return signJwt(
    ctx,
    { alg: idTokenAlgorithm, typ: 'logout+jwt', kid: key?.kid as string },
    {
      iss: profile.issuer(ctx.site),
      sub: profile.subjectOfUser(notice.userId),
      aud: notice.clientId,
      iat: issuedAt,
      exp: issuedAt + lifetimeSeconds,
      jti: randomBase64Url(random, 16),
      events: { [logoutEvent]: {} },
      ...(notice.sessionId === null ? {} : { sid: notice.sessionId }),
    },
  );
}
