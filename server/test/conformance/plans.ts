/**
 * The modules of the OpenID Foundation's conformance suite that concern this server, plan by plan, each with its state
 * here. `docs/conformance.md` is written from this table; a module without a reason has a test that is called like it.
 */

/** Undefined: it passes. */
export interface State {
  /** It passes, and the suite would say something besides. */
  readonly note?: string;
  /** Why there is nothing to test. */
  readonly doesNotApply?: string;
  /** What is not as it should be. */
  readonly fails?: string;
}

export interface Plan {
  readonly title: string;
  /** The suite's name of the plan. */
  readonly name: string;
  readonly about: string;
  /** What the names of all its modules begin with. */
  readonly prefix?: string;
  readonly modules: Readonly<Record<string, State>>;
}

const passes: State = {};
const warns = (note: string): State => ({ note });
const not = (doesNotApply: string): State => ({ doesNotApply });

const signedTokensOnly = not('ID tokens are always signed: `none` is no algorithm here.');
const noRequestObjects = not(
  'Request objects are not supported (`request_parameter_supported` and `request_uri_parameter_supported` are false).',
);
const claimsInIdToken =
  'The suite warns: the ID token carries the claims of the scopes too (Core §5.4 allows it, and Logto’s clients read them there).';

export const plans: readonly Plan[] = [
  {
    title: 'Basic OP',
    name: 'oidcc-basic-certification-test-plan',
    about: 'Client authentication `client_secret_basic`, response type `code`; at both issuers.',
    modules: {
      'oidcc-server': passes,
      'oidcc-response-type-missing': passes,
      'oidcc-idtoken-signature': passes,
      'oidcc-idtoken-unsigned': signedTokensOnly,
      'oidcc-userinfo-get': passes,
      'oidcc-userinfo-post-header': passes,
      'oidcc-userinfo-post-body': passes,
      'oidcc-ensure-request-without-nonce-succeeds-for-code-flow': passes,
      'oidcc-scope-profile': warns(claimsInIdToken),
      'oidcc-scope-email': warns(claimsInIdToken),
      'oidcc-scope-address': warns(claimsInIdToken),
      'oidcc-scope-phone': warns(claimsInIdToken),
      'oidcc-scope-all': warns(claimsInIdToken),
      'oidcc-alternate-happy-flow': warns(claimsInIdToken),
      'oidcc-display-page': passes,
      'oidcc-display-popup': passes,
      'oidcc-prompt-login': passes,
      'oidcc-prompt-none-not-logged-in': passes,
      'oidcc-prompt-none-logged-in': passes,
      'oidcc-max-age-1': passes,
      'oidcc-max-age-10000': passes,
      'oidcc-ensure-request-with-unknown-parameter-succeeds': passes,
      'oidcc-id-token-hint': passes,
      'oidcc-login-hint': passes,
      'oidcc-ui-locales': passes,
      'oidcc-claims-locales': passes,
      'oidcc-ensure-request-with-acr-values-succeeds': warns(
        'The suite warns: `acr_values` is read over, and the ID token has no `acr` (Core §3.1.2.1 allows it).',
      ),
      'oidcc-codereuse': passes,
      'oidcc-codereuse-30seconds': passes,
      'oidcc-ensure-registered-redirect-uri': passes,
      'oidcc-ensure-post-request-succeeds': passes,
      'oidcc-server-client-secret-post': passes,
      'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': passes,
      'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': passes,
      'oidcc-claims-essential': warns(
        'The suite warns: the parameter `claims` is read over (`claims_parameter_supported` is false); `name` comes with the scope `profile`.',
      ),
      'oidcc-ensure-request-object-with-redirect-uri': noRequestObjects,
      'oidcc-refresh-token': passes,
      'oidcc-ensure-request-with-valid-pkce-succeeds': passes,
    },
  },
  {
    title: 'Config OP',
    name: 'oidcc-config-certification-test-plan',
    about: 'At both issuers.',
    modules: { 'oidcc-discovery-endpoint-verification': passes },
  },
  {
    title: 'Dynamic OP',
    name: 'oidcc-dynamic-certification-test-plan',
    about: 'Clients register themselves with an initial access token (registration is off until a tenant turns it on).',
    modules: {
      'oidcc-idtoken-rs256': passes,
      'oidcc-idtoken-unsigned': signedTokensOnly,
      'oidcc-userinfo-rs256': not(
        'The userinfo endpoint answers JSON only; a registration that asks for a signed answer is refused.',
      ),
      'oidcc-ensure-redirect-uri-in-authorization-request': passes,
      'oidcc-redirect-uri-query-OK': passes,
      'oidcc-redirect-uri-query-mismatch': passes,
      'oidcc-redirect-uri-query-added': passes,
      'oidcc-redirect-uri-regfrag': passes,
      'oidcc-discovery-endpoint-verification': passes,
      'oidcc-server': passes,
      'oidcc-registration-logo-uri': passes,
      'oidcc-registration-policy-uri': passes,
      'oidcc-registration-tos-uri': passes,
      'oidcc-registration-jwks-uri': not(
        'Keys are registered by value (`jwks`); `jwks_uri` is refused, so that nobody can make the server fetch an address.',
      ),
      'oidcc-registration-sector-uri': not(
        'Subjects are public (`subject_types_supported`); a sector identifier would have to be fetched, and is refused.',
      ),
      'oidcc-registration-sector-bad': passes,
      'oidcc-server-rotate-keys': passes,
      'oidcc-refresh-token-rp-key-rotation': not('It rotates the keys behind a `jwks_uri`, which is refused.'),
      'oidcc-request-uri-unsigned': noRequestObjects,
      'oidcc-request-uri-signed-rs256': noRequestObjects,
      'oidcc-ensure-request-object-with-redirect-uri': noRequestObjects,
      'oidcc-refresh-token': passes,
      'oidcc-ensure-client-assertion-with-iss-aud-succeeds': passes,
    },
  },
  {
    title: 'RP-initiated logout',
    name: 'oidcc-rp-initiated-logout-certification-test-plan',
    about: 'At both issuers.',
    prefix: 'oidcc-rp-initiated-logout',
    modules: {
      '-discovery-endpoint-verification': passes,
      '': passes,
      '-bad-post-logout-redirect-uri': passes,
      '-modified-id-token-hint': passes,
      '-no-id-token-hint': passes,
      '-no-params': passes,
      '-no-post-logout-redirect-uri': passes,
      '-no-state': passes,
      '-only-state': passes,
      '-query-added-to-post-logout-redirect-uri': passes,
      '-bad-id-token-hint': passes,
    },
  },
  {
    title: 'Back-channel logout',
    name: 'oidcc-backchannel-rp-initiated-logout-certification-test-plan',
    about: 'At both issuers.',
    modules: {
      'oidcc-backchannel-logout-discovery-endpoint-verification': passes,
      'oidcc-backchannel-rp-initiated-logout': passes,
    },
  },
  {
    title: 'FAPI 2.0 Security Profile, client credentials',
    name: 'fapi2-security-profile-final-test-plan',
    about:
      'Variant `fapi_client_credentials_grant`: client authentication `private_key_jwt`, sender constraint `dpop`, plain requests and answers; at both issuers. The protected resource is the management API.',
    prefix: 'fapi2-security-profile-final-',
    modules: {
      'discovery-end-point-verification': passes,
      'happy-flow': passes,
      'access-token-type-header-case-sensitivity': passes,
      'check-dpop-proof-nbf-exp': passes,
      'ensure-dpopproof-with-iat-10seconds-before-succeeds': passes,
      'ensure-dpopproof-with-iat-10seconds-after-succeeds': passes,
      'ensure-client-id-in-token-endpoint': passes,
      'ensure-holder-of-key-required': passes,
      'ensure-signed-client-assertion-with-RS256-fails': passes,
      'ensure-client-assertion-in-token-endpoint': warns(
        'At the root issuer the refusal is `access_denied` (401), as Auth0 has it, where the suite expects `invalid_client`; the issuer below `/oidc` says that.',
      ),
      'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails': passes,
      'ensure-client-assertion-with-wrong-aud-fails': passes,
      'ensure-client-assertion-with-no-sub-fails': passes,
      'dpop-negative-tests': passes,
    },
  },
];

/** The page, as `docs/conformance.md` must be. */
export function pageOf(all: readonly Plan[]): string {
  const states = all.flatMap(({ modules }) => Object.values(modules));
  const passed = states.filter(({ doesNotApply, fails }) => doesNotApply === undefined && fails === undefined).length;
  const failed = states.filter(({ fails }) => fails !== undefined).length;
  return `# Conformance

The modules of the OpenID Foundation’s conformance suite that concern this server, and their state in our own runner:
\`server/test/conformance\` has one test for each module, under the module’s name, written from the specifications. It is
no certification: the suite itself was not run. This page is generated from \`server/test/conformance/plans.ts\`, and a test
keeps it and the tests equal: \`node server/test/conformance/write-page.ts\` writes it.

Of ${states.length} modules ${passed} pass, ${states.length - passed - failed} do not apply, ${failed} fail.

${all.map(sectionOf).join('\n\n')}
`;
}

const sectionOf = ({ title, name, about, prefix = '', modules }: Plan): string =>
  [
    `## ${title}`,
    '',
    `Plan \`${name}\`. ${about}`,
    '',
    '| module | state |',
    '|---|---|',
    ...Object.entries(modules).map(([module, state]) => `| \`${prefix}${module}\` | ${stateText(state)} |`),
  ].join('\n');

function stateText({ note, doesNotApply, fails }: State): string {
  if (fails !== undefined) return `**fails**: ${fails}`;
  if (doesNotApply !== undefined) return `does not apply: ${doesNotApply}`;
  return note === undefined ? 'passes' : `passes. ${note}`;
}
