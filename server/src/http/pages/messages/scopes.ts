import type { Locale } from '../locale.ts';

/** What the scopes of OpenID Connect, and Logto's own, let a client do (OpenID Connect Core §5.4, §11). */
const descriptions: Readonly<Record<string, Readonly<Record<Locale, string>>>> = {
  openid: { en: 'Know that it is you, by your account id', ja: 'アカウントIDによってご本人を確認する' },
  profile: { en: 'See your name, username, picture and profile', ja: '名前、ユーザー名、写真、プロフィールを見る' },
  email: { en: 'See your e-mail address', ja: 'メールアドレスを見る' },
  phone: { en: 'See your phone number', ja: '電話番号を見る' },
  address: { en: 'See your postal address', ja: '住所を見る' },
  offline_access: { en: 'Keep its access while you are away', ja: '利用していない間もアクセスを続ける' },
  roles: { en: 'See your roles', ja: 'ロールを見る' },
  custom_data: { en: 'See the further data that is kept about you', ja: 'アカウントに保存されたその他のデータを見る' },
  identities: { en: 'See the accounts you sign in with elsewhere', ja: '連携している外部アカウントを見る' },
  'urn:logto:scope:organizations': { en: 'See your organizations', ja: '所属する組織を見る' },
  'urn:logto:scope:organization_roles': {
    en: 'See your roles in your organizations',
    ja: '組織でのロールを見る',
  },
  'urn:logto:scope:sessions': { en: 'See where you are signed in', ja: 'サインイン中のセッションを見る' },
};

/** A scope in words: ours for the standard ones, else what its API says of it, else its name. */
export const scopeText = (scope: { name: string; description?: string | null | undefined }, locale: Locale): string =>
  (Object.hasOwn(descriptions, scope.name) ? descriptions[scope.name]?.[locale] : undefined) ??
  (scope.description || scope.name);
