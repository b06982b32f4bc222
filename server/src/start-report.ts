import { relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Composed } from './compose.ts';
import type { Settings } from './config/settings.ts';

/** What a start tells: an aligned block for people, or one JSON object. Secrets are in it only when they were made now. */
export function startReport(settings: Settings, composed: Composed, asJson: boolean): string {
  const { sites, db, systemApis } = composed.services;
  const site = sites.ofTenant('default');
  const apis = systemApis.map((api) => `${site.origin}${api.path}`);
  const startMs = Math.round(performance.now());
  const { firstClient, setupUrl } = composed.started;
  const facts = {
    issuer: site.issuer,
    api: apis[0] as string,
    nativeApi: apis[1] as string,
    jwks: `${site.origin}/.well-known/jwks.json`,
    data: db.location,
    ...(composed.caPath === undefined ? {} : { ca: composed.caPath }),
    ...(setupUrl === undefined ? {} : { setupUrl }),
    startMs,
  };
  if (asJson) {
    // A secret that came from the settings is known to whoever set it.
    const { clientId, clientSecret } = firstClient ?? {};
    const made = settings.adminClientSecret === undefined ? { clientId, clientSecret } : { clientId };
    return `${JSON.stringify({ ...facts, ...made })}\n`;
  }

  const rows: [string, string][] = [
    ['Issuer', facts.issuer],
    ['API', facts.api],
    ['Native API', facts.nativeApi],
    ['JWKS', facts.jwks],
    ['Data', facts.data],
    ...(composed.caPath === undefined ? [] : ([['CA', composed.caPath]] as [string, string][])),
    ['Started in', `${startMs} ms`],
  ];
  const lines = [
    '',
    '  Sekisho 関所 is ready.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    '',
  ];
  if (setupUrl !== undefined) lines.push(...setupLines(setupUrl), '');
  if (firstClient !== undefined) lines.push(...firstClientLines(settings, composed, firstClient, facts.api), '');
  return `${lines.join('\n')}\n`;
}

/** Good once, for whoever reads this. */
const setupLines = (url: string): string[] => [
  '  The first administrator makes an account here, once and within 60 minutes:',
  '',
  `  ${url}`,
];

function firstClientLines(
  settings: Settings,
  composed: Composed,
  client: { clientId: string; clientSecret: string },
  audience: string,
): string[] {
  const given = settings.adminClientSecret !== undefined;
  const { origin } = composed.services.sites.ofTenant('default');
  const ca = composed.caPath === undefined ? '' : `--cacert '${relative('', composed.caPath)}' `;
  return [
    given
      ? '  The management client of the settings was made.'
      : '  The first management client. Its secret is shown this once: keep it.',
    '',
    `  ${'Client id'.padEnd(14)}${client.clientId}`,
    `  ${'Client secret'.padEnd(14)}${given ? '(SEKISHO_ADMIN_CLIENT_SECRET)' : client.clientSecret}`,
    '',
    '  A first token:',
    '',
    `  curl -s ${ca}${origin}/oauth/token \\`,
    '    -d grant_type=client_credentials \\',
    `    -d client_id=${client.clientId} \\`,
    // A given secret may hold characters that mean something in a form.
    given
      ? '    --data-urlencode "client_secret=$SEKISHO_ADMIN_CLIENT_SECRET" \\'
      : `    -d client_secret=${client.clientSecret} \\`,
    `    -d audience=${audience}`,
  ];
}
