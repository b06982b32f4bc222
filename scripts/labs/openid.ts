/**
 * The OpenID Connect provider that tests use (it is one of OAuth 2, too), to try things against by hand: it prints where it
 * is and who is there, until Ctrl-C. It lets browsers go back to the addresses it is given.
 *
 *   node scripts/labs/openid.ts [--port 9480] CALLBACK_URL…
 */
import { parseArgs } from 'node:util';
import { startOidcLab } from '../../server/test/labs/oidc.ts';
import { labAccounts } from '../../server/test/labs/oidc-provider.ts';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '9480' } },
  allowPositionals: true,
});
const lab = await startOidcLab(positionals, { port: Number(values.port) });

console.log(`
issuer            ${lab.issuer}
client id         ${lab.clientId}
client secret     ${lab.clientSecret}
as OAuth 2
  authorization   ${lab.oauth2.authorizationUrl}
  token           ${lab.oauth2.tokenUrl}
  user info       ${lab.oauth2.userInfoUrl}
goes back to      ${positionals.join('\n                  ') || 'nowhere: name the callback URLs of a policy'}
people            ${Object.keys(labAccounts).join(', ')} (without passwords)

Ctrl-C ends it.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void lab.close());
