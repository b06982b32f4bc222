import { alert, type FormTarget, field, form } from '../fields.ts';
import { type Html, html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';

/** What was typed before, without the password, and what is wrong with it, by field. */
export interface NewAccountData {
  readonly target: FormTarget;
  readonly identifier?: string | undefined;
  readonly name?: string | undefined;
  readonly problems?: { readonly [Name in 'identifier' | 'name' | 'password']?: string };
  /** What is wrong with the whole. */
  readonly problem?: string | undefined;
}

/** The form of a new account. */
export function signUpView(t: Messages, data: NewAccountData & { client: string; signInUrl: string }): View {
  return {
    title: t.signUpTitle,
    failed: hasProblem(data),
    body: html`<h1>${t.signUpTitle}</h1>
<p class="muted">${t.toContinueTo(data.client)}</p>
${alert(data.problem)}
${form(data.target, html`${newAccountFields(t, data, 'any')}<button type="submit">${t.signUp}</button>`)}
<p class="foot">${t.haveAccount} <a href="${data.signInUrl}">${t.signIn}</a></p>`,
  };
}

export const hasProblem = ({ problem, problems = {} }: NewAccountData): boolean =>
  problem !== undefined || Object.keys(problems).length > 0;

/** The fields of an account that is made; by `email` it is known by an e-mail address only. */
export function newAccountFields(t: Messages, data: NewAccountData, by: 'email' | 'any'): Html {
  const { identifier, name, problems = {} } = data;
  const first = (['identifier', 'name', 'password'] as const).find((each) => problems[each] !== undefined);
  return html`${[
    field(t, {
      name: 'identifier',
      label: by === 'email' ? t.email : t.identifier,
      type: by === 'email' ? 'email' : 'text',
      autocomplete: 'username',
      value: identifier,
      maxLength: 254,
      problem: problems.identifier,
      focused: first === undefined || first === 'identifier',
    }),
    field(t, {
      name: 'name',
      label: t.name,
      autocomplete: 'name',
      value: name,
      maxLength: 300,
      optional: true,
      problem: problems.name,
      focused: first === 'name',
    }),
    field(t, {
      name: 'password',
      label: t.newPassword,
      type: 'password',
      autocomplete: 'new-password',
      hint: t.passwordHint,
      problem: problems.password,
      focused: first === 'password',
    }),
  ]}`;
}
