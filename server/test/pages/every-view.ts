/** Every view once, with a name put in wherever somebody else's text is shown. */
import type { View } from '../../src/http/pages/layout.ts';
import { type Locale, messagesOf } from '../../src/http/pages/locale.ts';
import { accountView } from '../../src/http/pages/views/account.ts';
import { consentView } from '../../src/http/pages/views/consent.ts';
import { deviceCodeView, deviceConfirmView, deviceDoneView } from '../../src/http/pages/views/device.ts';
import { errorView } from '../../src/http/pages/views/error.ts';
import { formPostView } from '../../src/http/pages/views/form-post.ts';
import { organizationView } from '../../src/http/pages/views/organization.ts';
import { setupDoneView, setupView } from '../../src/http/pages/views/setup.ts';
import { signInView } from '../../src/http/pages/views/sign-in.ts';
import { signedOutView, signOutView } from '../../src/http/pages/views/sign-out.ts';
import { signUpView } from '../../src/http/pages/views/sign-up.ts';

/** What somebody who wants to break out of a page stores as a name. */
export const hostile = `"><img src=x onerror=alert(1)>{{7*7}}</script>'`;

const scopesAsked = {
  scopes: [{ name: 'openid' }, { name: 'profile' }, { name: 'email' }, { name: 'offline_access' }],
};

export function everyView(locale: Locale, name: string): Record<string, View> {
  const t = messagesOf[locale];
  const target = { action: `/interaction/1/sign-in?${name}`, token: 'token' };
  const person = { name, email: `${name}@example.com`, username: null, phone: null };
  const client = { name, logoUri: undefined, clientUri: 'https://app.example', policyUri: 'https://app.example/p' };
  const asked = {
    ...scopesAsked,
    audiences: [
      {
        name,
        scopes: [
          { name: 'read:orders', description: name },
          { name: 'write:orders', description: null },
        ],
      },
      { name: '', scopes: [{ name: 'invite:member', description: 'Invite members' }] },
    ],
  };
  const organizations = [
    { id: 'org_1', name },
    { id: 'org_2', name: 'Second' },
  ];
  const open = { target, nameOf: 'user', asksFor: 'both' } as const;
  const signIn = { client: name, form: open, cancel: target, otherUrl: '/interaction/1/sign-in?account=other' };
  const others = {
    forms: [
      { url: '/interaction/1/sign-in?policy=password', title: undefined },
      { url: '/interaction/1/sign-in?policy=x', title: name },
    ],
    redirects: [
      { policyId: 'x', title: name },
      { policyId: 'y', title: 'Second' },
    ],
    target: { ...target, fields: { account: 'other' } },
  };
  const account = { target, identifier: name, name };
  return {
    'sign-in': signInView(t, { ...signIn, identifier: name, signUpUrl: '/interaction/1/sign-up' }),
    'sign-in, failed': signInView(t, {
      ...signIn,
      form: { ...open, isWrong: true },
      identifier: name,
      problem: t.signInFailed,
    }),
    'sign-in, limited': signInView(t, { ...signIn, problem: t.tooManyTries(t.minutes(3)) }),
    reauthenticate: signInView(t, { ...signIn, reauthenticates: person }),
    'sign-in, other ways': signInView(t, { ...signIn, others, signUpUrl: '/interaction/1/sign-up' }),
    'sign-in, only others': signInView(t, { ...signIn, form: undefined, others: { ...others, forms: [] } }),
    'sign-in, directory': signInView(t, { ...signIn, form: { ...open, title: name, nameOf: 'directory' }, others }),
    'sign-in, name': signInView(t, { ...signIn, form: { ...open, asksFor: 'name' } }),
    'sign-in, password': signInView(t, { ...signIn, identifier: name, form: { ...open, asksFor: 'password' } }),
    'sign-in, back from elsewhere': signInView(t, { ...signIn, others, problem: t.upstreamRefused }),
    'sign-in, no way': signInView(t, { ...signIn, form: undefined }),
    'reauthenticate, name': signInView(t, { ...signIn, form: { ...open, asksFor: 'name' }, reauthenticates: person }),
    'another way': signInView(t, { ...signIn, reauthenticates: person, needsOtherWay: true, others }),
    'sign-up': signUpView(t, { ...account, client: name, signInUrl: '/interaction/1/sign-in' }),
    'sign-up, failed': signUpView(t, {
      ...account,
      client: name,
      signInUrl: '/interaction/1/sign-in',
      problems: { password: t.passwordCommon },
    }),
    account: accountView(t, { client: name, person, target, cancel: target, otherUrl: '/x' }),
    organization: organizationView(t, { client: name, organizations, target, cancel: target }),
    consent: consentView(t, locale, {
      client,
      person,
      userId: 'u1',
      ...asked,
      organizations,
      organization: { name },
      returnsTo: 'app.example',
      target,
    }),
    'device code': deviceCodeView(t, { target, userCode: name, problem: t.deviceCodeWrong }),
    'device confirm': deviceConfirmView(t, locale, { client, person, ...asked, userCode: 'BDFG-HJKL', target }),
    'device done': deviceDoneView(t, true),
    'device denied': deviceDoneView(t, false),
    'sign-out': signOutView(t, { target, client: name, person, fields: { state: name } }),
    'signed out': signedOutView(t),
    setup: setupView(t, { ...account, link: name, problems: { identifier: t.emailWrong } }),
    'setup done': setupDoneView(t),
    form_post: formPostView(t, {
      redirectUri: 'https://app.example/callback',
      parameters: { code: 'code', state: name, [name]: 'x' },
    }),
    error: errorView(t, {
      title: t.errorRequestTitle,
      text: t.errorRequestText,
      advice: t.errorRequestAdvice,
      reference: name,
    }),
  };
}
