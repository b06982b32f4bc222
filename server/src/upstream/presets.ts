/**
 * How well-known providers are set up: data, no code. A preset is the configuration of a policy with `{name}` where the
 * administrator has a value of their own; the secret is told apart from it, as everywhere.
 */
import type { OAuth2Configuration, OidcConfiguration, UserInfoFields } from './oauth2/configuration.ts';

export interface Translated {
  readonly en: string;
  readonly ja: string;
}

/** A value that only the administrator knows. */
export interface PresetValue {
  /** Stands in the configuration as `{name}`; `clientSecret` is a secret of the policy instead. */
  readonly name: 'clientId' | 'clientSecret' | 'tenantId';
  /** What the provider calls it. */
  readonly label: Translated;
}

interface PresetFacts {
  readonly id: string;
  readonly name: Translated;
  readonly values: readonly PresetValue[];
  /** What has to be done at the provider, and what it does not tell. */
  readonly notes: Translated;
  /** Where clients are registered. */
  readonly consoleUrl: string;
}

export type Preset = PresetFacts &
  (
    | { readonly type: 'openid'; readonly configuration: OidcConfiguration }
    | { readonly type: 'oauth2'; readonly configuration: OAuth2Configuration }
  );

const standardFields: UserInfoFields = {
  id: null,
  email: null,
  emailVerified: null,
  username: null,
  name: null,
  givenName: null,
  familyName: null,
  picture: null,
  groups: null,
};

const clientId = { en: 'Client ID', ja: 'クライアントID' };
const clientSecret = { en: 'Client secret', ja: 'クライアントシークレット' };

export const presets: readonly Preset[] = [
  {
    // https://developers.google.com/identity/openid-connect/openid-connect
    id: 'google',
    name: { en: 'Google', ja: 'Google' },
    type: 'openid',
    configuration: {
      clientId: '{clientId}',
      issuer: 'https://accounts.google.com',
      scopes: ['openid', 'profile', 'email'],
      clientAuthMethod: 'client_secret_basic',
      responseMode: 'query',
      fields: standardFields,
      emailIsVerified: false,
    },
    values: [
      { name: 'clientId', label: clientId },
      { name: 'clientSecret', label: clientSecret },
    ],
    notes: {
      en: 'Create an OAuth client of the type "Web application" and add the redirect URI. Anybody with a Google account can sign in; to let in only some, require that users exist or are approved.',
      ja: '種類が「ウェブ アプリケーション」の OAuth クライアントを作成し、リダイレクト URI を登録します。Google アカウントを持つ人は誰でもサインインできるため、限定するには、登録済みまたは承認済みのユーザーだけを許可してください。',
    },
    consoleUrl: 'https://console.cloud.google.com/auth/clients',
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    id: 'microsoft-entra',
    name: { en: 'Microsoft Entra ID', ja: 'Microsoft Entra ID' },
    type: 'openid',
    configuration: {
      clientId: '{clientId}',
      issuer: 'https://login.microsoftonline.com/{tenantId}/v2.0',
      scopes: ['openid', 'profile', 'email'],
      clientAuthMethod: 'client_secret_post',
      responseMode: 'query',
      fields: standardFields,
      emailIsVerified: false,
    },
    values: [
      { name: 'tenantId', label: { en: 'Directory (tenant) ID', ja: 'ディレクトリ (テナント) ID' } },
      { name: 'clientId', label: { en: 'Application (client) ID', ja: 'アプリケーション (クライアント) ID' } },
      { name: 'clientSecret', label: clientSecret },
    ],
    notes: {
      en: 'Register an application with the platform "Web", add the redirect URI, and create a client secret. The tenant ID is the GUID: a domain name, "common" and "organizations" name no single issuer and are refused. Entra does not say whether an e-mail address is verified, and people can have one there that is not theirs, so addresses count as not verified.',
      ja: 'プラットフォーム「Web」でアプリケーションを登録し、リダイレクト URI を追加して、クライアントシークレットを作成します。テナント ID には GUID を指定します。ドメイン名や「common」「organizations」は発行者が一つに定まらないため使えません。Entra はメールアドレスが確認済みかどうかを示さず、本人のものではないアドレスを持つこともできるため、未確認として扱います。',
    },
    consoleUrl: 'https://entra.microsoft.com/',
  },
  {
    // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
    id: 'github',
    name: { en: 'GitHub', ja: 'GitHub' },
    type: 'oauth2',
    configuration: {
      clientId: '{clientId}',
      issuer: null,
      authorizationUrl: 'https://github.com/login/oauth/authorize',
      tokenUrl: 'https://github.com/login/oauth/access_token',
      userInfoUrl: 'https://api.github.com/user',
      scopes: ['read:user'],
      clientAuthMethod: 'client_secret_post',
      fields: { ...standardFields, id: 'id', username: 'login', picture: 'avatar_url' },
      emailIsVerified: false,
    },
    values: [
      { name: 'clientId', label: clientId },
      { name: 'clientSecret', label: clientSecret },
    ],
    notes: {
      en: 'Create an OAuth app with the redirect URI as its authorization callback URL. Only the address that somebody shows in their public profile is told, and not whether it is verified.',
      ja: 'OAuth アプリを作成し、リダイレクト URI を「Authorization callback URL」に設定します。取得できるのは公開プロフィールのメールアドレスだけで、確認済みかどうかはわかりません。',
    },
    consoleUrl: 'https://github.com/settings/developers',
  },
  {
    // https://developer.apple.com/documentation/signinwithapplerestapi
    id: 'apple',
    name: { en: 'Apple', ja: 'Apple' },
    type: 'openid',
    configuration: {
      clientId: '{clientId}',
      issuer: 'https://appleid.apple.com',
      scopes: ['openid', 'name', 'email'],
      clientAuthMethod: 'client_secret_post',
      // Required as soon as a name or an address is asked for.
      responseMode: 'form_post',
      fields: standardFields,
      // Apple says by the string "true" that an address is verified, which counts for nothing by itself.
      emailIsVerified: true,
    },
    values: [
      { name: 'clientId', label: { en: 'Services ID', ja: 'Services ID' } },
      {
        name: 'clientSecret',
        label: { en: 'Client secret (a JWT)', ja: 'クライアントシークレット (JWT)' },
      },
    ],
    notes: {
      en: 'Create a Services ID for Sign in with Apple and add the domain and the redirect URI (https, no IP address, not localhost). The client secret is a JWT that you sign with your key (ES256; iss: team ID, sub: Services ID, aud: https://appleid.apple.com); it lasts 6 months at most, so replace it in time. Names are not told; the address may be a relay of Apple.',
      ja: '「Sign in with Apple」用の Services ID を作成し、ドメインとリダイレクト URI を登録します (https のみ。IP アドレスと localhost は不可)。クライアントシークレットは、ご自身の鍵で署名した JWT です (ES256、iss: チーム ID、sub: Services ID、aud: https://appleid.apple.com)。有効期間は最長 6 か月なので、期限前に更新してください。氏名は取得できません。メールアドレスは Apple の転送用アドレスの場合があります。',
    },
    consoleUrl: 'https://developer.apple.com/account/resources/identifiers/list/serviceId',
  },
  {
    // https://developers.line.biz/en/docs/line-login/integrate-line-login/ and …/managing-users/. Its ID tokens of web
    // logins are signed with the channel secret (HS256), which proves nothing to whoever has it: so it is OAuth 2.
    id: 'line',
    name: { en: 'LINE', ja: 'LINE' },
    type: 'oauth2',
    configuration: {
      clientId: '{clientId}',
      issuer: null,
      authorizationUrl: 'https://access.line.me/oauth2/v2.1/authorize',
      tokenUrl: 'https://api.line.me/oauth2/v2.1/token',
      userInfoUrl: 'https://api.line.me/v2/profile',
      scopes: ['profile'],
      clientAuthMethod: 'client_secret_post',
      fields: { ...standardFields, id: 'userId', name: 'displayName', picture: 'pictureUrl' },
      emailIsVerified: false,
    },
    values: [
      { name: 'clientId', label: { en: 'Channel ID', ja: 'チャネル ID' } },
      { name: 'clientSecret', label: { en: 'Channel secret', ja: 'チャネルシークレット' } },
    ],
    notes: {
      en: 'Create a LINE Login channel for web apps and add the redirect URI as a callback URL. E-mail addresses are not told. The same person has another ID in channels of another LINE provider.',
      ja: 'ウェブアプリ用の LINE ログインチャネルを作成し、リダイレクト URI をコールバック URL に登録します。メールアドレスは取得できません。プロバイダーが異なるチャネルでは、同じ人でもユーザー ID が異なります。',
    },
    consoleUrl: 'https://developers.line.biz/console/',
  },
  {
    // https://developer.yahoo.co.jp/yconnect/v2/hybrid/configuration.html
    id: 'yahoo-japan',
    name: { en: 'Yahoo! JAPAN', ja: 'Yahoo! JAPAN' },
    type: 'openid',
    configuration: {
      clientId: '{clientId}',
      issuer: 'https://auth.login.yahoo.co.jp/yconnect/v2',
      scopes: ['openid', 'profile', 'email'],
      clientAuthMethod: 'client_secret_basic',
      responseMode: 'query',
      fields: standardFields,
      emailIsVerified: false,
    },
    values: [
      { name: 'clientId', label: clientId },
      { name: 'clientSecret', label: { en: 'Secret', ja: 'シークレット' } },
    ],
    notes: {
      en: 'Register a server-side application for Yahoo! ID federation (YConnect v2) and add the redirect URI as a callback URL. Which attributes are told depends on what Yahoo! JAPAN has approved for the application.',
      ja: 'Yahoo! ID連携 (YConnect v2) のサーバーサイドアプリケーションを登録し、リダイレクト URI をコールバック URL に設定します。取得できる属性は、そのアプリケーションに Yahoo! JAPAN が許可したものに限られます。',
    },
    consoleUrl: 'https://e.developer.yahoo.co.jp/dashboard/',
  },
];
