import { alert, alertId, type FormTarget, field, form } from '../fields.ts';
import { type Html, html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';
import { identifierOf, type PersonShown } from './parts.ts';

/** Longer than any identity that can be. */
const longest = 256;

export interface SignInData {
  readonly client: string;
  readonly target: FormTarget;
  /** Absent where there is nothing to go back to. */
  readonly cancel?: FormTarget | undefined;
  /** What was typed before, or `login_hint`. */
  readonly identifier?: string | undefined;
  /** Who is signed in, and has to prove it again. */
  readonly reauthenticates?: PersonShown | undefined;
  /** Where somebody else signs in instead. */
  readonly otherUrl: string;
  /** Where an account can be made; absent when sign-up is off. */
  readonly signUpUrl?: string | undefined;
  /** Why the last try did not work. */
  readonly problem?: string | undefined;
}

/** The form that asks for a name and a password; the name is fixed where it is known who has to prove it. */
export function signInView(t: Messages, data: SignInData): View {
  const { reauthenticates, problem } = data;
  const identifier = reauthenticates === undefined ? data.identifier : identifierOf(reauthenticates);
  const describedBy = problem === undefined ? undefined : alertId;
  const title = reauthenticates === undefined ? t.signInTitle : t.reauthenticateTitle;
  const fields = [
    field(t, {
      name: 'identifier',
      label: t.identifier,
      autocomplete: 'username',
      value: identifier,
      maxLength: longest,
      readOnly: reauthenticates !== undefined,
      focused: reauthenticates === undefined && !identifier,
      describedBy: reauthenticates === undefined ? describedBy : undefined,
    }),
    field(t, {
      name: 'password',
      label: t.password,
      type: 'password',
      autocomplete: 'current-password',
      focused: reauthenticates !== undefined || Boolean(identifier),
      describedBy,
    }),
  ];
  return {
    title,
    failed: problem !== undefined,
    body: html`<h1>${title}</h1>
<p class="muted">${reauthenticates === undefined ? t.toContinueTo(data.client) : t.reauthenticateText}</p>
${alert(problem)}
${form(data.target, html`${fields}<button type="submit">${t.signIn}</button>`)}
${data.cancel !== undefined && form(data.cancel, html`<button type="submit" class="plain">${t.cancel}</button>`)}
${foot(t, data)}`,
  };
}

/** Ways round the form. */
function foot(t: Messages, { reauthenticates, otherUrl, signUpUrl }: SignInData): Html | undefined {
  if (reauthenticates !== undefined) return html`<p class="foot"><a href="${otherUrl}">${t.otherAccount}</a></p>`;
  if (signUpUrl === undefined) return undefined;
  return html`<p class="foot">${t.noAccount} <a href="${signUpUrl}">${t.signUpTitle}</a></p>`;
}
