/**
 * The OAuth 1.0a provider that tests use, to try things against by hand: it prints where it is, until Ctrl-C. It lets
 * browsers go back to the address it is given.
 *
 *   node scripts/labs/oauth1.ts [--port 9481] CALLBACK_URL
 */
import { parseArgs } from 'node:util';
import { startOAuth1Lab } from '../../server/test/labs/oauth1.ts';
import { hasOauthlib, installOauthlib } from '../oauthlib.ts';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '9481' } },
  allowPositionals: true,
});
const [callbackUrl] = positionals;
if (callbackUrl === undefined) throw new Error('Name the callback URL of a policy.');
await installOauthlib();
if (!hasOauthlib()) process.exit(1);
const lab = await startOAuth1Lab(callbackUrl, Number(values.port));

console.log(`
request token     ${lab.oauth1.requestTokenUrl}
authorization     ${lab.oauth1.authorizeUrl}
access token      ${lab.oauth1.accessTokenUrl}
profile           ${lab.oauth1.profileUrl}
consumer key      ${lab.oauth1.consumerKey}
consumer secret   ${lab.consumerSecret}
goes back to      ${callbackUrl}
people            alice, bob (without passwords)

Ctrl-C ends it.`);

const goOn = setInterval(() => {}, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    clearInterval(goOn);
    await lab.close();
  });
}
