/**
 * What of a client counts where people sign in, in Auth0's words. The facts stand in the client's `signIn`, where each
 * dialect reads them; what Auth0 has more words for than there are facts stays in `extras`, and is shown beside.
 */
import type { ClientSettings } from '../../../domain/clients/client.ts';
import { type ClientSignIn, noSignIn } from '../../../domain/clients/sign-in.ts';
import { assertOrigin, longestLifetimeSeconds } from '../../../domain/clients/sign-in-rules.ts';
import type { Sites } from '../../../domain/tenants/sites.ts';
import { invalid } from '../../../kernel/errors.ts';
import { withoutUnset } from '../envelope.ts';

/** Fields by Auth0's names: absent is not said, null unsets. */
type Fields = Record<string, unknown>;
type Fact = keyof ClientSignIn;
type Facts = Partial<Record<Fact, unknown>>;
type Before = Pick<ClientSettings, 'signIn' | 'extras'>;

/** One word for one fact. */
const plain: Readonly<Record<string, Fact>> = {
  callbacks: 'redirectUris',
  allowed_logout_urls: 'postLogoutRedirectUris',
  initiate_login_uri: 'initiateLoginUri',
  logo_uri: 'logoUri',
  organization_usage: 'organizationUsage',
  require_pushed_authorization_requests: 'requiresPushedRequests',
  require_proof_of_possession: 'requiresDpop',
};

const originWords = ['allowed_origins', 'web_origins'] as const;
/** The second is the name Auth0 had before. */
const logoutWords = ['oidc_logout', 'oidc_backchannel_logout'] as const;

/**
 * Splits what a body says into facts and into what this dialect keeps of it, null where nothing of a word stays. `before`
 * is the client as it is. Throws `input.invalid`.
 */
export function readSignIn(sites: Sites, given: Fields, before: Before): { signIn: ClientSignIn; kept: Fields } {
  const facts: Facts = {};
  const kept: Fields = { ...given };
  for (const [word, fact] of Object.entries(plain)) {
    if (given[word] === undefined) continue;
    const isSaid = !isEmpty(given[word]);
    facts[fact] = isSaid ? given[word] : undefined;
    // An empty list or text is no fact; it is shown as it came.
    if (isSaid) kept[word] = null;
  }
  readOrigins(sites, given, before, facts);
  readLogout(given, kept, facts);
  readLifetimes(given, kept, facts);
  const said = Object.entries(facts).map(([fact, value]) => [fact, value ?? noSignIn[fact as Fact]]);
  return { signIn: { ...before.signIn, ...Object.fromEntries(said) }, kept };
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** Two lists of origins are one fact. */
function readOrigins(sites: Sites, given: Fields, before: Before, facts: Facts): void {
  if (originWords.every((word) => given[word] === undefined)) return;
  const shown = shownOrigins(before.extras.auth0 ?? {}, before.signIn);
  const lists = originWords.map((word) => {
    if (given[word] === undefined) return (shown[word] ?? []) as string[];
    const origins = (given[word] ?? []) as string[];
    // Here, for where it stands in the one list says not where it stood in the two.
    for (const [index, origin] of origins.entries()) assertOrigin(sites, origin, `${word}.${index}`);
    return origins;
  });
  facts.allowedOrigins = [...new Set(lists.flat())];
}

function readLogout(given: Fields, kept: Fields, facts: Facts): void {
  const said = logoutWords.filter((word) => given[word] !== undefined);
  if (said.length === 0) return;
  const uris = new Set<string>();
  for (const word of said) {
    const { backchannel_logout_urls: urls = [], ...rest } = (given[word] ?? {}) as {
      backchannel_logout_urls?: string[];
    };
    for (const uri of urls) uris.add(uri);
    if (urls.length > 0) kept[word] = rest;
  }
  if (uris.size > 1) throw invalid(`${said[0]}.backchannel_logout_urls`, 'One address can be told of a logout');
  facts.backchannelLogoutUri = [...uris][0];
}

function readLifetimes(given: Fields, kept: Fields, facts: Facts): void {
  const { jwt_configuration: jwt, refresh_token: refresh } = given as Record<string, Fields | null | undefined>;
  if (jwt !== undefined) {
    const { lifetime_in_seconds: lifetime, ...rest } = jwt ?? {};
    facts.idTokenLifetimeSeconds = lifetime;
    if (jwt !== null) kept.jwt_configuration = rest;
  }
  if (refresh !== undefined) {
    const { rotation_type: rotation, ...rest } = refresh ?? {};
    facts.rotatesRefreshTokens = rotation === undefined ? undefined : rotation === 'rotating';
    facts.refreshTokenLifetimeSeconds = refreshLifetimeOf(rest);
    if (refresh !== null) kept.refresh_token = rest;
  }
}

/** For ever is as long as anything lasts here. */
const refreshLifetimeOf = (words: Fields): unknown =>
  words.infinite_token_lifetime === true || words.expiration_type === 'non-expiring'
    ? longestLifetimeSeconds
    : words.token_lifetime;

/** The facts in Auth0's words, together with what this dialect kept. */
export function shownSignIn(kept: Fields, signIn: ClientSignIn): Fields {
  const facts = Object.entries(plain).map(([word, fact]) => [word, isEmpty(signIn[fact]) ? undefined : signIn[fact]]);
  const { idTokenLifetimeSeconds: lifetime_in_seconds } = signIn;
  return {
    ...kept,
    ...withoutUnset(Object.fromEntries(facts)),
    ...shownOrigins(kept, signIn),
    ...shownLogout(kept, signIn),
    ...part('jwt_configuration', kept, { lifetime_in_seconds }),
    ...part('refresh_token', kept, refreshWords((kept.refresh_token ?? {}) as Fields, signIn)),
  };
}

/** An object of Auth0's: what was kept of it, and facts; absent where there is neither. */
function part(word: string, kept: Fields, facts: Fields): Fields {
  const shown = { ...(kept[word] as Fields | undefined), ...withoutUnset(facts) };
  return kept[word] === undefined && Object.keys(shown).length === 0 ? {} : { [word]: shown };
}

/** Each origin in the list it came in; those that came from elsewhere among `allowed_origins`. */
function shownOrigins(kept: Fields, { allowedOrigins }: ClientSignIn): Fields {
  const [allowed, web] = originWords.map((word) => kept[word] as string[] | undefined);
  const still = (list: string[] | undefined) => list?.filter((origin) => allowedOrigins.includes(origin));
  const others = allowedOrigins.filter((origin) => !allowed?.includes(origin) && !web?.includes(origin));
  const shown = [...(still(allowed) ?? []), ...others];
  return withoutUnset({
    allowed_origins: allowed === undefined && shown.length === 0 ? undefined : shown,
    web_origins: still(web),
  });
}

function shownLogout(kept: Fields, { backchannelLogoutUri: uri }: ClientSignIn): Fields {
  if (uri === undefined) return {};
  const known = logoutWords.filter((word) => kept[word] !== undefined);
  const words = known.length === 0 ? [logoutWords[0]] : known;
  return Object.assign({}, ...words.map((word) => part(word, kept, { backchannel_logout_urls: [uri] })));
}

function refreshWords(kept: Fields, signIn: ClientSignIn): Fields {
  const { rotatesRefreshTokens: rotates, refreshTokenLifetimeSeconds: lifetime } = signIn;
  const rotation_type = rotates === undefined ? undefined : rotates ? 'rotating' : 'non-rotating';
  if (lifetime === undefined || refreshLifetimeOf(kept) === lifetime) return { rotation_type };
  return { rotation_type, expiration_type: 'expiring', token_lifetime: lifetime, infinite_token_lifetime: false };
}
