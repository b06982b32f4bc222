/**
 * What of an application counts where people sign in, in Logto's words. The facts stand in the client's `signIn` and
 * grant types, where each dialect reads them; here stays in which words a fact was said.
 */
import type { CustomClientMetadata, OidcClientMetadata } from '@sekisho/contract';
import type { Client } from '../../../domain/clients/client.ts';
import type { ClientSignIn } from '../../../domain/clients/sign-in.ts';
import { invalid } from '../../../kernel/errors.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';
const day = 86_400;

/** The domain's fields in Logto's words, for errors. */
export const signInNames = {
  redirectUris: 'oidcClientMetadata.redirectUris',
  postLogoutRedirectUris: 'oidcClientMetadata.postLogoutRedirectUris',
  backchannelLogoutUri: 'oidcClientMetadata.backchannelLogoutUri',
  logoUri: 'oidcClientMetadata.logoUri',
  allowedOrigins: 'customClientMetadata.corsAllowedOrigins',
  idTokenLifetimeSeconds: 'customClientMetadata.idTokenTtl',
  refreshTokenLifetimeSeconds: 'customClientMetadata.refreshTokenTtl',
};

/** The facts that the metadata objects of a body say; each object that is given replaces all that it can say. */
export function signInFacts(
  oidc: Partial<OidcClientMetadata> | undefined,
  custom: CustomClientMetadata | undefined,
): Partial<ClientSignIn> {
  return {
    ...(oidc && {
      redirectUris: oidc.redirectUris ?? [],
      postLogoutRedirectUris: oidc.postLogoutRedirectUris ?? [],
      ...orUnset({
        backchannelLogoutUri: oidc.backchannelLogoutUri,
        backchannelLogoutSessionRequired: oidc.backchannelLogoutSessionRequired,
        logoUri: oidc.logoUri,
      }),
    }),
    ...(custom && {
      allowedOrigins: custom.corsAllowedOrigins ?? [],
      ...orUnset({
        idTokenLifetimeSeconds: custom.idTokenTtl,
        refreshTokenLifetimeSeconds: refreshLifetimeOf(custom),
        rotatesRefreshTokens: custom.rotateRefreshToken,
        alwaysIssuesRefreshToken: custom.alwaysIssueRefreshToken,
      }),
    }),
  };
}

/** What is absent is to be unset: it is said as undefined, which the domain leaves out. */
const orUnset = (facts: Record<string, unknown>) => facts as Partial<ClientSignIn>;

/** Logto has two words for it. Throws `input.invalid` where they disagree. */
function refreshLifetimeOf({ refreshTokenTtl, refreshTokenTtlInDays }: CustomClientMetadata): number | undefined {
  if (refreshTokenTtlInDays === undefined) return refreshTokenTtl;
  const seconds = refreshTokenTtlInDays * day;
  if (refreshTokenTtl !== undefined && refreshTokenTtl !== seconds) {
    throw invalid('customClientMetadata.refreshTokenTtl', 'It says something else than refreshTokenTtlInDays.');
  }
  return seconds;
}

/** What only this dialect has words for. */
export type KeptMetadata = Pick<
  CustomClientMetadata,
  | 'corsAllowedOrigins'
  | 'refreshTokenTtl'
  | 'refreshTokenTtlInDays'
  | 'maxAllowedGrants'
  | 'allowTokenExchange'
  | 'isDeviceFlow'
>;

/** What of the metadata stays with this dialect: which words were said, where the facts do not tell. */
export function keptMetadata(custom: CustomClientMetadata): KeptMetadata {
  const { corsAllowedOrigins, refreshTokenTtl, refreshTokenTtlInDays, maxAllowedGrants } = custom;
  const { allowTokenExchange, isDeviceFlow } = custom;
  return {
    ...(corsAllowedOrigins?.length === 0 ? { corsAllowedOrigins } : {}),
    ...(refreshTokenTtlInDays === undefined ? {} : { refreshTokenTtlInDays }),
    ...(refreshTokenTtlInDays === undefined || refreshTokenTtl === undefined ? {} : { refreshTokenTtl }),
    ...(maxAllowedGrants === undefined ? {} : { maxAllowedGrants }),
    ...(allowTokenExchange === false ? { allowTokenExchange } : {}),
    ...(isDeviceFlow === false ? { isDeviceFlow } : {}),
  };
}

/** `oidcClientMetadata` of an application, as Logto shapes it. */
export function oidcMetadataOf({ signIn }: Pick<Client, 'signIn'>): OidcClientMetadata {
  const { redirectUris, postLogoutRedirectUris, backchannelLogoutUri, backchannelLogoutSessionRequired, logoUri } =
    signIn;
  return {
    redirectUris: [...redirectUris],
    postLogoutRedirectUris: [...postLogoutRedirectUris],
    ...(backchannelLogoutUri === undefined ? {} : { backchannelLogoutUri }),
    ...(backchannelLogoutSessionRequired === undefined ? {} : { backchannelLogoutSessionRequired }),
    ...(logoUri === undefined ? {} : { logoUri }),
  };
}

/** `customClientMetadata` of an application: what counts, and what is only kept. */
export function customMetadataOf(
  { signIn, grantTypes }: Pick<Client, 'signIn' | 'grantTypes'>,
  kept: KeptMetadata,
): CustomClientMetadata {
  const { refreshTokenTtl, refreshTokenTtlInDays, ...others } = kept;
  const { idTokenLifetimeSeconds, refreshTokenLifetimeSeconds: seconds } = signIn;
  const { rotatesRefreshTokens, alwaysIssuesRefreshToken } = signIn;
  // Another dialect may have changed it since.
  const inDays = refreshTokenTtlInDays !== undefined && refreshTokenTtlInDays * day === seconds;
  return {
    ...others,
    ...(signIn.allowedOrigins.length > 0 ? { corsAllowedOrigins: [...signIn.allowedOrigins] } : {}),
    ...(idTokenLifetimeSeconds === undefined ? {} : { idTokenTtl: idTokenLifetimeSeconds }),
    ...(inDays ? { refreshTokenTtlInDays } : {}),
    ...(seconds === undefined || (inDays && refreshTokenTtl === undefined) ? {} : { refreshTokenTtl: seconds }),
    ...(rotatesRefreshTokens === undefined ? {} : { rotateRefreshToken: rotatesRefreshTokens }),
    ...(alwaysIssuesRefreshToken === undefined ? {} : { alwaysIssueRefreshToken: alwaysIssuesRefreshToken }),
    ...(grantTypes.includes(tokenExchange) ? { allowTokenExchange: true } : {}),
    ...(grantTypes.includes(deviceCode) ? { isDeviceFlow: true } : {}),
  };
}

/** The grant types that a setting switches on and off; the others stay. */
export function grantTypesOf(before: readonly string[], custom: CustomClientMetadata): string[] {
  const others = before.filter((type) => type !== tokenExchange && type !== deviceCode);
  return [
    ...others,
    ...(custom.allowTokenExchange === true ? [tokenExchange] : []),
    ...(custom.isDeviceFlow === true ? [deviceCode] : []),
  ];
}
