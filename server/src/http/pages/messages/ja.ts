import type { Messages } from './en.ts';

/** Every text of the pages in Japanese. */
export const ja: Messages = {
  // on several pages
  errorTitle: (title) => `エラー: ${title}`,
  identifier: 'メールアドレスまたはユーザー名',
  email: 'メールアドレス',
  name: '名前',
  password: 'パスワード',
  newPassword: '新しいパスワード',
  passwordHint: '8〜256文字。関連のない単語をいくつか組み合わせると安全です。',
  optional: '任意',
  cancel: 'キャンセル',
  continue: '続ける',
  signedInAs: (account) => `${account} としてサインイン中`,
  toContinueTo: (client) => `「${client}」に進みます`,
  tooManyTries: (time) => `試行回数が多すぎます。${time}待ってから、もう一度お試しください。`,
  seconds: (count) => `${count}秒`,
  minutes: (count) => `${count}分`,

  // sign-in, sign-up
  signInTitle: 'サインイン',
  signIn: 'サインイン',
  signInFailed: 'メールアドレス、ユーザー名、またはパスワードが正しくありません。確認して、もう一度お試しください。',
  accountInactive: 'このアカウントは停止中か、承認待ちです。管理者にお問い合わせください。',
  reauthenticateTitle: 'パスワードをもう一度入力してください',
  reauthenticateText: 'ご本人であることを確認します。',
  noAccount: 'アカウントをお持ちでない場合',
  signUpTitle: 'アカウントの作成',
  signUp: 'アカウントを作成',
  haveAccount: 'すでにアカウントをお持ちの場合',
  identifierWrong:
    'この値は使用できません。name@example.com のようなメールアドレスか、空白を含まないユーザー名を入力してください。',
  emailWrong: 'メールアドレスの形式ではありません。name@example.com のように入力してください。',
  nameWrong: 'この名前は使用できません。短くしてお試しください。',
  passwordLength: 'パスワードは8〜256文字で入力してください。',
  passwordCommon: 'このパスワードは簡単に推測されます。別のパスワードにしてください。',
  passwordIdentity:
    'サインインに使うメールアドレスやユーザー名は、パスワードにできません。別のパスワードにしてください。',
  fieldWrong: 'この値は使用できません。確認して、もう一度お試しください。',
  signUpRefused:
    'この内容ではアカウントを作成できません。内容を確認するか、アカウントをお持ちの場合はサインインしてください。',

  // other ways to sign in
  userName: 'ユーザー名',
  or: 'または',
  continueWith: (way) => `「${way}」で続ける`,
  continueWithPassword: 'パスワードで続ける',
  reauthenticateOtherTitle: 'もう一度サインインしてください',
  otherWayText: (client) => `「${client}」では、別の方法でのサインインが必要です。`,
  noWayTitle: 'サインインできません',
  noWayText: (client) => `「${client}」、またはご利用の組織で使えるサインイン方法が設定されていません。`,
  noWayAdvice: 'アプリケーションの管理者にお問い合わせください。',
  policyNotOffered: 'この方法ではサインインできません。別の方法を選んでください。',
  policyUserUnknown:
    'サインインは確認できましたが、ここにはアカウントがありません。アプリケーションの管理者にアカウントの作成を依頼してください。',
  policyUserNotApproved:
    'サインインは確認できましたが、承認待ちです。アプリケーションの管理者に確認し、承認されてから、もう一度お試しください。',
  upstreamUnavailable:
    'このサインイン方法は現在利用できません。しばらくしてからもう一度お試しになるか、別の方法でサインインしてください。',
  upstreamRefused: 'サインインは完了していません。もう一度お試しになるか、別の方法でサインインしてください。',
  upstreamAnswerInvalid:
    'サインイン先からの応答を受け付けられないため、サインインできませんでした。繰り返し起こる場合は、アプリケーションの管理者にお知らせください。',

  // account
  accountTitle: 'アカウントの選択',
  continueAs: (account) => `${account} として続ける`,
  otherAccount: '別のアカウントを使用',

  // organization
  organizationTitle: '組織の選択',
  organizationText: (client) => `「${client}」で使用する組織を選択してください。`,

  // consent
  consentTitle: (client) => `「${client}」にアクセスを許可しますか？`,
  consentText: (client) => `「${client}」は外部のアプリケーションです。次の操作の許可を求めています。`,
  consentApi: (api) => `「${api}」で行うこと`,
  consentInOrganizations: '所属する組織で行うこと',
  consentOrganization: (organization) => `対象の組織: ${organization}`,
  consentOrganizations: '対象の組織',
  consentOrganizationsHint: '選択した組織だけがアプリケーションに伝わります。',
  consentReturn: (host) => `このあと ${host} に移動します。`,
  allow: '許可する',
  deny: '許可しない',
  policy: 'プライバシーポリシー',
  terms: '利用規約',
  support: 'ヘルプ',

  // device
  deviceTitle: 'デバイスの接続',
  deviceText: 'デバイスに表示されているコードを入力してください。',
  deviceCode: 'コード',
  deviceCodeWrong:
    'コードが正しくないか、有効期限が切れています。確認するか、デバイスに新しいコードを表示させてください。',
  deviceConfirmTitle: (client) => `「${client}」を接続しますか？`,
  deviceConfirmText: 'ご自身で始めた操作で、お使いのデバイスに次のコードが表示されている場合に限り、続けてください。',
  deviceConnect: '接続する',
  deviceDeny: '接続しない',
  deviceAllows: '接続すると、次のことができるようになります。',
  deviceConnectedTitle: 'デバイスを接続しました',
  deviceConnectedText: 'このページを閉じて、デバイスに戻ってください。',
  deviceDeniedTitle: 'デバイスは接続されませんでした',
  deviceDeniedText: 'デバイスからのアクセスは許可されていません。このページを閉じてかまいません。',

  // sign-out
  signOutTitle: 'サインアウトしますか？',
  signOutText: 'このブラウザーからサインアウトします。',
  signOutOf: (client) => `「${client}」が、このブラウザーからのサインアウトを求めています。`,
  signOut: 'サインアウト',
  staySignedIn: 'サインインしたままにする',
  signedOutTitle: 'サインアウトしました',
  signedOutText: 'このページを閉じてかまいません。',
  stayedSignedInTitle: 'サインインしたままです',

  // the first administrator
  setupTitle: '最初の管理者の設定',
  setupText: 'このアカウントですべてを管理します。このリンクは一度だけ使用できます。',
  setup: '管理者を作成',
  setupDoneTitle: '管理者を作成しました',
  setupDoneText: 'このアカウントでサインインできます。',

  // form_post
  formPostTitle: (client) => `「${client}」に戻ります`,
  formPostText: '自動的に進まない場合は、ボタンを押してください。',

  // errors
  errorReference: '参照コード',
  errorRequestTitle: 'リクエストを受け付けられません',
  errorRequestText: 'アプリケーションから送られた内容に問題があります。',
  errorRequestAdvice:
    'アプリケーションに戻り、もう一度お試しください。繰り返し起こる場合は、下の参照コードをアプリケーションの提供元にお知らせください。',
  errorExpiredTitle: 'このサインインは終了しています',
  errorExpiredText: '時間が経過したか、すでに完了したか、別のブラウザーで始められたものです。',
  errorExpiredAdvice: 'アプリケーションに戻り、もう一度サインインしてください。',
  errorFormTitle: 'このフォームは受け付けられません',
  errorFormText:
    '時間が経過したか、このブラウザーで表示したページから送信されたものではありません。何も変更されていません。',
  errorFormAdvice:
    '前のページに戻り、再読み込みしてからお試しください。ブラウザーでこのサイトの Cookie を許可する必要があります。',
  errorLinkTitle: 'このリンクは使用できません',
  errorLinkText: 'すでに使用されたか、有効期限が切れているか、リンクが途中で切れています。',
  errorLinkAdvice: 'サーバーの管理者から新しいリンクを受け取ってください。',
  errorAccessTitle: 'アクセスできません',
  errorAccessText: 'お使いのアカウントでは、このアプリケーションを使用できません。',
  errorAccessAdvice: 'アカウントまたはアプリケーションの管理者にお問い合わせください。',
  errorLimitTitle: '試行回数が多すぎます',
  errorLimitAdvice: 'アカウントはロックされていません。',
  errorMissingTitle: 'ページが見つかりません',
  errorMissingText: 'アドレスが間違っているか、ページがなくなっています。',
  errorMissingAdvice: 'アドレスを確認するか、元のアプリケーションに戻ってください。',
  errorUnavailableTitle: '現在利用できません',
  errorSuspendedText: 'このサービスは停止されています。サインインできません。',
  errorSuspendedAdvice: 'サービスの管理者にお問い合わせください。',
  errorUnavailableText: 'サービスが一時的に応答できません。',
  errorUnavailableAdvice: '1分ほど待ってから、もう一度お試しください。',
  errorServerTitle: '問題が発生しました',
  errorServerText: 'サービス側の問題です。',
  errorServerAdvice:
    'もう一度お試しください。繰り返し起こる場合は、下の参照コードをサービスの管理者にお知らせください。',
};
